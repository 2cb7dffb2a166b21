#!/bin/bash
# Installs the hypervisor from its ISO in QEMU, unattended, starts it from the disk, and looks whether the guests of the answer file run.
#   install.sh --domsmith FILE [--uefi] [--usb] [--keep]      exit status: 0, 1
# Work is done in $DOMSMITH_ISO_STATE (default: a new folder); images are kept in $DOMSMITH_ISO_CACHE for the next run.
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
domsmith=
uefi=
usb=
keep=
while (($# > 0)); do
  case $1 in
    --domsmith) domsmith=$(realpath -- "${2:?}"); shift ;;
    --uefi) uefi=yes ;;
    --usb) usb=yes ;;
    --keep) keep=yes ;;
    *) echo "install.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
: "${domsmith:?--domsmith FILE}"
state=${DOMSMITH_ISO_STATE:-$(mktemp -d)}
cache=${DOMSMITH_ISO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/domsmith/iso}
mkdir -p -- "$state" "$cache"
port=$((RANDOM % 20000 + 20000))
pid=

say() { printf '== %4d s  %s\n' "$SECONDS" "$*"; }
die() {
  say "FAILED: $*"
  for log in install host; do
    [[ ! -s $state/$log.log ]] || { say "the end of $log.log"; tr -d '\r' <"$state/$log.log" | tail -n 30; }
  done
  exit 1
}
leave() {
  [[ -z $pid ]] || kill "$pid" 2>/dev/null || true
  [[ -n $keep || -n ${DOMSMITH_ISO_STATE:-} ]] || rm -rf -- "$state"
}
trap leave EXIT

machine() { # LOG ARGUMENTS…: starts QEMU in the background
  local log=$1 firmware=()
  shift
  if [[ -n $uefi ]]; then
    [[ -e $state/vars.fd ]] || cp /usr/share/OVMF/OVMF_VARS_4M.fd "$state/vars.fd"
    firmware=(-drive "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd" -drive "if=pflash,format=raw,file=$state/vars.fd")
  fi
  qemu-system-x86_64 -name domsmith-iso -machine q35,hpet=off,vmport=off -accel tcg,thread=multi,tb-size=512 -cpu qemu64,+svm,+npt \
    -smp "${DOMSMITH_ISO_CPUS:-1}" -m "${DOMSMITH_ISO_MEMORY:-1024}" -nodefaults -no-user-config -display none -monitor none -no-reboot \
    -serial "file:$state/$log.log" "${firmware[@]}" -device virtio-rng-pci \
    -drive "if=none,id=disk0,file=$state/disk0.img,format=raw,cache=unsafe,discard=unmap" \
    -device virtio-blk-pci,drive=disk0,serial=DISK0,bootindex=2 \
    -netdev "user,id=net0,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=net0,romfile= "$@" </dev/null &
  pid=$!
}

# wait_for SECONDS WHAT COMMAND…: while the machine runs
wait_for() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < limit)) || die "waited too long for $what"
    kill -0 "$pid" 2>/dev/null || die "the machine ended while waiting for $what"
    sleep 2
  done
  say "$what"
}

host() {
  ssh -F /dev/null -q -i "$state/key" -o BatchMode=yes -o ConnectTimeout=10 -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
    -o UserKnownHostsFile=/dev/null -o ServerAliveInterval=15 -p "$port" root@127.0.0.1 "$@"
}

[[ -s $state/key ]] || ssh-keygen -q -t ed25519 -N '' -C test -f "$state/key"
sed "s|@KEY@|$(<"$state/key.pub")|" "$here/answer.toml" >"$state/answer.toml"
say "the medium"
"$domsmith" iso build --answer "$state/answer.toml" -o "$state/test.iso" --root "$cache" --progress=none || die "iso build"
truncate -s 0 "$state/disk0.img"
truncate -s "${DOMSMITH_ISO_DISK:-4G}" "$state/disk0.img"

say "installing"
if [[ -n $usb ]]; then
  machine install -device qemu-xhci -drive "if=none,id=medium,file=$state/test.iso,format=raw,readonly=on" \
    -device usb-storage,drive=medium,bootindex=1,removable=on
else
  machine install -drive "if=none,id=medium,file=$state/test.iso,format=raw,readonly=on,media=cdrom" -device ide-cd,drive=medium,bootindex=1
fi
limit=$((SECONDS + ${DOMSMITH_ISO_LIMIT:-1500}))
while kill -0 "$pid" 2>/dev/null; do
  ! grep -aq 'domsmith\[.*error:\|cannot start this machine\|Kernel panic' "$state/install.log" || die "the installation"
  ((SECONDS < limit)) || die "the installation takes too long"
  sleep 2
done
grep -aq 'step 9 of 9: finish' "$state/install.log" || die "the installation did not come to its end"
say "installed; starting from the disk"

machine host
wait_for 600 "ssh answers" host true
wait_for 900 "the guests are started" host 'systemctl is-active domsmith-guests.service'
host domsmith guest list
[[ $(host domsmith guest list --json | grep -o '"running"' | wc -l) == 2 ]] || die "not all guests run"
for guest in web-1 web-2; do
  wait_for 900 "$guest has a login prompt" host "grep -aq 'login:' /var/log/xen/console/guest-$guest.log"
done

# What a host may use, and what it must not have.
say "numbers"
used=$(host "awk '/MemTotal/{t=\$2} /MemAvailable/{a=\$2} END{print int((t-a)/1024)}' /proc/meminfo")
ports=$(host "ss -Hltn | wc -l")
processes=$(host "ps -e -o ppid= | grep -cv '^ *2\$'" || true)
printf 'dom0-used-mib %s\ntcp-ports %s\nprocesses %s\n' "$used" "$ports" "$processes"
for program in perl python3 apt-get dpkg qemu-system-i386 gcc man; do
  ! host "command -v $program" || die "$program is in the running root"
done
! host 'touch /usr/probe' 2>/dev/null || die "the root can be written to"
host 'xl info >/dev/null' || die "xl info"
say "passed"

# shellcheck shell=bash
# shellcheck disable=SC2154 # $state, $uefi … come from whoever sources this
# A machine in QEMU that is installed from a medium: its disks, its firmware, a way in by ssh. $state is its folder.

say() { printf '== %4d s  %s\n' "$SECONDS" "$*"; }

die() {
  say "FAILED: $*"
  for log in install host; do
    [[ ! -s $state/$log.log ]] || { say "the end of $log.log"; tr -d '\r' <"$state/$log.log" | grep -av 'Job .* running' | tail -n 30; }
  done
  exit 1
}

memory=${DOMSMITH_ISO_MEMORY:-512} # MiB of the machine

# made_size slot|iso: bytes, as iso build said
made_size() {
  python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(d["slot"]["size"] if sys.argv[2] == "slot" else d["size"])' \
    "$state/medium.json" "$1"
}

disk_file() { printf '%s/%s.img' "$state" "$1"; }

# fresh_disks NAME…: empty ones. A disk's name is its serial number, too.
fresh_disks() {
  local name
  disks=("$@")
  for name in "$@"; do
    rm -f -- "$(disk_file "$name")"
    truncate -s "${DOMSMITH_ISO_DISK:-4G}" "$(disk_file "$name")"
  done
}

person=off # on: the machine waits for whoever sits down at the serial port, and says nothing before
cards=() # QEMU's arguments for more than the one that ssh comes by

# start_machine LOG ARGUMENTS…: QEMU in the background, with the disks of $disks
start_machine() {
  local log=$1 name index=2 more=()
  shift
  : >"$state/$log.log"
  if [[ -n $uefi ]]; then
    [[ -e $state/vars.fd ]] || cp /usr/share/OVMF/OVMF_VARS_4M.fd "$state/vars.fd"
    more+=(-drive "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd" -drive "if=pflash,format=raw,file=$state/vars.fd")
  fi
  for name in "${disks[@]}"; do
    more+=(-drive "if=none,id=$name,file=$(disk_file "$name"),format=raw,cache=unsafe,discard=unmap"
      -device "virtio-blk-pci,drive=$name,serial=$name,bootindex=$((index++))")
  done
  rm -f -- "$control/serial"
  # A restart ends QEMU: whoever wants the machine to go on starts it again.
  qemu-system-x86_64 -name domsmith-iso -machine q35,hpet=off,vmport=off -accel tcg,thread=multi,tb-size=512 -cpu qemu64,+svm,+npt \
    -smp "${DOMSMITH_ISO_CPUS:-2}" -m "$memory" -nodefaults -no-user-config -display none -monitor none -no-reboot \
    -chardev "socket,id=serial,path=$control/serial,server=on,wait=$person,logfile=$state/$log.log" -serial chardev:serial -device virtio-rng-pci "${more[@]}" \
    -netdev "user,id=net0,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=net0,romfile= "${cards[@]}" "$@" </dev/null &
  pid=$!
}

stop_machine() { # the power goes away
  [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
  [[ -z $pid ]] || wait "$pid" 2>/dev/null || true
  pid=
  forget_connection
}

# wait_for SECONDS WHAT COMMAND…: while the machine runs
wait_for() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < limit)) || die "waited too long for: $what"
    kill -0 "$pid" 2>/dev/null || die "the machine ended while waiting for: $what"
    sleep 2
  done
  say "$what"
}

# wait_for_end SECONDS WHAT: the machine powers itself off, or wants to start again
wait_for_end() {
  local limit=$((SECONDS + $1))
  while kill -0 "$pid" 2>/dev/null; do
    ((SECONDS < limit)) || die "waited too long for: $2"
    sleep 2
  done
  pid=
  forget_connection
  say "$2"
}

# By a person's command, which has nothing to complain of.
power_off() {
  host poweroff >"$state/said" 2>&1 || true
  [[ ! -s $state/said ]] || die "poweroff says: $(<"$state/said")"
  wait_for_end 600 "powered off"
}

# One connection for many commands: each key exchange is emulated.
host() { host_reading "$@" </dev/null; }
host_reading() {
  ssh -F /dev/null -q -i "$state/key" -o BatchMode=yes -o ConnectTimeout=30 -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
    -o UserKnownHostsFile=/dev/null -o ServerAliveInterval=15 -o ServerAliveCountMax=8 \
    -o ControlMaster=auto -o "ControlPath=$control/ssh" -o ControlPersist=yes -p "$port" root@127.0.0.1 "$@"
}
leave_host() { ssh -F /dev/null -q -O exit -o "ControlPath=$control/ssh" root@127.0.0.1 2>/dev/null || true; }
forget_connection() { rm -f -- "$control/ssh"; }

# The medium as the arguments of a CD drive or of a USB stick.
medium_arguments() { # ISO
  medium=(-drive "if=none,id=medium,file=$1,format=raw,readonly=on,media=cdrom" -device "ide-cd,drive=medium,bootindex=1")
  [[ -z $usb ]] || medium=(-device qemu-xhci -drive "if=none,id=medium,file=$1,format=raw,readonly=on"
    -device "usb-storage,drive=medium,bootindex=1,removable=on")
}

make_key() { [[ -s $state/key ]] || ssh-keygen -q -t ed25519 -N '' -C test -f "$state/key"; } # that host() has

# make_medium ANSWER ISO: @KEY@ in the answer file is that key
make_medium() {
  make_key
  sed "s|@KEY@|$(<"$state/key.pub")|" "$1" >"$state/answer.toml"
  "$domsmith" iso build --answer "$state/answer.toml" -o "$2" --root "$cache" --progress=none --json >"$state/medium.json" || die "iso build"
  say "the medium is made"
}

medium_boot= # seconds from the start of the machine to the installer's first step

install_fails() { grep -aq 'domsmith\[.*error:\|cannot start this machine\|Kernel panic' "$state/install.log"; }

# install_from ISO: to the end, when the machine restarts
install_from() {
  local limit=$((SECONDS + ${DOMSMITH_ISO_LIMIT:-2400})) from=$SECONDS
  medium_boot=
  medium_arguments "$1"
  start_machine install "${medium[@]}"
  while kill -0 "$pid" 2>/dev/null; do
    ! install_fails || die "the installation"
    [[ -n $medium_boot ]] || ! grep -aq 'step 1 of 9' "$state/install.log" || medium_boot=$((SECONDS - from))
    ((SECONDS < limit)) || die "the installation takes too long"
    sleep 2
  done
  pid=
  grep -aq 'step 9 of 9: finish' "$state/install.log" || die "the installation did not come to its end"
  say "installed"
}

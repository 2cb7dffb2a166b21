#!/bin/bash
# How long a machine takes from GRUB's choice to the first `xl info` that works: the host that install.sh left on its disk, and stock
# Debian with xen-system-amd64, in turns, in the same QEMU.
#   boot-time.sh --domsmith FILE [--runs N]      exit status: 0, 1
# $DOMSMITH_ISO_STATE is the folder that install.sh worked in. Prints "ours SECONDS" and "peer SECONDS", a line for each start.
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
runs=3
arguments=()
while (($# > 0)); do
  case $1 in
    --runs) runs=${2:?}; shift ;;
    *) arguments+=("$1") ;;
  esac
  shift
done
set -- "${arguments[@]}"
# shellcheck source=SCRIPTDIR/scene.sh
source "$here/scene.sh"

# The unit goes into the host's own /etc, as anybody's would.
teach_ours() {
  disks=(DISK0)
  start_machine host
  wait_for 900 "ssh answers" host true
  host_reading 'cat >/etc/systemd/system/xl-info-probe.service' <"$here/xl-info-probe.service"
  host 'systemctl enable xl-info-probe.service && sync' || die "the probe cannot be installed"
  power_off
}

# Its root as a disk, and beside it a disk from which GRUB starts Xen, kernel and initramfs as update-grub would.
make_peer() {
  local store=$cache/stock root=$cache/stock/out
  rm -rf -- "$root"
  mkdir -p -- "$store/store" "$state/peer/boot/grub"
  # The one of an earlier run may hold an earlier probe; what is unchanged of it is in the cache.
  "$domsmith" image remove stock-debian --store "dir:$store/store" --root "$cache" --progress=none >/dev/null 2>&1 || true
  "$domsmith" build "$here/stock-debian.toml" --store "dir:$store/store" --root "$cache" --progress=none >/dev/null || die "stock Debian"
  "$domsmith" image export stock-debian --output "$root" --store "dir:$store/store" --root "$cache" --progress=none >/dev/null || die "export"
  cp --sparse=always -- "$root/stock-debian.img" "$(disk_file STOCK)"
  for file in xen.gz vmlinuz initrd.img; do
    debugfs -R "dump $(boot_path "$file") $state/peer/boot/$file" "$(disk_file STOCK)" 2>/dev/null
    [[ -s $state/peer/boot/$file ]] || die "stock Debian has no $file"
  done
  cat >"$state/peer/boot/grub/grub.cfg" <<'END'
serial --unit=0 --speed=115200
terminal_output serial
set timeout=0
menuentry stock {
  echo 'Xen, kernel and initramfs ...'
  multiboot2 /boot/xen.gz console=com1,vga com1=115200,8n1 bootscrub=0 spec-ctrl=no
  module2 /boot/vmlinuz root=LABEL=stock ro console=tty0 console=hvc0 no_timer_check mitigations=off random.trust_cpu=on
  module2 --nounzip /boot/initrd.img
}
END
  grub-mkrescue -o "$(disk_file GRUB)" "$state/peer" >/dev/null 2>&1 || die "grub-mkrescue"
  say "stock Debian is made"
}

# The newest file of that kind below the image's /boot.
boot_path() {
  local pattern
  case $1 in
    xen.gz) pattern='xen-[0-9.]*-amd64.gz' ;;
    vmlinuz) pattern='vmlinuz-.*' ;;
    initrd.img) pattern='initrd.img-.*' ;;
  esac
  debugfs -R 'ls -p /boot' "$(disk_file STOCK)" 2>/dev/null | cut -d/ -f6 | grep -x "$pattern" | sort -V | tail -n 1 | sed 's|^|/boot/|'
}

now() { date +%s.%N; }

# seconds_to_xl_info LOG: of the machine that was just started
seconds_to_xl_info() {
  local log=$state/$1.log from='' limit=$((SECONDS + 900))
  until grep -aq 'xl info works' "$log"; do
    [[ -n $from ]] || ! grep -aq 'kernel and initramfs' "$log" || from=$(now)
    { kill -0 "$pid" 2>/dev/null && ((SECONDS < limit)); } || die "no xl info in $1" >&2
    sleep 0.1
  done
  awk -v from="$from" -v to="$(now)" 'BEGIN { printf "%.1f\n", to - from }'
}

teach_ours >&2
make_peer >&2
for ((run = 0; run < runs; ++run)); do
  disks=(DISK0)
  start_machine host
  seconds=$(seconds_to_xl_info host)
  printf 'ours %s\n' "$seconds"
  stop_machine
  disks=(GRUB STOCK)
  start_machine stock
  seconds=$(seconds_to_xl_info stock)
  printf 'peer %s\n' "$seconds"
  stop_machine
done

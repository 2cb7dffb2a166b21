#!/bin/bash
# Installs the hypervisor from its ISO in QEMU, unattended, starts it from the disk, and looks whether the guests of the answer file run.
#   install.sh --domsmith FILE [--uefi] [--usb] [--keep]      exit status: 0, 1
# Work is done in $DOMSMITH_ISO_STATE (default: a new folder); images are kept in $DOMSMITH_ISO_CACHE for the next run. What was measured
# stands in the file 'numbers' there, a name and a value a line.
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
# shellcheck source=SCRIPTDIR/scene.sh
source "$here/scene.sh"

number() { # NAME VALUE MOST
  printf '%s %s\n' "$1" "$2" | tee -a "$state/numbers"
  (($2 <= $3)) || die "$1 is $2, more than $3"
}

rm -f -- "$state/numbers"
make_medium "$here/answer.toml" "$state/test.iso"
fresh_disks DISK0
from=$SECONDS
install_from "$state/test.iso"
printf 'install-seconds %s\nmedium-boot-seconds %s\n' $((SECONDS - from)) "${medium_boot:-0}" >>"$state/numbers"

start_machine host
wait_for 900 "ssh answers" host true
wait_for 1800 "the host has started" host 'systemctl is-active multi-user.target'
host 'systemctl is-active --quiet domsmith-guests.service' || { host journalctl -b --no-pager -u domsmith-guests; die "the guests of the answer file"; }
[[ $(host domsmith guest list --json | grep -o '"running": true' | wc -l) == 2 ]] || { host domsmith guest list; die "not all guests run"; }
for guest in web db; do
  wait_for 1200 "$guest has a login prompt" host "grep -aq '$guest login:' /var/log/xen/console/guest-$guest.log"
done

# What a host may use, and what it must not have.
# Idle means without a session of ours, too: the host looks at itself a while after we have left.
host 'rm -f /run/idle; systemd-run --quiet --collect sh -c "sleep 20; cat /proc/meminfo >/run/idle.new; mv /run/idle.new /run/idle"'
leave_host
sleep 30
wait_for 60 "the host has looked at its memory" host 'test -s /run/idle'
number dom0-used-mib "$(host 'cat /run/idle' | awk '/MemTotal/{t=$2} /MemAvailable/{a=$2} END{print int((t-a)/1024)}')" 64
number tcp-ports "$(host 'ss -Hltn' | awk '{sub(/.*:/, "", $4); print $4}' | sort -u | wc -l)" 1
# Kernel threads have no command line; our own session is not the host's.
host "for p in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <\$p; echo; done 2>/dev/null" | grep -v '^ *$\|^sshd: root@\|^bash -c for\|^tr ' >"$state/processes" || true
sort "$state/processes" | uniq -c
number processes "$(wc -l <"$state/processes")" 12
host 'xl info >/dev/null' || die "xl info"
! host 'touch /usr/probe' 2>/dev/null || die "the root can be written to"
for program in perl python3 apt-get dpkg qemu-system-i386 gcc man; do
  ! host "command -v $program" || die "$program is in the running root"
done
# The other slot is as large as what an installation writes, and holds nothing yet.
printf 'dd-256-mib-seconds %s\n' "$(host 'TIMEFORMAT=%1R; time dd if=/dev/zero of=/dev/vg0/slot-b bs=1M count=256 conv=fsync status=none' 2>&1)" >>"$state/numbers"
{
  printf 'disk-gib %s\n' $(($(stat -c %s "$(disk_file DISK0)") >> 30))
  printf 'memory-mib %s\n' "$memory"
  # The slot, and what the pool holds.
  printf 'installed-mib %s\n' "$(host 'lvs --noheadings --nosuffix --units m -o lv_size,data_percent vg0/pool' |
    awk -v slot="$(made_size slot)" '{print int($1 * $2 / 100 + slot / 1048576)}')"
} >>"$state/numbers"
say "the guests on the installed system"
host domsmith guest list
say "passed"

#!/bin/bash
# Installs the hypervisor from its ISO in QEMU, unattended, starts it from the disk, and looks whether the guests of the answer file run.
#   install.sh --domsmith FILE [--uefi] [--usb] [--keep]      exit status: 0, 1
# Work is done in $DOMSMITH_ISO_STATE (default: a new folder); images are kept in $DOMSMITH_ISO_CACHE for the next run.
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
# shellcheck source=SCRIPTDIR/scene.sh
source "$here/scene.sh"

make_medium "$here/answer.toml" "$state/test.iso"
fresh_disks DISK0
install_from "$state/test.iso"

start_machine host
wait_for 900 "ssh answers" host true
wait_for 900 "the host has started" host 'systemctl is-active multi-user.target'
host 'systemctl is-active --quiet domsmith-guests.service' || { host journalctl -b --no-pager -u domsmith-guests; die "the guests of the answer file"; }
host domsmith guest list
[[ $(host domsmith guest list --json | grep -o '"running"' | wc -l) == 2 ]] || die "not all guests run"
for guest in web-1 web-2; do
  wait_for 1200 "$guest has a login prompt" host "grep -aq '$guest login:' /var/log/xen/console/guest-$guest.log"
done

# What a host may use, and what it must not have.
used=$(host 'cat /proc/meminfo' | awk '/MemTotal/{t=$2} /MemAvailable/{a=$2} END{print int((t-a)/1024)}')
ports=$(host 'ss -Hltn' | awk '{sub(/.*:/, "", $4); print $4}' | sort -u | wc -l)
# Kernel threads have no command line; our own session is not the host's.
host "for p in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <\$p; echo; done 2>/dev/null" | grep -v '^ *$\|^sshd: root@\|^bash -c for\|^tr ' >"$state/processes" || true
processes=$(wc -l <"$state/processes")
printf 'dom0-used-mib %s\ntcp-ports %s\nprocesses %s\n' "$used" "$ports" "$processes"
((used <= 64)) || die "dom0 uses $used MiB"
[[ $ports == 1 ]] || die "$ports TCP ports are open"
((processes <= 12)) || { cat "$state/processes"; die "$processes processes"; }
for program in perl python3 apt-get dpkg qemu-system-i386 gcc man; do
  ! host "command -v $program" || die "$program is in the running root"
done
! host 'touch /usr/probe' 2>/dev/null || die "the root can be written to"
host 'xl info >/dev/null' || die "xl info"
say "passed"

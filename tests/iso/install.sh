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

images_size() { # bytes of the golden images
  host domsmith image list --json | python3 -c 'import json, sys; print(sum(image["used"] for image in json.load(sys.stdin)["images"]))'
}

# has_prompt GUEST: one that has gone is started once more, and told of: QEMU's emulation loses a PVH guest now and then (docs/lab.md).
has_prompt() {
  ! host "grep -aq '$1 login:' /var/log/xen/console/guest-$1.log" || return 0
  if [[ -z $again && $(host "xl domid $1 >/dev/null 2>&1 || echo gone") == gone ]]; then
    again=yes
    say "$1 is gone before its login prompt: started once more" >&3
    host domsmith guest start "$1" --progress=none
  fi
  return 1
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
exec 3>&1
for guest in web db; do
  again=
  wait_for 1200 "$guest has a login prompt" has_prompt "$guest"
done

# What a host may use, and what it must not have.
# Idle means without a session of ours, too: the host looks at itself a while after we have left.
host 'rm -f /run/idle; systemd-run --quiet --collect sh -c "sleep 10; cat /proc/meminfo >/run/idle.new; mv /run/idle.new /run/idle"'
leave_host
sleep 15
wait_for 60 "the host has looked at its memory" host 'test -s /run/idle'
host 'systemctl is-active --quiet domsmith-watch.service' || die "nobody watches the pool"
number dom0-used-mib "$(host 'cat /run/idle' | awk '/MemTotal/{t=$2} /MemAvailable/{a=$2} END{print int((t-a)/1024)}')" 64
number tcp-ports "$(host 'ss -Hltn' | awk '{sub(/.*:/, "", $4); print $4}' | sort -u | wc -l)" 1
# Kernel threads have no command line; our own session is not the host's.
host "for p in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <\$p; echo; done 2>/dev/null" | grep -v '^ *$\|^sshd: root@\|^bash -c for\|^tr ' >"$state/processes" || true
sort "$state/processes" | uniq -c
number processes "$(wc -l <"$state/processes")" 12
host 'xl info >/dev/null' || die "xl info"
host cat /etc/resolv.conf | grep -qx 'nameserver 10\.0\.2\.3' || die "the name server that DHCP gave is not known"
host cat /var/lib/domsmith/receipt.json >"$state/receipt.json"
python3 - "$state/medium.json" "$state/receipt.json" "${uefi:+uefi}" <<'END' || die "the receipt"
import json, sys
medium, receipt = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:3])
assert all(receipt["slot"][key] == medium["slot"][key] for key in ("sha256", "size", "xen", "kernel", "packages")), receipt["slot"]
assert list(receipt["images"]) == medium["images"] and all(len(image["sha256"]) == 64 for image in receipt["images"].values()), receipt["images"]
assert receipt["layout"]["firmware"] == (sys.argv[3] or "bios"), receipt["layout"]
assert [entry["title"] for entry in receipt.get("firmware", [])] == receipt["layout"]["firmware_entries"], receipt.get("firmware")
END
if [[ -n $uefi ]]; then
  first=$(host 'od -An -tx2 -j4 -N2 /sys/firmware/efi/efivars/BootOrder-*' | tr -d ' ')
  host "cat /sys/firmware/efi/efivars/Boot${first^^}-*" | tr -d '\0' | grep -aq domsmith || die "the firmware would start Boot${first^^} first"
fi
! host 'touch /usr/probe' 2>/dev/null || die "the root can be written to"
for program in perl python3 apt-get dpkg qemu-system-i386 gcc man; do
  ! host "command -v $program" || die "$program is in the running root"
done
# The other slot is as large as what an installation writes, and holds nothing yet; nor is it active.
host '! test -e /dev/vg0/slot-b && lvchange --activate y vg0/slot-b && test -b /dev/vg0/slot-b' || die "the other slot"
printf 'dd-256-mib-seconds %s\n' "$(host 'TIMEFORMAT=%1R; time dd if=/dev/zero of=/dev/vg0/slot-b bs=1M count=256 conv=fsync status=none' 2>&1)" >>"$state/numbers"
{
  printf 'disk-gib %s\n' $(($(stat -c %s "$(disk_file DISK0)") >> 30))
  printf 'memory-mib %s\n' "$memory"
  printf 'installed-mib %s\n' $((($(made_size slot) + $(images_size) + $(host 'df -k /state' | awk 'END {print $3 * 1024}')) >> 20))
} >>"$state/numbers"
say "the guests on the installed system"
host domsmith guest list
say "passed"

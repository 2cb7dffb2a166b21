#!/bin/bash
# Another slot is written, tried once, and kept when the host is healthy; one that is not, and one that does not even start, give way to
# the slot before; rollback goes back by hand.
#   upgrade.sh --domsmith FILE [--uefi] [--keep]      exit status: 0, 1
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
# shellcheck source=SCRIPTDIR/scene.sh
source "$here/scene.sh"

# slot_without NAME FILE…: the medium's slot, packed again without these
slot_without() {
  local name=$1
  shift
  rm -rf -- "$state/tree" "$state/$name.squashfs"
  unsquashfs -q -n -d "$state/tree" "$state/good.squashfs" >/dev/null
  rm -f -- "${@/#/$state/tree/}"
  mksquashfs "$state/tree" "$state/$name.squashfs" -quiet -no-progress -comp gzip -Xcompression-level 1 >/dev/null
  rm -rf -- "$state/tree"
}

put_slot() { # NAME
  host_reading 'cat >/var/tmp/slot' <"$state/$1.squashfs"
}

# restart WHAT: until ssh answers again
restart() {
  wait_for_end 900 "the machine restarts: $1"
  start_machine host
  wait_for 900 "ssh answers" host true
}

slot() { host 'cat /proc/cmdline' | grep -o 'domsmith.slot=.' | tail -c 2; }
settled() { host 'systemctl is-active domsmith-slot.service'; }

iso=$state/upgrade.iso
sed '/^\[\[disk\]\]$/,$d' "$here/answer-raid.toml" >"$state/one.toml"
printf '[[disk]]\nserial = "DISK0"\n' >>"$state/one.toml"
make_medium "$state/one.toml" "$iso"
osirrox -indev "$iso" -extract /domsmith/slot.squashfs "$state/good.squashfs" >/dev/null 2>&1
slot_without unhealthy usr/lib/xen-4.17/bin/oxenstored
slot_without dead usr/lib/systemd/systemd
fresh_disks DISK0
install_from "$iso"
start_machine host
wait_for 900 "ssh answers" host true
[[ $(slot) == a ]] || die "the first slot is not a"

put_slot good
host domsmith host upgrade /var/tmp/slot --progress=plain || true
restart "a good slot is tried"
[[ $(slot) == b ]] || die "the new slot was not tried"
wait_for 900 "the new slot is kept" settled
host poweroff || true
wait_for_end 300 "powered off"
start_machine host
wait_for 900 "ssh answers" host true
[[ $(slot) == b ]] || die "the good slot was not kept"

host domsmith host rollback || true
restart "rollback"
[[ $(slot) == a ]] || die "rollback did not go back"
wait_for 900 "slot a is settled" settled

for name in unhealthy dead; do
  put_slot "$name"
  host domsmith host upgrade /var/tmp/slot --progress=plain || true
  wait_for_end 900 "the machine restarts: a slot that is $name is tried"
  start_machine try
  wait_for_end 900 "it gives up by itself"
  start_machine host
  wait_for 900 "ssh answers" host true
  [[ $(slot) == a ]] || die "the slot before did not come back"
  wait_for 900 "slot a is settled" settled
done
say "passed"

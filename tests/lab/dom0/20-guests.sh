#!/bin/bash
# The guests of 10-image.sh as Xen runs them: to the login prompt, with their own identity, and away again.
# shellcheck source=SCRIPTDIR/lib.sh
source "$(dirname -- "$0")/lib.sh"

# Three of the five: each boot costs a minute of emulation.
guests=(pv-1 pv-2 pvh-1)

start_guests() { domsmith guest start "$@"; }

xl_shows() {
  local name
  for name in "${guests[@]}"; do
    xl domid "$name"
    same "state of $name" running "$(guest "$name" '"running" if d["running"] else "not running"')"
  done
  same "type of pv-1" pv "$(guest pv-1 'd["domain"]["type"]')"
  same "type of pvh-1" pvh "$(guest pvh-1 'd["domain"]["type"]')"
  same "memory of pvh-1" 128 "$(guest pvh-1 'd["domain"]["memory_mib"]')"
}

# A PVH guest that QEMU's emulation of SVM loses (setup.sh says more) is started once more, and told of below.
logs_in() {
  if wait_login "$1"; then return; fi
  [[ $1 == pvh-* ]] || return 1
  if xl domid "$1"; then return 1; fi
  touch "/run/lost-$1"
  domsmith guest start "$1"
  wait_login "$1"
}

# Above the login prompt a guest of debian-minimal says who it is.
has_identity() {
  local name=$1 log=$consoles/guest-$1.log mac machine_id
  mac=$(grep -oiE '([0-9a-f]{2}:){5}[0-9a-f]{2}' "/etc/xen/$name.cfg" | head -n 1)
  machine_id=$(guest "$name" 'd.get("machine_id") or d["identity"]["machine_id"]')
  grep -a "hostname: $name" "$log"
  grep -a "machine-id: $machine_id" "$log"
  grep -ai "mac .*: $mac" "$log"
}

# Two guests with one DHCP identity would have been given one address. Who answers is the lab's own affair (dom0, or QEMU beyond the
# bridge), so it is the wire that is asked: "ADDRESS MAC" of each lease there was.
leases() { sort -u /run/leases; }

addresses_differ() {
  local i
  for ((i = 0; i < 60; i++)); do
    if (($(leases | wc -l) >= ${#guests[@]})); then
      break
    fi
    sleep 1
  done
  leases
  same "different addresses" "${#guests[@]}" "$(leases | cut -d' ' -f1 | sort -u | wc -l)"
}

running_ones_are_safe() {
  fails_with 1 "pv-1" domsmith guest reset pv-1
  fails_with 1 "pv-1" domsmith guest remove pv-1
  fails_with 1 "$image" domsmith image remove "$image" --store "$store"
  xl domid pv-1
}

xen_state() { xl list "$1" | tail -n 1 | tr -s ' ' | cut -d' ' -f5; } # "-b----", "--p---"

# Thresholds of a pool that is almost empty: what is done to guests at 95 % is done at 1 %. A pause of somebody else's stays.
watch_pauses() {
  local name
  ! systemctl is-active --quiet domsmith-watch || systemctl stop domsmith-watch # with thresholds of its own
  xl pause pv-2
  domsmith store watch --once --warn 1 --grow 1 --pause 1 --resume 0
  for name in "${guests[@]}"; do [[ $(xen_state "$name") == *p* ]]; done
  domsmith store watch --once --warn 1 --grow 100 --pause 100 --resume 0
  for name in "${guests[@]}"; do [[ $(xen_state "$name") == *p* ]]; done
  domsmith store watch --once
  [[ $(xen_state pv-1) != *p* && $(xen_state pvh-1) != *p* ]]
  [[ $(xen_state pv-2) == *p* ]]
  xl unpause pv-2
}

stop_guests() {
  local name
  domsmith guest stop --timeout 300 "${guests[@]}"
  for name in "${guests[@]}"; do
    if xl domid "$name" 2>/dev/null; then
      echo "$name still runs"
      return 1
    fi
    same "state of $name" stopped "$(guest "$name" '"running" if d["running"] else "stopped"')"
  done
}

# A mark in the clone's file system goes with a reset; who the guest is stays.
reset_guest() {
  local before after device=/dev/vg0/pv-1
  before=$(guest pv-1 '[d[k] for k in sorted(d) if k in ("uuid", "machine_id", "macs", "identity")]')
  lvchange -qq -ay -K vg0/pv-1
  debugfs -w -R 'mkdir /a-mark' "$device"
  lvchange -qq -an vg0/pv-1
  domsmith guest reset pv-1
  after=$(guest pv-1 '[d[k] for k in sorted(d) if k in ("uuid", "machine_id", "macs", "identity")]')
  same "identity" "$before" "$after"
  same "origin" "$image" "$(lv origin pv-1.fresh)"
  domsmith guest settle pv-1 --activate
  debugfs -R 'stat /a-mark' "$device" 2>&1 | grep 'not found'
  e2fsck -fn "$device"
  lvchange -qq -an vg0/pv-1
}

# The first of them had its identity already; this start writes it.
boots_after_reset() {
  domsmith guest reset pv-1
  same "pv-1 waits" True "$(guest pv-1 'd["identity_waits"]')"
  rm -f "$consoles/guest-pv-1.log"
  domsmith guest start pv-1
  wait_login pv-1
  has_identity pv-1
  domsmith guest stop --timeout 120 pv-1
}

remove_guests() {
  domsmith guest remove --all
  same "volumes" "$image" "$(volumes | xargs)"
  same "configs" "" "$(find /etc/xen -name '*.cfg')"
  same "guests" "" "$(domsmith guest list --json | json '[g["name"] for g in d["guests"]]')"
}

python3 -c "$(cat "$(dirname -- "$0")/leases.py")" >/run/leases &
listener=$!
trap 'kill "$listener"' EXIT
check "guest start" start_guests "${guests[@]}"
check "xl and domsmith show them running" xl_shows
for name in "${guests[@]}"; do
  check "$name boots to its login prompt in 128 MiB" logs_in "$name"
  check "$name shows its own host name, machine-id and MAC" has_identity "$name"
  [[ ! -e /run/lost-$name ]] || printf '# %s was lost before its login prompt and started once more\n' "$name"
done
check "each has an address of its own" addresses_differ
check "what runs is neither reset nor removed" running_ones_are_safe
check "the watch pauses what runs, and lets it go on" watch_pauses
check "guest stop" stop_guests
check "guest reset: back to the golden image, same identity" reset_guest
check "it boots after the reset" boots_after_reset
check "guest remove leaves nothing" remove_guests
finish

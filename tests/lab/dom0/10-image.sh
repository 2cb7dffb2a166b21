#!/bin/bash
# A golden image and its clones on a thin pool, as LVM itself sees them.
# shellcheck source=SCRIPTDIR/lib.sh
source "$(dirname -- "$0")/lib.sh"

doctor_is_content() {
  local report
  report=$(domsmith doctor --store "$store" --json || true)
  same "missing for the store and for guests" "" \
    "$(json '", ".join(c["name"] + ": " + c["text"] for c in d["checks"] if c["state"] == "missing" and c["area"] in ("store", "guests"))' <<<"$report")"
}

import_image() { domsmith image import "/run/payload/images/$image" --store "$store"; }

golden_is_sealed() {
  same "layout" "thin" "$(lv lv_layout "$image" | cut -d, -f1)"
  same "pool" "pool" "$(lv pool_lv "$image")"
  same "attributes" "Vri--" "$(lv lv_attr "$image" | cut -c1-5)"
  same "a second import" "$(volumes)" "$image"
  fails_with 1 "$image" domsmith image import "/run/payload/images/$image" --store "$store"
}

verify_image() { domsmith image verify "$image" --store "$store"; }

clone_guests() {
  domsmith clone "$image" --name pv --count 3 --template tiny-pv --store "$store"
  domsmith clone "$image" --name pvh --count 2 --template tiny --store "$store"
}

clones_are_snapshots() {
  local name
  for name in pv-1 pv-2 pv-3 pvh-1 pvh-2; do
    same "origin of $name" "$image" "$(lv origin "$name.fresh")"
    same "pool of $name" "pool" "$(lv pool_lv "$name.fresh")"
    # lv_permissions says "unknown" of a writable volume that is inactive; lvs(8) has this letter in lv_attr.
    same "attributes of $name" "Vwi--" "$(lv lv_attr "$name.fresh" | cut -c1-5)"
  done
  same "volumes" "$image pv-1.fresh pv-2.fresh pv-3.fresh pvh-1.fresh pvh-2.fresh" "$(volumes | xargs)"
  same "the golden image still" "Vri--" "$(lv lv_attr "$image" | cut -c1-5)"
}

configs_parse() {
  local name
  for name in pv-1 pv-2 pv-3 pvh-1 pvh-2; do
    xl create -n "/etc/xen/$name.cfg" >/dev/null
    grep -q "/dev/vg0/$name" "/etc/xen/$name.cfg"
  done
}

# The identity waits for the first start, and no way leads around domsmith to a guest without one.
xl_cannot_run_what_waits() {
  same "pv-3 waits" True "$(guest pv-3 'd["identity_waits"]')"
  fails_with 3 "/dev/vg0/pv-3" xl create /etc/xen/pv-3.cfg
  vgchange -qq -ay -K vg0 # whoever activates everything by hand
  fails_with 3 "/dev/vg0/pv-3" xl create /etc/xen/pv-3.cfg
  if xl domid pv-3; then return 1; fi
  lvs --noheadings -o lv_full_name -S 'lv_name =~ "[.]fresh$" || lv_name = debian-minimal' | xargs lvchange -qq -an
}

nothing_is_shared() {
  local list key
  list=$(domsmith guest list --json)
  for key in machine_id uuid; do
    same "different $key" 5 "$(json "len({g.get('$key') or g['identity']['$key'] for g in d['guests']})" <<<"$list")"
  done
  same "different MACs in /etc/xen" 5 "$(grep -ohiE '00:16:3e(:[0-9a-f]{2}){3}' /etc/xen/*.cfg | sort -u | wc -l)"
}

errors_are_clear() {
  fails_with 1 "nosuch" domsmith clone nosuch --name x --store "$store"
  fails_with 1 "pv-1" domsmith clone "$image" --name pv-1 --store "$store"
  fails_with 1 "vg9" domsmith clone "$image" --name x --store lvm:vg9/pool
  fails_with 1 "tinyy" domsmith clone "$image" --name x --template tinyy --store "$store"
}

check "doctor finds all that the store and guests need" doctor_is_content
check "image import into the thin pool" import_image
check "LVM shows the golden image: thin, read-only, inactive" golden_is_sealed
# Reading it all is slow in here, and the same on every store.
[[ -z ${ALL:-} ]] || check "image verify finds nothing wrong" verify_image
check "clone 3 PV and 2 PVH guests" clone_guests
check "LVM shows thin snapshots of the golden image" clones_are_snapshots
check "xl reads the configs" configs_parse
check "xl cannot run a clone that waits for its identity" xl_cannot_run_what_waits
check "no two guests share an identity" nothing_is_shared
check "errors say what is wrong" errors_are_clear
finish

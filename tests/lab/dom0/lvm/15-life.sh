#!/bin/bash
# What becomes of guests on LVM: promote, rebase and resize, of guests that wait for their identity and of others, each done once and
# then killed at fail points: after recover the guest is as it was or as it was to be, and has its identity.
# shellcheck source=SCRIPTDIR/../lib.sh
source "$(dirname -- "$0")/../lib.sh"
# shellcheck source=SCRIPTDIR/killing.sh
source "$(dirname -- "$0")/killing.sh"

promote_one() { domsmith guest promote k-1 silver; }
to_silver() { domsmith guest rebase k-1 k-2 --image silver --force; }
to_first() { domsmith guest rebase k-1 k-2 --image "$image" --force; }
grow() { domsmith guest resize k-1 "$((mib + 512))MiB"; }
shrink() { domsmith guest resize k-1 "${mib}MiB"; }

size_of() { echo $(($(lvs --noheadings --nosuffix --units b -o lv_size "vg0/$1") / 1048576)); }
image_of() { guest "$1" 'd["image"]'; }
origin_of() { lvs --noheadings -o origin "$(lvs --noheadings -o vg_name,lv_name --separator / vg0 | xargs -n1 | grep -E "/$1(.fresh)?$")" | xargs; }
waits() { guest "$1" 'd["identity_waits"]'; }

promoted_while_fresh() {
  same "k-1 waits" True "$(waits k-1)"
  promote_one
  has_identity k-1
  same "the image's host name" silver "$(look silver 'cat /etc/hostname')"
  same "the image's machine-id" "" "$(look silver 'cat /etc/machine-id')"
}

look() { # VOLUME COMMAND: of debugfs
  lvchange -qq -ay -K "vg0/$1"
  debugfs -R "$2" "/dev/vg0/$1" 2>/dev/null
  lvchange -qq -an "vg0/$1"
}

rebased() {
  to_silver
  same "image of k-2" silver "$(image_of k-2)"
  same "origin of k-2" silver "$(origin_of k-2)"
  domsmith guest settle k-1 k-2
  has_identity k-1
  has_identity k-2
  to_first
  same "origin of k-2" "$image" "$(origin_of k-2)"
}

# A chunk for what is written, not more than the identity's few beside it.
changes_told() {
  local before
  domsmith guest settle k-2
  before=$(changed k-2)
  ((before > 0 && before < 1048576))
  lvchange -qq -ay -K vg0/k-2
  debugfs -w -R 'write /etc/services /root/services' /dev/vg0/k-2
  lvchange -qq -an vg0/k-2
  (($(changed k-2) > before))
  same "files" "1: /root/services" "$(domsmith guest changes k-2 --files --json | json '"{}: {}".format(d["guests"][0]["files"], d["guests"][0]["first_files"][0])')"
  same "at its reset" "$(changed k-2)" "$(domsmith guest reset k-2 --changes --json | json 'd["changes"][0]["bytes"]')"
  same "a fresh one" 0 "$(changed k-2)"
}

changed() { domsmith guest changes "$1" --json | json 'd["guests"][0]["bytes"]'; }

resized_while_fresh() {
  same "k-1 waits" True "$(waits k-1)"
  grow
  same "size" "$((mib + 512))" "$(size_of k-1)"
  has_identity k-1
  shrink
  same "size" "$mib" "$(size_of k-1)"
  has_identity k-1
  domsmith guest reset k-1
}

kill_promote() {
  killed "$1" promote_one
  recover_is_thorough
  if domsmith image show silver >/dev/null 2>&1; then
    domsmith image verify silver
    domsmith image remove silver
  fi
  domsmith guest settle k-1
  has_identity k-1
  domsmith audit
}

kill_rebase() { # POINT VERB
  killed "$1" "$2"
  recover_is_thorough
  local name
  for name in k-1 k-2; do
    is_one_of "$(image_of "$name")" silver "$image"
    same "origin of $name" "$(image_of "$name")" "$(origin_of "$name")"
  done
  same "image of k-2" "$(image_of k-1)" "$(image_of k-2)"
  domsmith guest settle k-1 k-2
  has_identity k-1
  has_identity k-2
  domsmith audit
  to_first
}

kill_resize() { # POINT VERB
  killed "$1" "$2"
  recover_is_thorough
  domsmith guest settle k-1
  is_one_of "$(size_of k-1)" "$mib" "$((mib + 512))"
  has_identity k-1
  domsmith audit
  if [[ $(size_of k-1) != "$mib" ]]; then shrink; fi
}

check "the image is in the thin pool" have_image
check "clone of two" domsmith clone "$image" --name k --count 2 --template tiny-pv --store "$store"
mib=$(size_of k-1.fresh)
check "promote of a guest that waits for its identity" promoted_while_fresh
check "rebase there and back" rebased
check "what a guest has changed is told" changes_told
check "grow and shrink of a guest that waits for its identity" resized_while_fresh
domsmith guest settle k-1 k-2 >/dev/null 2>&1
rebase_points=$(points to_silver)
to_first >/dev/null 2>&1
for point in $rebase_points; do check "rebase killed at $point" kill_rebase "$point" to_silver; done
domsmith image remove silver >/dev/null 2>&1
domsmith guest settle k-1 k-2 >/dev/null 2>&1
promote_points=$(points promote_one)
domsmith image remove silver >/dev/null 2>&1
for point in $promote_points; do check "promote killed at $point" kill_promote "$point"; done
grow_points=$(points grow)
domsmith guest settle k-1 >/dev/null 2>&1
shrink_points=$(points shrink)
check "the verbs pass fail points" test -n "$rebase_points" -a -n "$promote_points" -a -n "$grow_points" -a -n "$shrink_points"
for point in $grow_points; do check "grow killed at $point" kill_resize "$point" grow; done
grow >/dev/null 2>&1
for point in $shrink_points; do
  check "shrink killed at $point" kill_resize "$point" shrink
  grow >/dev/null 2>&1
done
domsmith guest remove k-1 k-2 >/dev/null 2>&1
check "nothing is left" domsmith audit
finish

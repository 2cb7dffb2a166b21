#!/bin/bash
# Killed at each fail point of clone, settle, reset and remove on LVM: after recover the thing is absent or complete, and a second
# recover finds nothing to do. tests/faults does the same for every point on the other stores; here it is LVM's turn.
# shellcheck source=SCRIPTDIR/../lib.sh
source "$(dirname -- "$0")/../lib.sh"
# shellcheck source=SCRIPTDIR/killing.sh
source "$(dirname -- "$0")/killing.sh"

make_two() { domsmith clone "$image" --name k --count 2 --template tiny-pv --store "$store"; }
settle_two() { domsmith guest settle k-1 k-2; }
reset_two() { domsmith guest reset k-1 k-2; }
remove_two() { domsmith guest remove k-1 k-2; }

kill_clone() {
  killed "$1" make_two
  recover_is_thorough
  is_one_of "$(footprint)" "$absent" "$complete"
  if [[ $(footprint) == "$complete" ]]; then remove_two; fi
}

kill_reset() {
  killed "$1" reset_two
  recover_is_thorough
  same "after a reset" "$complete" "$(footprint)"
}

# Each has its identity or waits for it, and what waits can have it.
kill_settle() {
  local name
  killed "$1" settle_two
  recover_is_thorough
  for name in k-1 k-2; do
    [[ $(guest "$name" 'd["identity_waits"]') == True ]] || has_identity "$name"
  done
  settle_two
  for name in k-1 k-2; do
    same "$name waits" False "$(guest "$name" 'd["identity_waits"]')"
    has_identity "$name"
  done
  reset_two
  same "after a reset" "$complete" "$(footprint)"
}

kill_remove() {
  killed "$1" remove_two
  recover_is_thorough
  is_one_of "$(footprint)" "$absent" "$complete"
  if [[ $(footprint) == "$absent" ]]; then make_two; fi
}

# Dying in recover, at each of its points, after one kill in the middle of a clone.
kill_recover() {
  local point
  killed "$1" make_two
  for point in $(points_of_recover "$1"); do
    DOMSMITH_FAIL=$point domsmith recover >/dev/null 2>&1 || true
  done
  recover_is_thorough
  is_one_of "$(footprint)" "$absent" "$complete"
  if [[ $(footprint) == "$complete" ]]; then remove_two; fi
}

points_of_recover() {
  local trace
  trace=$(mktemp)
  DOMSMITH_FAIL_TRACE=$trace domsmith recover >/dev/null
  sort -u "$trace"
  rm -f "$trace"
  killed "$1" make_two
}

check "the image is in the thin pool" have_image
absent=$(footprint)
clone_points=$(points make_two)
complete=$(footprint)
settle_points=$(points settle_two)
reset_points=$(points reset_two)
remove_points=$(points remove_two)
check "the verbs pass fail points" test -n "$clone_points" -a -n "$settle_points" -a -n "$reset_points" -a -n "$remove_points"
for point in $clone_points; do check "clone killed at $point" kill_clone "$point"; done
point=$(sed -n "$(($(wc -l <<<"$clone_points") / 2 + 1))p" <<<"$clone_points")
check "recover killed at each of its points, after clone died at $point" kill_recover "$point"
make_two >/dev/null 2>&1
for point in $settle_points; do check "settle killed at $point" kill_settle "$point"; done
for point in $reset_points; do check "reset killed at $point" kill_reset "$point"; done
for point in $remove_points; do check "remove killed at $point" kill_remove "$point"; done
remove_two >/dev/null 2>&1
check "nothing is left" same footprint "$absent" "$(footprint)"
finish

#!/bin/bash
# Images whose trees are no work of Debian's apt: out of a tar, from the disk of another machine, and Ubuntu's where the host
# could build it. As PV and as PVH guests.
# shellcheck source=SCRIPTDIR/lib.sh
source "$(dirname -- "$0")/lib.sh"

sources=(from-tar imported)
[[ ! -e /run/payload/images/ubuntu-minimal ]] || sources+=(ubuntu-minimal)

import_each() {
  local one
  for one in "${sources[@]}"; do domsmith image import "/run/payload/images/$one" --store "$store"; done
}

clone_each() {
  local one
  for one in "${sources[@]}"; do
    domsmith clone "$one" --name "$one-pv" --template tiny-pv --store "$store"
    domsmith clone "$one" --name "$one-pvh" --template tiny --store "$store"
  done
}

# Its console says its own name: it has its identity, its root file system, and a login on hvc0.
boots() {
  domsmith guest start "$1"
  wait_login "$1"
  same "type of $1" "${1##*-}" "$(guest "$1" 'd["domain"]["type"]')"
  domsmith guest stop --timeout 300 "$1"
}

remove_each() {
  domsmith guest remove "${sources[@]/%/-pv}" "${sources[@]/%/-pvh}"
  local one
  for one in "${sources[@]}"; do domsmith image remove "$one" --store "$store"; done
}

check "image import of each" import_each
check "clones of them, PV and PVH" clone_each
for one in "${sources[@]}"; do
  check "$one boots as a PV guest" boots "$one-pv"
  check "$one boots as a PVH guest" boots "$one-pvh"
done
check "they go again" remove_each
finish

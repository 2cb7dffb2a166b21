#!/bin/bash
# The contract that every toolstack passes, on Xen with PV and PVH guests, and what only Xen shows.
# shellcheck source=SCRIPTDIR/lib.sh
source "$(dirname -- "$0")/lib.sh"

# A boot costs a minute in here: tests/lab/dom0/20-guests.sh has those. A domain that is made and destroyed costs a quarter of one, so that
# a PVH guest, slower than a PV one under emulation, passes only what differs with its type. --all runs each.
xen_contract() {
  local boots='*AGuestPowersOff*:*AReboot*:*WhoPowersOff*:*APreserved*' filter='*'
  local of_pvh='*AGuestRuns*/pvh:*TheDomainIsTheOne*/pvh:*WhatIsNoDomain*/pvh:*MoreMemory*/pvh'
  [[ -n ${ALL:-} ]] || filter="*/pv:$of_pvh-$boots"
  DOMSMITH_TEST_XEN="$(boot_file kernel) $(boot_file initrd) /dev/vg0/contract xenbr0" gtest toolstack_contract_xen "$filter"
}

boot_file() { find /var/lib/domsmith/boot -name "$1-*" | head -n 1; }

make_disk() {
  domsmith clone "$image" --name contract --template tiny --settle --store "$store"
  lvchange -qq -ay -K vg0/contract
}

remove_disk() {
  lvchange -qq -an vg0/contract
  domsmith guest remove contract
}

check "toolstack_contract_xen is on the payload disk" test -x "$tests/toolstack_contract_xen"
check "a disk for the toolstack's contract" make_disk
check "the toolstack's contract on Xen" xen_contract
check "the disk goes again" remove_disk
finish

#!/bin/bash
# The contract that every store passes, on LVM with a thin pool and without one, and what only LVM shows.
# shellcheck source=SCRIPTDIR/../lib.sh
source "$(dirname -- "$0")/../lib.sh"

# lvm_contract STORE [FILTER]
lvm_contract() { DOMSMITH_TEST_ALL=${ALL:-} DOMSMITH_TEST_LVM=$1 gtest store_contract_lvm "${2:-*}"; }

# What differs from a thin pool, unless --all asks for the rest too.
classic=
[[ -n ${ALL:-} ]] || classic='*/LvmLab.*:*.AGolden*:*.Clones*:*.Reset*:*.AnActivated*:*.Recovery*'

check "store_contract_lvm is on the payload disk" test -x "$tests/store_contract_lvm"
check "the store's contract on a thin pool" lvm_contract lvm:vg0/pool
check "the store's contract on a volume group without a pool" lvm_contract lvm:vg1 "$classic"
finish

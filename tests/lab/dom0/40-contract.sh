#!/bin/bash
# The contract that every store passes, on LVM itself: a thin pool, and a volume group without one.
# shellcheck source=SCRIPTDIR/lib.sh
source "$(dirname -- "$0")/lib.sh"

contract() { # STORE
  DOMSMITH_TEST_STORE=$1 "/payload/tests/store_contract_test" --gtest_brief=1 --gtest_filter='*Lvm*'
}

if [[ -x /payload/tests/store_contract_test ]]; then
  check "the contract on a thin pool" contract lvm:vg0/pool
  check "the contract on a volume group without a pool" contract lvm:vg1
fi
finish

#!/bin/bash
# The contracts that every store and every toolstack pass, on the real ones: LVM with a thin pool and without, Xen with PV and PVH
# guests. Plus what only the real ones show.
# shellcheck source=SCRIPTDIR/lib.sh
source "$(dirname -- "$0")/lib.sh"

tests=/payload/tests

# gtest PROGRAM FILTER: the program's tests that fit; where none ran, or all were skipped, that is a failure.
gtest() {
  local report
  report=$(mktemp -d)
  "$tests/$1" --gtest_brief=1 --gtest_filter="$2" "--gtest_output=json:$report/report.json"
  python3 - "$report/report.json" <<'PYTHON'
import json, sys
cases = [case for suite in json.load(open(sys.argv[1]))["testsuites"] for case in suite["testsuite"]]
ran = [case for case in cases if case["status"] == "RUN" and case["result"] == "COMPLETED"]
print(f"{len(ran)} of {len(cases)} tests ran")
sys.exit(0 if ran else "no test ran")
PYTHON
  rm -rf "$report"
}

# lvm_contract STORE [FILTER]
lvm_contract() { DOMSMITH_TEST_ALL=${ALL:-} DOMSMITH_TEST_LVM=$1 gtest store_contract_lvm "${2:-*}"; }

# What differs from a thin pool, unless --all asks for the rest too.
classic=
[[ -n ${ALL:-} ]] || classic='*/LvmLab.*:*.AGolden*:*.Clones*:*.Reset*:*.AnActivated*:*.Recovery*'

# A boot costs a minute in here: tests/lab/dom0/20-guests.sh has those; --all runs each.
xen_contract() {
  local boots='*AGuestPowersOff*:*AReboot*:*WhoPowersOff*:*APreserved*' filter='*'
  [[ -n ${ALL:-} ]] || filter="*-$boots"
  DOMSMITH_TEST_XEN="$(boot_file kernel) $(boot_file initrd) /dev/vg0/contract xenbr0" gtest toolstack_contract_xen "$filter"
}

boot_file() { find /var/lib/domsmith/boot -name "$1-*" | head -n 1; }

make_disk() {
  domsmith clone "$image" --name contract --template tiny --store "$store"
  lvchange -qq -ay -K vg0/contract
}

remove_disk() {
  lvchange -qq -an vg0/contract
  domsmith guest remove contract
}

for program in store_contract_lvm toolstack_contract_xen; do
  check "$program is on the payload disk" test -x "$tests/$program"
done
check "the store's contract on a thin pool" lvm_contract lvm:vg0/pool
check "the store's contract on a volume group without a pool" lvm_contract lvm:vg1 "$classic"
check "a disk for the toolstack's contract" make_disk
check "the toolstack's contract on Xen" xen_contract
check "the disk goes again" remove_disk
finish

#!/bin/bash
# The lab tests: one boot of the lab, all checks of tests/lab/dom0 in it, or without Xen those of tests/lab/dom0/lvm, which
# need LVM alone and are several times quicker there. ctest runs both; the output is TAP with times.
set -euo pipefail
shopt -s inherit_errexit

lab_dir=$(dirname -- "$(realpath -- "$0")")

show_help() {
  cat <<'HELP'
usage: checks.sh [--debian | --without-xen] [--domsmith FILE] [--tests FOLDER] [--keep] [--all] [PIECE...]

  --debian          on a Debian that runs Xen, not on the hypervisor
  --without-xen     pieces of dom0/lvm, on Debian's kernel alone
  --domsmith FILE   the program under test
  --tests FOLDER    where the test programs are that also run in dom0
  --keep            leave the lab up afterwards
  --all             the long way: every fail point and every test of the contracts, not a choice of them (an hour)
  PIECE             only these: 10-image lvm/10-kills ... (default: 10-image 20-guests 30-toolstack, without Xen lvm/10-kills; with --all all there are)
HELP
}

keep=
all=
tests=
name=checks
folder=
up=(--tools)
pieces=()
while (($# > 0)); do
  case $1 in
    --domsmith) export DOMSMITH=${2:?--domsmith needs a file}; shift 2 ;;
    --tests) tests=${2:?--tests needs a folder}; shift 2 ;;
    --all) all=yes; shift ;;
    --debian) name=checks-debian; up=(--debian); shift ;;
    --without-xen) name=checks-lvm; folder=lvm/; up=(--without-xen); shift ;;
    --keep) keep=yes; shift ;;
    --help) show_help; exit ;;
    -*) show_help >&2; exit 2 ;;
    *) pieces+=("$1"); shift ;;
  esac
done
if ((${#pieces[@]} == 0)) && [[ -n $folder ]]; then
  # The store's contract runs in User Mode Linux as well, in less time (tests/unit/stores/run_on_lvm.sh).
  pieces=(lvm/10-kills)
  [[ -z $all ]] || pieces+=(lvm/15-life lvm/20-contract lvm/bad-days)
elif ((${#pieces[@]} == 0)); then
  pieces=(10-image 20-guests 30-toolstack)
  [[ -z $all ]] || pieces+=(15-sources)
fi

# A state of its own: the lab that a person has up stays as it is.
cache=${DOMSMITH_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/domsmith/lab}
lab() { "$lab_dir/lab" --state "$cache/$name" "$@"; }

# An image out of a tar, one from a disk, and Ubuntu's where this host has its archive key, as `image export` writes them:
# FOLDER/out/NAME
make_sources() {
  local folder=$1 domsmith=${DOMSMITH:-$lab_dir/../../build/release/bin/domsmith} name
  local place=(--store "dir:$folder/store" --root "$folder/root")
  "$lab_dir/../recipes/make_inputs.sh" "$folder" --without-packages
  "$domsmith" build "$folder/from-tar.toml" "${place[@]}"
  "$domsmith" image import "$folder/disk.qcow2" --format qcow2 --name imported "${place[@]}"
  if [[ -e /usr/share/keyrings/ubuntu-archive-keyring.gpg ]]; then
    "$domsmith" build "$lab_dir/../../rootfs-recipes/ubuntu-minimal.toml" "${place[@]}"
    sources+=(ubuntu-minimal)
  fi
  for name in "${sources[@]}"; do "$domsmith" image export "$name" --output "$folder/out/$name" "${place[@]}"; done
}

end_lab() {
  local status=$?
  trap - EXIT
  if [[ -z $keep ]]; then lab down; fi
  [[ -z ${made:-} ]] || rm -rf -- "$made"
  exit "$status"
}

image=$("$lab_dir/lab" image "$lab_dir/../../rootfs-recipes/debian-minimal.toml")
with=(--with "$image=images/debian-minimal")
for program in store_contract_lvm toolstack_contract_xen; do
  [[ ! -x $tests/$program ]] || with+=(--with "$tests/$program=tests/$program")
done
if [[ " ${pieces[*]} " == *" 15-sources "* ]]; then
  made=$(mktemp -d -p /var/tmp)
  sources=(from-tar imported)
  make_sources "$made"
  for name in "${sources[@]}"; do with+=(--with "$made/out/$name=images/$name"); done
fi
trap end_lab EXIT
trap 'exit 130' INT TERM
lab down
lab up "${up[@]}" "${with[@]}"

failed=()
for piece in "${pieces[@]}"; do
  printf '# %s\n' "$piece"
  lab run --limit "${DOMSMITH_LAB_PIECE_LIMIT:-1200}" "ALL=$all LOGIN_LIMIT=${DOMSMITH_LAB_LOGIN_LIMIT:-600} bash /run/payload/lab/$piece.sh" </dev/null || failed+=("$piece")
  lab status >/dev/null || { printf 'Bail out! the lab ended during %s\n' "$piece"; exit 1; }
done
if ((${#failed[@]} > 0)); then
  printf '# failed: %s; the console log is %s\n' "${failed[*]}" "$cache/$name/serial.log"
  exit 1
fi
printf '# all pieces passed\n'

#!/bin/bash
# RAID 1 over two disks: foreign data is refused, a power cut in the middle of an installation leaves a machine that a second try
# installs, and the host starts from either disk alone.
#   raid.sh --domsmith FILE [--uefi] [--usb] [--keep]      exit status: 0, 1
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
# shellcheck source=SCRIPTDIR/scene.sh
source "$here/scene.sh"

iso=$state/raid.iso
make_medium "$here/answer-raid.toml" "$iso"
size=$(($(stat -c %s "$iso") >> 20))
printf 'iso-mib %s\n' "$size"
((size <= 72)) || die "the ISO has $size MiB"

fresh_disks DISK0 DISK1
mkfs.ext4 -q -F -L precious "$(disk_file DISK1)"
before=$(stat -c %y "$(disk_file DISK1)")
medium_arguments "$iso"
start_machine install "${medium[@]}"
wait_for 900 "a disk with somebody's data is refused" grep -aq 'domsmith\[.*is not empty: .*ext4.*precious' "$state/install.log"
stop_machine
[[ $(stat -c %y "$(disk_file DISK1)") == "$before" ]] || die "the disk with somebody's data is another one now"
[[ $(od -An -tx1 -N1048576 "$(disk_file DISK0)" | tr -d ' 0*\n') == "" ]] || die "the empty disk was written to"

fresh_disks DISK0 DISK1
start_machine install "${medium[@]}"
wait_for 900 "the slot is being written" grep -aq 'domsmith\[.*step 4 of 9' "$state/install.log"
stop_machine
say "the power is cut"
install_from "$iso"

# state_of_array: "[UU]", "[U_]", "[_U]"
state_of_array() { host 'cat /proc/mdstat' | grep -o '\[[U_]*\]$'; }

start_machine host
wait_for 900 "ssh answers" host true
[[ $(state_of_array) == "[UU]" ]] || die "the array is not whole"
power_off

disks=(DISK1)
start_machine host
wait_for 900 "ssh answers, with one disk" host true
[[ $(state_of_array) == "[_U]" ]] || die "the array is not degraded"
wait_for 900 "the host has started, with one disk" host 'systemctl is-active multi-user.target'
host 'touch /etc/probe && sync /etc/probe' || die "the host's own files cannot be written"
say "passed"

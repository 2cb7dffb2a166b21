#!/bin/bash
# A host with fixed addresses, a bond and a VLAN. Another slot is written, tried once, and kept when the host is healthy; a power cut while
# it is written changes nothing; those that are not healthy, and one that does not even start, give way to the slot before; rollback goes
# back by hand.
#   upgrade.sh --domsmith FILE [--uefi] [--keep]      exit status: 0, 1
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
# shellcheck source=SCRIPTDIR/scene.sh
source "$here/scene.sh"

# slot_without NAME FILE…: the medium's slot, packed again without these
slot_without() {
  local name=$1
  shift
  rm -rf -- "$state/tree" "$state/$name.squashfs"
  unsquashfs -q -n -d "$state/tree" "$state/good.squashfs" >/dev/null
  # shellcheck disable=SC2048,SC2086 # they are patterns
  (cd "$state/tree" && rm -- $*) || die "the slot has no $*"
  mksquashfs "$state/tree" "$state/$name.squashfs" -quiet -no-progress -comp gzip -Xcompression-level 1 >/dev/null
  rm -rf -- "$state/tree"
}

put_slot() { # NAME
  host_reading 'cat >/var/tmp/slot' <"$state/$1.squashfs"
}

# restart WHAT: until ssh answers again
restart() {
  wait_for_end 900 "the machine restarts: $1"
  start_machine host
  wait_for 900 "ssh answers" host true
}

slot() { host 'cat /proc/cmdline' | grep -o 'domsmith.slot=.' | tail -c 2; }
settled() { host 'systemctl is-active domsmith-slot.service'; }

sees() { # WHAT WORDS COMMAND: the host's words, among what it prints
  host "$3" >"$state/seen" || true
  grep -q -- "$2" "$state/seen" || { cat "$state/seen"; die "$1"; }
}

# went_out BYTES: by one of the two cards of the bond, in hexadecimal
went_out() {
  python3 -c 'import sys; sys.exit(not any(bytes.fromhex(sys.argv[1]) in open(f, "rb").read() for f in sys.argv[2:]))' \
    "$1" "$state/card1.pcap" "$state/card2.pcap"
}

check_networks() {
  sees "the fixed IPv4 address" 'inet 10\.0\.2\.15/24' 'ip addr show xenbr0'
  sees "the fixed IPv6 address" 'inet6 fec0::15/64' 'ip addr show xenbr0'
  sees "the router" 'default via 10\.0\.2\.2 dev xenbr0' 'ip route'
  sees "the IPv6 router" 'default via fec0::2 dev xenbr0' 'ip -6 route'
  sees "the name server" 'nameserver 10\.0\.2\.3' 'cat /etc/resolv.conf'
  sees "the address on the VLAN" 'inet 192\.0\.2\.10/24' 'ip addr show guests'
  sees "the VLAN on the bond" 'vlan12@bond-guests: .* master guests .* vlan protocol 802.1Q id 12 ' 'ip -d -o link show vlan12'
  sees "LACP" 'Bonding Mode: IEEE 802.3ad' 'cat /proc/net/bonding/bond-guests'
  [[ $(grep -c '^Slave Interface: ' "$state/seen") == 2 ]] || die "the bond has not both cards"
  [[ $(grep -c '^MII Status: up' "$state/seen") == 3 ]] || die "the bond is not up"
  wait_for 60 "the bond looks for its partner" went_out 0180c2000002
  # Somebody who is not there is asked for: a broadcast, in the VLAN.
  host 'echo x >/dev/udp/192.0.2.1/9' || true
  wait_for 60 "what goes out on the bridge of the guests is in its VLAN" went_out 8100000c0806
}

iso=$state/upgrade.iso
# A bond speaks LACP only on cards that know their speed.
for card in 1 2; do
  cards+=(-netdev "user,id=net$card,restrict=on" -device "virtio-net-pci,netdev=net$card,mac=52:54:00:00:00:0$card,speed=1000,duplex=full,romfile="
    -object "filter-dump,id=dump$card,netdev=net$card,file=$state/card$card.pcap")
done
make_medium "$here/answer-networks.toml" "$iso"
osirrox -indev "$iso" -extract /domsmith/slot.squashfs "$state/good.squashfs" >/dev/null 2>&1
slot_without unhealthy usr/lib/xen-4.17/bin/oxenstored
slot_without bridgeless 'usr/lib/modules/*/kernel/net/bridge/bridge.ko*'
slot_without dead usr/lib/systemd/systemd
fresh_disks DISK0
install_from "$iso"
start_machine host
wait_for 900 "ssh answers" host true
[[ $(slot) == a ]] || die "the first slot is not a"
check_networks

put_slot good
host domsmith host upgrade /var/tmp/slot --progress=plain >"$state/cut.log" 2>&1 &
upgrade=$!
wait_for 300 "the new slot is being written" grep -q 'slot' "$state/cut.log"
stop_machine
wait "$upgrade" || true
say "the power is cut"
! grep -q 'is written' "$state/cut.log" || die "the upgrade was over before"
start_machine host
wait_for 900 "ssh answers" host true
[[ $(slot) == a ]] || die "a slot that is half written was started"
wait_for 900 "slot a is settled" settled

put_slot good
host domsmith host upgrade /var/tmp/slot --progress=plain || true
restart "a good slot is tried"
[[ $(slot) == b ]] || die "the new slot was not tried"
wait_for 900 "the new slot is kept" settled
power_off
start_machine host
wait_for 900 "ssh answers" host true
[[ $(slot) == b ]] || die "the good slot was not kept"

host domsmith host rollback || true
restart "rollback"
[[ $(slot) == a ]] || die "rollback did not go back"
wait_for 900 "slot a is settled" settled

for name in bridgeless unhealthy dead; do
  put_slot "$name"
  host domsmith host upgrade /var/tmp/slot --progress=plain || true
  wait_for_end 900 "the machine restarts: a slot that is $name is tried"
  start_machine try
  wait_for_end 900 "it gives up by itself"
  start_machine host
  wait_for 900 "ssh answers" host true
  [[ $(slot) == a ]] || die "the slot before did not come back"
  wait_for 900 "slot a is settled" settled
done
say "passed"

#!/bin/bash
# An installation by hand: a person at the serial console answers the installer's questions, the host starts from its disk, and the person
# makes a first guest of the image that the medium carried, as docs/install.md says. The guest does not get into its host, is asked to
# power off when the host does, and comes back with it.
#   ask.sh --domsmith FILE [--uefi] [--usb] [--keep]      exit status: 0, 1
# What the person saw is kept in the file 'screens' of $DOMSMITH_ISO_STATE.
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
# shellcheck source=SCRIPTDIR/scene.sh
source "$here/scene.sh"

iso=$state/plain.iso
make_key
sed "s|@PORT@|$port|" "$here/neighbour.toml" >"$state/neighbour.toml"
"$domsmith" iso build --recipe "$state/neighbour.toml" -o "$iso" --root "$cache" --progress=none --json >"$state/medium.json" || die "iso build"
say "the medium is made"
fresh_disks DISK0
medium_arguments "$iso"
person=on start_machine install "${medium[@]}"
wait_for 60 "the serial port" test -S "$control/serial"
python3 "$here/person.py" "$control/serial" "$state/screens" 1800 <<END || die "the dialogue"
Install this machine	\r
disks (1 of 5)	\r
network cards (2 of 5)	\r
addresses (3 of 5)	\r\r\r
the host (4 of 5)	\x7f\x7f\x7f\x7fby-hand\r
> Key	$(<"$state/key.pub")\r
summary (5 of 5)	install\r
Any key: restart	x
END
say "the questions are answered"
wait_for_end 300 "the machine restarts"
start_machine host
wait_for 900 "ssh answers" host true
[[ $(host 'cat /etc/hostname') == by-hand ]] || die "the host has another name"
host 'xl info >/dev/null' || die "xl info"
host domsmith clone neighbour --name web --template tiny-pv --ssh-keys /etc/ssh/authorized_keys --autostart --progress=none || die "the clone"
host domsmith guest start web --progress=none || die "the guest's start"
console=/var/log/xen/console/guest-web.log
wait_for 1200 "the first guest has a login prompt" host "grep -aq 'web login:' $console"
wait_for 600 "the guest reaches the world" host "grep -aq 'look: the world is open' $console"
host "grep -aq 'look: the host is closed' $console" || die "the guest gets into its host"
power_off
start_machine host
wait_for 900 "ssh answers" host true
wait_for 1200 "the guest has come back by itself" host "grep -ac 'web login:' $console | grep -qx 2"
host "grep -aq 'systemd-shutdown.*: All filesystems unmounted' $console" || die "the guest was not asked to power off"
host "journalctl -b -1 -u domsmith-guests.service | grep -q 'asked to power off'" || die "the host did not stop its guests"
say "passed"

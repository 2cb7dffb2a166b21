#!/bin/bash
# Every entry of a medium's menu, chosen at the serial console: the live shell runs Xen and plans an installation; an answer file of the
# partition DOMSMITH installs, and a server is told of each step; rescue leaves the disk alone; an answer file behind a URL, typed into an
# entry, installs over what is there; the last entry starts the disk. (ask.sh chooses the remaining one.)
#   menu.sh --domsmith FILE [--uefi] [--usb] [--keep]      exit status: 0, 1
# What was seen is kept in the files 'screens-NAME' of $DOMSMITH_ISO_STATE.
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
# shellcheck source=SCRIPTDIR/scene.sh
source "$here/scene.sh"

answer() { # NAME FINISH WIPE FILE
  sed "s|@NAME@|$1|; s|@FINISH@|$2|; s|@WIPE@|$3|; s|@KEY@|$(<"$state/key.pub")|; s|@PORT@|$server_port|" "$here/answer-menu.toml" >"$4"
  "$domsmith" iso check-answer "$4" >/dev/null || die "the answer file"
}

down='\x1b[B'

# at_menu NAME: starts the machine from the medium; a person follows what is read. What the machine has not taken yet is lost when the
# person leaves, so the last line waits for what the keys do.
at_menu() {
  person=on start_machine "$1" "${medium[@]}"
  wait_for 60 "the serial port" test -S "$control/serial"
  python3 "$here/person.py" "$control/serial" "$state/screens-$1" 600 || die "the person at the console: $1"
  say "$1: done"
}

# reported NAME: the installation of that host told of its start, of each step, of its end
reported() {
  python3 - "$1" "$state/reports" <<'END' || die "the reports of $1"
import json, sys
said = [d for d in map(json.loads, open(sys.argv[2], encoding="utf-8")) if d["host"] == sys.argv[1]]
assert [d["event"] for d in said] == ["start", *["step"] * 9, "end"], said
assert [d["step"] for d in said[1:-1]] == list(range(1, 10)), said
assert said[-1]["receipt"]["host"] == sys.argv[1] and len(said[-1]["receipt"]["slot"]["sha256"]) == 64, said[-1]
END
}

iso=$state/plain.iso
make_key
rm -f -- "$state/port" "$state/reports"
python3 "$here/server.py" "$state/answer.toml" "$state/reports" "$state/port" &
server=$!
trap 'kill "$server"; leave' EXIT
"$domsmith" iso build -o "$iso" --root "$cache" --progress=none --json >"$state/medium.json" || die "iso build"
say "the medium is made"
until [[ -s $state/port ]]; do
  kill -0 "$server" || die "the server"
  sleep 0.2
done
server_port=$(<"$state/port")
answer by-stick poweroff empty "$state/stick.toml"
answer by-url reboot named "$state/answer.toml"
fresh_disks DISK0
rm -f -- "$(disk_file STICK)"
truncate -s 16M "$(disk_file STICK)"
mformat -i "$(disk_file STICK)" -v DOMSMITH ::
mcopy -i "$(disk_file STICK)" "$state/stick.toml" ::answer.toml
disks=(DISK0 STICK)
medium_arguments "$iso"

at_menu live <<END
Install this machine	$down$down\r
root@host:	xl info >/run/xl && grep -c xen_version /run/xl && domsmith host inventory | grep DISK0 && echo inventory-\$((6*7))\r
inventory-42	mkdir /run/stick && mount LABEL=DOMSMITH /run/stick && domsmith host install --answer /run/stick/answer.toml --plan && echo plan-\$((6*7))\r
plan-42	\r
END
grep -q 'make .*partition 3 lvm' "$state/live.log" || die "the live shell prints no plan"
stop_machine
[[ $(od -An -tx1 "$(disk_file DISK0)" | tr -d ' 0*\n') == "" ]] || die "the live shell wrote to the disk"

at_menu install <<END
Install this machine	$down\r
(XEN)	
END
wait_for_end 900 "an answer file of a partition: the machine is installed, and off"
reported by-stick

at_menu rescue <<END
Install this machine	$down$down$down\r
Press Enter for maintenance	\r
root@host:	test ! -e /dev/vg0 && lvs vg0/state && ! systemctl is-active domsmith-guests && echo rescue-\$((6*7))\r
rescue-42	\r
END
stop_machine

# In GRUB's editor the kernel's line is the fifth: setparams, an empty one, echo, multiboot2, module2.
at_menu install <<END
Install this machine	${down}e
module2	$down$down$down$down\x05 domsmith.answer=http://10.0.2.2:$server_port/answer.toml\x18
(XEN)	
END
wait_for_end 900 "an answer file behind a URL: the machine is installed over what was there"
reported by-url

at_menu host <<END
Install this machine	$down$down$down$down\r
(XEN)	
END
wait_for 900 "ssh answers: the disk was started" host true
[[ $(host cat /etc/hostname) == by-url ]] || die "the host is another one"
host 'grep -q domsmith.slot=a /proc/cmdline' || die "the medium was started"
say "passed"

#!/bin/bash
# A medium without images: its sizes and counts keep to their budgets, its slot has none of what rules leave out, and the same inputs
# give the same bytes, with an image, too. No machine is started.
#   medium.sh --domsmith FILE      exit status: 0, 1
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
# shellcheck source=SCRIPTDIR/scene.sh
source "$here/scene.sh"

at_most() { # NAME VALUE MOST
  printf '%s %s, at most %s\n' "$@"
  (($2 <= $3)) || die "$1 is $2, more than $3"
}

fact() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2], {"d": d, "len": len}))' "$state/medium.json" "$1"; }

iso=$state/plain.iso
"$domsmith" iso build -o "$iso" --root "$cache" --progress=none --json >"$state/medium.json" || die "iso build"
at_most iso-bytes "$(fact 'd["size"]')" $((72 << 20))
at_most slot-bytes "$(fact 'd["slot"]["size"]')" $((64 << 20))
at_most packages "$(fact 'len(d["slot"]["packages"])')" 100

osirrox -indev "$iso" -extract /domsmith/slot.squashfs "$state/slot" >/dev/null 2>&1
unsquashfs -l "$state/slot" | sed 's|^squashfs-root||' >"$state/files"
for path in '/usr/bin/perl.*' '/usr/bin/python.*' '/usr/bin/apt.*' '/usr/bin/dpkg.*' '.*/qemu-system-.*' '/usr/bin/(gcc|cc|ld|as)' '/usr/bin/man' \
  '/usr/share/doc/.*' '/usr/share/man/.*' '/usr/share/locale/.*' '/usr/lib/modules/.*/sound/.*' '/etc/ssh/ssh_host_.*' \
  '/usr/lib/udev/rules.d/(55-dm|56-lvm|60-persistent-storage-dm|69-lvm|95-dm-notify)\.rules'; do
  ! grep -xE "$path" "$state/files" || die "the slot has $path"
done
for path in /usr/sbin/sshd /usr/bin/domsmith /usr/sbin/thin_check /usr/libexec/domsmith/end-machine /boot/xen.gz /boot/kernel /boot/initrd.img; do
  grep -qxF "$path" "$state/files" || die "the slot has no $path"
done
"$domsmith" iso verify "$iso" --root "$cache" --progress=none || die "the same inputs gave other bytes"

# Where it was installed it has all that a medium is made of.
installed=$state/installed
cmake --install "$(dirname -- "$domsmith")/.." --prefix "$installed" >/dev/null || die "cmake --install"
"$installed/bin/domsmith" iso slot -o "$state/slot.installed" --root "$cache" --progress=none >/dev/null || die "iso slot, of the installed program"
cmp "$state/slot" "$state/slot.installed" || die "the installed program makes another slot"

carrying=$state/carrying.iso
"$domsmith" iso build --recipe debian-minimal -o "$carrying" --root "$cache" --progress=none --json >"$state/medium.json" || die "iso build --recipe"
[[ $(fact 'd["images"]') == "['debian-minimal']" ]] || die "the medium carries $(fact 'd["images"]')"
"$domsmith" iso verify "$carrying" --recipe debian-minimal --root "$cache" --progress=none || die "the same inputs, an image among them, gave other bytes"
! "$domsmith" iso verify "$carrying" --root "$cache" --progress=none || die "other inputs passed for the same"
say "passed"

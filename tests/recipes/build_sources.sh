#!/bin/bash
# Builds each recipe of rootfs-recipes/sources from inputs made on the spot, imports a disk, and looks at what came out.
#   build_sources.sh DOMSMITH [FOLDER]      FOLDER: where the inputs are made, and left; default: a temporary one
# Wants root (the trees' files belong to many users); says so and skips without.
set -euo pipefail

domsmith=${1:?the program}
here=$(dirname -- "$(realpath -- "$0")")
if [[ $(id -u) != 0 ]]; then
  echo "skipped: needs root"
  exit 77
fi
work=${2:-$(mktemp -d -p /var/tmp)} # the builds have a /tmp of their own, in which file: URLs of this one lead nowhere
if [[ -z ${2:-} ]]; then trap 'rm -rf -- "$work"' EXIT; fi
place=(--store "dir:$work/store" --root "$work/root")
smith() { "$domsmith" "$@" "${place[@]}"; }

"$here/make_inputs.sh" "$work"

failed=0
result() { printf '%s %s\n' "$1" "$2"; if [[ $1 != ok ]]; then failed=1; fi; }
file_of() { debugfs -R "cat $2" "$work/images/$1.img" 2>/dev/null; }
# What has to be in an image, and what not: PATH=TEXT, !PATH
holds() {
  local name=$1 item
  shift
  smith image export "$name" --output "$work/images" >/dev/null
  for item in "$@"; do
    case $item in
      !*) if [[ -n $(file_of "$name" "${item#!}") ]]; then echo "$name still has ${item#!}"; return 1; fi ;;
      *) grep -q -- "${item#*=}" <(file_of "$name" "${item%%=*}") || { echo "$name has no ${item#*=} in ${item%%=*}"; return 1; } ;;
    esac
  done
}

made() { smith build "$work/$1.toml" && smith image verify "$1"; }
checked() {
  local name=$1 how=$2
  shift 2
  if "$how" "$name" && holds "$name" "$@"; then result ok "$name"; else result 'not ok' "$name"; fi
  rm -rf -- "$work/images"
}
imported() { smith image import "$work/disk.qcow2" --format qcow2 --name imported && smith image verify imported; }

packaged() { smith build "$work/$1.toml" --set "mirror=file://$work/signed/${1#from-}" && smith image verify "$1"; }
# A repository without signatures has to be refused, whatever it holds.
refused() {
  local said
  said=$(smith build "$work/$1.toml" --set "mirror=file://$work/unsigned/${1#from-}" 2>&1) && { echo "taken without a signature"; return 1; }
  grep -qi 'sign\|gpg' <<<"$said" || { echo "refused for another reason: $said"; return 1; }
}

for kind in rpm pacman; do
  if refused "from-$kind"; then result ok "unsigned $kind is refused"; else result 'not ok' "unsigned $kind"; fi
  checked "from-$kind" packaged '/usr/share/greeting/text=^hello$' '/etc/hostname=^from-'
  smith image show "from-$kind" --packages | grep -q '^greeting *1.2-3' || result 'not ok' "packages of $kind"
done
checked from-tar made '/etc/passwd=^deploy:' '/etc/hostname=^from-tar$' '/etc/fstab=^/dev/xvda / ext4'
checked from-oci made '/etc/second-layer=here' '!/etc/debian_version'
checked from-disk made '/etc/motd=moved here' '/etc/fstab=^/dev/xvda / ext4'
checked imported imported '/etc/fstab=^/dev/xvda / ext4' '/etc/fstab=^# .*swap' '/etc/fstab=^tmpfs' '!/etc/ssh/ssh_host_rsa_key'
smith image sbom from-tar >"$work/bill.json"
python3 -c 'import json, sys; b = json.load(open(sys.argv[1])); assert b["bomFormat"] == "CycloneDX" and len(b["components"]) > 80' "$work/bill.json" ||
  result 'not ok' "bill of materials"
# What the recipe changed of the tar, and nothing else, parts these two but for what each was fitted with.
smith image diff from-tar from-disk >"$work/diff"
grep -q '^/etc/motd: ' "$work/diff" && grep -q '^0 packages' "$work/diff" || { tail -n 30 "$work/diff"; result 'not ok' diff; }
exit "$failed"

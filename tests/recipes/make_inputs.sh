#!/bin/bash
# Makes what the recipes of rootfs-recipes/sources take their trees from, beside copies of them.
#   make_inputs.sh FOLDER [--without-packages]     what is there already stays
#
# rootfs.tar, oci/, disk.qcow2; signed/{rpm,pacman} with packages.asc, and unsigned/. --without-packages: not the repositories.
# Wants root (the trees' files belong to many users) and a folder whose path everybody may read.
set -euo pipefail

work=${1:?a folder}
here=$(dirname -- "$(realpath -- "$0")")

chmod 0755 "$work"
if [[ ! -e $work/disk.qcow2 ]]; then
  cp -- "$here"/../../rootfs-recipes/sources/*.toml "$work"
  # Nobody boots this tree's own initramfs, and making it takes longer than all the rest: linux-image's hooks leave it out.
  # In a lab on a busy machine it may boot for minutes; systemd would give up on the console's device after 90 s.
  # shellcheck disable=SC2016 # mmdebstrap's shell has the $1
  INITRD=No mmdebstrap --quiet --variant=minbase --include=linux-image-cloud-amd64,systemd-sysv,udev,iproute2 \
    --customize-hook='mkdir -p "$1/etc/systemd/system.conf.d"' \
    --customize-hook='printf "[Manager]\nDefaultDeviceTimeoutSec=15min\n" >"$1/etc/systemd/system.conf.d/patience.conf"' \
    bookworm "$work/rootfs.tar"
  "$here/make_sources.py" "$work/rootfs.tar" "$work"
fi

[[ ${2:-} != --without-packages ]] || exit 0
# Signed repositories, and others without signatures.
if [[ ! -e $work/signed ]]; then
  "$here/make_packages.py" "$work/signed"
  "$here/make_packages.py" "$work/unsigned" --unsigned
  cp -- "$work/signed/packages.asc" "$work"
fi

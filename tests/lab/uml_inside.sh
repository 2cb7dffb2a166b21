#!/bin/bash
# Inside User Mode Linux, as root of nothing but itself: this host's files below an overlay, in which the lab's paths are there.
#
#   uml_inside.sh REPO DOMSMITH IMAGE ALL PIECE...
set -eu
repo=$1
domsmith=$2
image=$3
all=$4
shift 4

mkdir -p /run/over
mount -t tmpfs -o size=600m over /run/over
mkdir /run/over/{upper,work,root}
mount -t overlay -o lowerdir=/,upperdir=/run/over/upper,workdir=/run/over/work overlay /run/over/root
root=/run/over/root
for folder in proc sys dev run; do mount --bind "/$folder" "$root/$folder"; done
mkdir -p /dev/disk/by-id
ln -sf /dev/ubda /dev/disk/by-id/virtio-vg0
ln -sf /dev/ubdb /dev/disk/by-id/virtio-vg1

rm -rf "$root/run/payload" "$root/etc/xen" "$root/var/lib/domsmith" "$root/etc/domsmith"
mkdir -p "$root/run/payload/"{bin,images,share/domsmith} "$root/etc/xen/auto" "$root/var/lib/domsmith"
ln -s "$domsmith" "$root/run/payload/bin/domsmith"
ln -s "$image" "$root/run/payload/images/debian-minimal"
ln -s "$repo/tests/lab/dom0" "$root/run/payload/lab"
ln -s "$repo/templates" "$root/run/payload/share/domsmith/templates"
touch "$root/run/payload/authorized_keys"
export TMPDIR=/tmp PATH=/usr/local/bin:$PATH
chroot "$root" bash /run/payload/lab/setup.sh

failed=0
for piece in "$@"; do
  printf '# %s\n' "$piece"
  ALL=$all chroot "$root" bash "/run/payload/lab/lvm/$piece.sh" </dev/null || failed=1
done
exit $failed

#!/bin/bash
# Runs in dom0 once after the boot: volume groups on the lab's own disks, domsmith in the path.
set -eu

ln -sf /payload/bin/domsmith /usr/local/bin/domsmith
mkdir -p /usr/share
ln -sfn /payload/share/domsmith /usr/share/domsmith
mkdir -p /etc/domsmith
cat >/etc/domsmith/domsmith.toml <<'TOML'
store = "lvm:vg0/pool"
bridge = "xenbr0"
templates = "/payload/share/domsmith/templates"
TOML

# Every thin volume is text in the metadata area: the default of 1 MiB is full at about 1,500 of them.
pvcreate -q -q --metadatasize 64m /dev/disk/by-id/virtio-vg0
vgcreate -q -q vg0 /dev/disk/by-id/virtio-vg0
lvcreate -q -q --type thin-pool --extents 80%FREE --poolmetadatasize 128m --chunksize 64k --name pool vg0
# One without a pool, for classic snapshots.
pvcreate -q -q /dev/disk/by-id/virtio-vg1
vgcreate -q -q vg1 /dev/disk/by-id/virtio-vg1

[[ -e /proc/xen/capabilities ]] || exit 0 # 'lab up --without-xen'

# On the first of the three emulated CPUs, which takes the chipset's interrupts, QEMU's emulation of SVM loses a guest's state every few
# minutes: the guest triple faults, or Xen double faults. On the others it has not been seen.
printf 'vm.hvm.cpumask = "all,^0"\n' >>/etc/xen/xl.conf

# A guest that boots may not keep dom0 from starting the next one: libxl gives a hotplug script 40 s.
xl sched-credit2 -d Domain-0 -w 4096

systemctl is-active --quiet xenstored xenconsoled
xl info >/dev/null

#!/bin/bash
# Runs in dom0 once after the boot: the program under test, volume groups on the lab's own disks.
#   setup.sh SECONDS      that the installed host may take to start
set -eu

# shellcheck source=SCRIPTDIR/started.sh
source "$(dirname -- "$0")/started.sh"

# The lab's templates are the program's own, but for what emulation asks for.
templates='templates = "/run/payload/share/domsmith/templates"'

# Debian's programs that the installed host does not have, with their own libraries, as /run/bin/NAME.
lend_tools() {
  local name file
  mkdir -p /run/bin
  for name in python3 find xargs strace sqlite3 debugfs; do
    for file in /run/tools/usr/bin/$name /run/tools/usr/sbin/$name; do
      [[ ! -e $file ]] || printf '#!/bin/sh\nexport PYTHONHOME=/run/tools/usr\nexec %s --library-path %s %s "$@"\n' \
        /run/tools/lib64/ld-linux-x86-64.so.2 /run/tools/usr/lib/x86_64-linux-gnu "$file" >"/run/bin/$name"
    done
    chmod 755 "/run/bin/$name"
  done
}

installed_host() {
  wait_for_start "$1"
  mount --bind /run/payload/bin/domsmith /usr/bin/domsmith
  printf '%s\n' "$templates" >>/etc/domsmith/domsmith.toml
  [[ ! -e /run/tools ]] || lend_tools
}

debian() {
  ln -sf /run/payload/bin/domsmith /usr/local/bin/domsmith
  mkdir -p /usr/share
  ln -sfn /run/payload/share/domsmith /usr/share/domsmith
  mkdir -p /etc/domsmith
  printf '%s\n' 'store = "lvm:vg0/pool"' 'bridge = "xenbr0"' "$templates" >/etc/domsmith/domsmith.toml
  # Every thin volume is text in the metadata area: the default of 1 MiB is full at about 1,500 of them.
  pvcreate -q -q --metadatasize 64m /dev/disk/by-id/virtio-vg0
  vgcreate -q -q vg0 /dev/disk/by-id/virtio-vg0
  lvcreate -q -q --type thin-pool --extents 80%FREE --poolmetadatasize 128m --chunksize 64k --name pool vg0
  # On the first of the three emulated CPUs, which takes the chipset's interrupts, QEMU's emulation of SVM loses a guest's state every few
  # minutes: the guest triple faults, or Xen double faults. On the others it has not been seen.
  [[ ! -e /etc/xen/xl.conf ]] || printf 'vm.hvm.cpumask = "all,^0"\n' >>/etc/xen/xl.conf
}

if [[ -d /state ]]; then installed_host "${1:?SECONDS}"; else debian; fi
# One without a pool, for classic snapshots.
pvcreate -q -q /dev/disk/by-id/virtio-vg1
vgcreate -q -q vg1 /dev/disk/by-id/virtio-vg1

[[ -e /proc/xen/capabilities ]] || exit 0 # 'lab up --without-xen'

# A guest that boots may not keep dom0 from starting the next one: libxl gives a hotplug script 40 s.
xl sched-credit2 -d Domain-0 -w 4096

systemctl is-active --quiet xenstored xenconsoled
xl info >/dev/null

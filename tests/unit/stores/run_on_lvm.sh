#!/bin/bash
# Runs a program where there is real LVM: in User Mode Linux, whose kernel is an ordinary process with device-mapper in it.
# No root, no Xen, no QEMU; the program sees this host's files read-only, and two empty volume groups:
#   vg0 with a thin pool `pool`, vg1 without one; vg2 on three disks, with a thin pool on all of them.
#
#   run_on_lvm.sh PROGRAM [ARGUMENT…]      exit status: the program's; 77 where this host lacks something (said on stderr)
#
# $DOMSMITH_UML_VG0, $DOMSMITH_UML_VG1: the disks' sizes; $DOMSMITH_UML_BARE: any word: two disks and no groups.
#
# Debian packages: user-mode-linux, lvm2, thin-provisioning-tools. Kernel parameters: user-mode-linux's
# Documentation/virt/uml/user_mode_linux_howto_v2.rst.
set -eu

kernel=$(command -v linux.uml || true)
modules=$(echo /usr/lib/uml/modules/*/kernel)
if [ -n "${DOMSMITH_UML:-}" ]; then # an unpacked package
  kernel=$DOMSMITH_UML/usr/bin/linux.uml
  modules=$(echo "$DOMSMITH_UML"/usr/lib/uml/modules/*/kernel)
fi
for needed in "${kernel:-/usr/bin/linux.uml}" "$modules" /sbin/lvm /usr/sbin/thin_check; do
  if [ ! -e "$needed" ]; then
    echo "no $needed: apt-get install user-mode-linux lvm2 thin-provisioning-tools" >&2
    exit 77
  fi
done

folder=$(mktemp -d "${TMPDIR:-/tmp}/domsmith-uml-XXXXXX")
trap 'rm -rf "$folder"' EXIT
truncate -s "${DOMSMITH_UML_VG0:-3G}" "$folder/vg0.img"
truncate -s "${DOMSMITH_UML_VG1:-1500M}" "$folder/vg1.img"
for disk in c d e; do truncate -s 300M "$folder/$disk.img"; done
printf '%q ' "$@" > "$folder/command"
echo 99 > "$folder/status"

cat > "$folder/init" << EOF
#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C.UTF-8 LVM_SYSTEM_DIR=/run/lvm-settings
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2> /dev/null
mount -t tmpfs run /run
mount -t tmpfs state /var/lib # domsmith's journals
mkdir -p /run/lock /run/lvm-settings /run/outside /run/tmp
export TMPDIR=/run/tmp GTEST_COLOR=no DM_DISABLE_UDEV=1 # LVM makes its device nodes itself
mount -t hostfs outside /run/outside # writable, where the root is not
echo 98 > "/run/outside$folder/status"
for module in drivers/md/dm-mod drivers/md/dm-bufio lib/crc-itu-t lib/libcrc32c \
  drivers/md/persistent-data/dm-persistent-data drivers/md/dm-bio-prison drivers/md/dm-thin-pool drivers/md/dm-snapshot \
  drivers/md/dm-flakey fs/overlayfs/overlay; do
  insmod "$modules/\$module.ko" 2> /dev/null
done
[ -n "${DOMSMITH_UML_BARE:-}" ] ||
  (pvcreate -q -y --metadatasize 16m /dev/ubda /dev/ubdb &&
    vgcreate -q vg0 /dev/ubda &&
    vgcreate -q vg1 /dev/ubdb &&
    lvcreate -q -y --type thin-pool -L 1500M --poolmetadatasize 32m -n pool vg0 &&
    pvcreate -q -y --pvmetadatacopies 2 /dev/ubdc && pvcreate -q -y /dev/ubdd /dev/ubde &&
    vgcreate -q vg2 /dev/ubdc /dev/ubdd /dev/ubde &&
    lvcreate -q -y --type thin-pool -L 700M --poolmetadatasize 16m -n pool vg2) &&
  export DOMSMITH_TEST_LVM=lvm:vg0/pool,lvm:vg1 DOMSMITH_TEST_LVM_WIDE=lvm:vg2/pool &&
  eval "\$(cat "$folder/command")"
echo \$? > "/run/outside$folder/status"
sync
echo o > /proc/sysrq-trigger
sleep 60 # until it has
EOF
chmod 755 "$folder/init"
# A session of its own: job control must not stop the inner kernel's threads.
setsid --wait "$kernel" mem=768M root=/dev/root rootfstype=hostfs rootflags=/ ro "init=$folder/init" \
  "ubd0=$folder/vg0.img" "ubd1=$folder/vg1.img" "ubd2=$folder/c.img" "ubd3=$folder/d.img" "ubd4=$folder/e.img" con=null con0=null,fd:1 quiet < /dev/null || true
status=$(cat "$folder/status")
case $status in
  99) # Where the CPU's extended state (AMX) is larger than what User Mode Linux 6.1 keeps (arch/x86/um/os-Linux/registers.c).
    echo "the inner kernel does not run on this host" >&2
    exit 77
    ;;
  98)
    echo "the inner kernel ended early" >&2
    exit 1
    ;;
esac
exit "$status"

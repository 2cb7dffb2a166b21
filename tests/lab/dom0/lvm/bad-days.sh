#!/bin/bash
# Full pools, a full metadata area, disks that fail, and 64 processes at once, on real LVM: each is a refusal or a clean stop, and
# what was there before is whole.
# shellcheck source=SCRIPTDIR/../lib.sh
source "$(dirname -- "$0")/../lib.sh"

# Two groups on parts of vg1's disk, which can be made to fail:
#   vgm: room for the text of about a hundred volumes; vgt: a pool with 2 MiB for its metadata
disk=$(realpath /dev/disk/by-id/virtio-vg1)
part=$((3 * 2097152)) # sectors: 3 GiB

linear() { printf '0 %d linear %s %d\n' "$part" "$disk" $(($1 * part + 2048)); }
# From now on reads work and writes fail (Documentation/admin-guide/device-mapper/dm-flakey.rst).
failing() { printf '0 %d flakey %s %d 0 3600 1 error_writes\n' "$part" "$disk" $(($1 * part + 2048)); }
# From now on neither works in one place of vgm's disk: where LVM's label and text are, or where a volume of the pool is.
erring() { # text|pool_tmeta|pool_tdata
  local at=0 start length
  places "$1" | {
    while read -r start length; do
      ((start == at)) || printf '%d %d linear %s %d\n' "$at" $((start - at)) "$disk" $((at + 2048))
      printf '%d %d error\n' "$start" "$length"
      at=$((start + length))
    done
    ((at > 0))
    printf '%d %d linear %s %d\n' "$at" $((part - at)) "$disk" $((at + 2048))
  }
}
places() { # "START LENGTH" a line, in sectors of the disk
  if [[ $1 == text ]]; then
    printf '0 %d\n' "$(pvs --noheadings --nosuffix --units s -o pe_start /dev/mapper/bad0)"
  else
    dmsetup table "vgm-$1" | awk '{ print $5, $2 }' | sort -n
  fi
}
set_table() { # NUMBER TABLE
  dmsetup suspend --noflush --nolockfs "bad$1"
  dmsetup reload "bad$1" --table "$2"
  dmsetup resume "bad$1"
}

make_group() { # GROUP NUMBER TEXT-ROOM POOL-METADATA
  dmsetup create "bad$2" --table "$(linear "$2")"
  pvcreate -qq -ff -y --metadatasize "$3" "/dev/mapper/bad$2"
  vgcreate -qq "$1" "/dev/mapper/bad$2"
  lvcreate -qq -y --type thin-pool -L 1G --poolmetadatasize "$4" --chunksize 64k --name pool "$1"
  lvchange -qq --errorwhenfull y "$1/pool"
  domsmith image import "/run/payload/images/$image" --store "lvm:$1/pool"
  clones "$1" --name "$1" --count 4 --settle
}

clones() { domsmith clone "$image" --template tiny --store "lvm:$1/pool" "${@:2}"; } # GROUP WORDS...

# All that there is of a group, LVM's and domsmith's.
all_of() {
  lvs --noheadings -o lv_name,origin "$1" | sort
  domsmith list --json | json "[g['name'] + ' ' + g['state'] for g in d['guests'] if g['store'] == 'lvm:$1/pool']"
  find /etc/xen -name '*.cfg' | sort
}

# LVM and the kernel agree on the pool, and thin_check finds nothing: LVM has it look before it activates.
in_order() {
  vgck "$1"
  lvchange -an "$1/pool"
  lvchange -ay "$1/pool"
  dmsetup message "$1-pool-tpool" 0 reserve_metadata_snap
  same "devices of the pool" "$(lvs --noheadings -o thin_id "$1" | xargs -n1 | sort -n | xargs)" \
    "$(thin_ls -m --no-headers -o DEV "/dev/mapper/$1-pool_tmeta" | xargs -n1 | sort -n | xargs)"
  dmsetup message "$1-pool-tpool" 0 release_metadata_snap
}

are_whole() { # GROUP GUESTS...
  local name
  for name in "${@:2}"; do
    lvchange -qq -ay -K "$1/$name"
    e2fsck -fn "/dev/$1/$name"
    same "host name" "$name" "$(debugfs -R 'cat /etc/hostname' "/dev/$1/$name" 2>/dev/null)"
    lvchange -qq -an "$1/$name"
  done
}

siblings_are_whole() { are_whole "$1" "$1"-{1,2,3,4}; }

no_room_for_text() {
  local before
  before=$(all_of vgm)
  fails_with 1 "metadata" clones vgm --name x --count 500
  same "what is there" "$before" "$(all_of vgm)"
  in_order vgm
  siblings_are_whole vgm
}

# A clone that nobody can give its identity any more stays as it is; who filled the pool can be removed.
no_room_for_data() {
  local before
  clones vgm --name full --count 2
  domsmith guest settle full-1 --activate
  dd if=/dev/urandom of=/dev/vgm/full-1 bs=1M count=1500 oflag=direct 2>/dev/null || true
  lvchange -an vgm/full-1
  before=$(all_of vgm)
  fails_with 1 "pool" clones vgm --name x --count 8
  fails_with 1 "" domsmith guest settle full-2
  same "what is there" "$before" "$(all_of vgm)"
  siblings_are_whole vgm
  domsmith guest remove full-1
  domsmith guest settle full-2
  domsmith guest remove full-2
  in_order vgm
}

no_room_for_pool_metadata() {
  local before round=0 status=0
  before=$(all_of vgt)
  while ((status == 0 && ++round < 20)); do
    before=$(all_of vgt)
    clones vgt --name "r$round" --count 400 >/dev/null || status=$?
  done
  same "status in the end" 1 "$status"
  domsmith recover
  same "what is there" "$before" "$(all_of vgt)"
  domsmith guest remove 'r*' || true
  in_order vgt
  siblings_are_whole vgt
}

bytes_of() { lvs --noheadings --nosuffix --units b -o lv_size "$1" | xargs; }
full_percent() { lvs --noheadings -o data_percent "$1" | xargs | cut -d. -f1; }

# A guest fills the pool past 85 %: it is larger at the watch's next look, by what its group has, and nobody's write fails.
watch_extends() {
  local before offset=0
  before=$(bytes_of vgm/pool)
  clones vgm --name wide --settle
  lvchange -qq -ay -K vgm/wide
  while (($(full_percent vgm/pool) < 86)); do
    dd if=/dev/urandom of=/dev/vgm/wide bs=1M count=32 seek=$((offset += 32)) oflag=direct 2>/dev/null
  done
  domsmith store watch --once --grow 99 --pause 99 --store lvm:vgm/pool 2>&1 | grep 'full'
  same "size below the threshold" "$before" "$(bytes_of vgm/pool)"
  domsmith store watch --once --store lvm:vgm/pool 2>&1 | grep 'extended'
  (($(bytes_of vgm/pool) > before && $(full_percent vgm/pool) < 85))
  lvchange -qq -an vgm/wide
  domsmith guest remove wide
  in_order vgm
  siblings_are_whole vgm
}

# The disk is back, and the pool was looked at.
disk_is_back() {
  set_table 0 "$(linear 0)"
  lvchange -an vgm/pool || true
  # What lvm.conf recommends for a pool whose metadata could not be written: checked, it may be written again.
  lvchange -ay --config 'global/thin_check_options=["-q","--clear-needs-check-flag"]' vgm/pool
  domsmith recover
  same "a second recover" "nothing to recover" "$(domsmith recover)"
}

all_is_as_before() { # BEFORE
  same "what is there" "$1" "$(all_of vgm)"
  in_order vgm
  siblings_are_whole vgm
}

# The disk has another table from the middle of a batch on. When it is back, all is as before.
disk_fails() { # MOMENT TABLE
  local before status=0
  before=$(all_of vgm)
  clones vgm --name io --count 60 >/dev/null 2>&1 &
  sleep "$1"
  set_table 0 "$2"
  wait $! || status=$?
  disk_is_back
  if ((status == 0)); then
    domsmith guest remove 'io-*'
  fi
  all_is_as_before "$before"
}

# What a batch reads or writes first is not there: it is refused.
disk_errs() { # text|pool_tmeta
  local before table
  before=$(all_of vgm)
  table=$(erring "$1")
  set_table 0 "$table"
  fails_with 1 "" clones vgm --name io --count 60
  disk_is_back
  all_is_as_before "$before"
}

# Of the pool's data a batch needs nothing, an identity does: the clones wait for theirs until the disk is back.
data_errs() {
  local before table
  before=$(all_of vgm)
  table=$(erring pool_tdata)
  set_table 0 "$table"
  clones vgm --name io --count 8
  fails_with 1 "" domsmith guest settle 'io-*'
  same "devices that a guest could be started from" "" "$(find /dev/vgm -name 'io-*')"
  disk_is_back
  domsmith guest settle 'io-*'
  are_whole vgm io-{1..8}
  domsmith guest remove 'io-*'
  all_is_as_before "$before"
}

many_at_once() {
  local i pids=() failed='' said
  said=$(mktemp -d)
  for ((i = 1; i <= 64; i++)); do
    domsmith clone "$image" --name "p$i" --count $((i % 4 == 0 ? 5 : 1)) --template tiny --store "$store" >/dev/null 2>"$said/$i" &
    pids+=($!)
  done
  for ((i = 1; i <= 64; i++)); do wait "${pids[i - 1]}" || failed+="p$i: $(cat "$said/$i") "; done
  rm -r "$said"
  same "processes that failed" '' "$failed"
  same "guests" 128 "$(domsmith guest list 'p*' --json | json 'len(d["guests"])')"
  same "different MACs" 128 "$(domsmith guest list 'p*' --json | json 'len({g["macs"][0] for g in d["guests"]})')"
  same "volumes" 128 "$(volumes | grep -c '^p[0-9]')"
  vgck vg0
  domsmith guest remove 'p*'
  same "volumes" 0 "$(volumes | grep -c '^p[0-9]' || true)"
}

make_groups() {
  vgremove -qq -ff -y vg1
  make_group vgm 0 128k 4m
  make_group vgt 1 16m 2m
}

# Whoever comes after finds vg1 as it was.
drop_groups() {
  domsmith guest remove 'vgm-*' 'vgt-*'
  for group in vgm vgt; do
    domsmith image remove "$image" --store "lvm:$group/pool"
    vgremove -qq -ff -y "$group"
  done
  pvremove -qq -ff -y /dev/mapper/bad0 /dev/mapper/bad1
  dmsetup remove bad0 bad1
  vgcreate -qq vg1 "$disk"
}

check "the image is in the thin pool" have_image
check "two groups with little room" make_groups
check "no room for LVM's text: refused, nothing changed" no_room_for_text
check "the pool is full of data: refused or stopped, siblings whole" no_room_for_data
check "the watch extends a pool that fills up" watch_extends
check "the pool's metadata are full: stopped and undone, siblings whole" no_room_for_pool_metadata
for moment in 0.5 1.5 3; do
  check "writes fail $moment s into a batch" disk_fails "$moment" "$(failing 0)"
done
for place in text pool_tmeta; do
  check "the disk has errors where the $place is" disk_errs "$place"
  check "they come 1 s into a batch" disk_fails 1 "$(erring "$place")"
done
check "the disk has errors where the pool_tdata is: no identity, and nothing runs" data_errs
check "the groups go again" drop_groups
check "64 processes clone at once in one group" many_at_once
finish

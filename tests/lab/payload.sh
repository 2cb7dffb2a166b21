# shellcheck shell=bash
# shellcheck disable=SC2154 # $repo and $lab_dir come from whoever sources this
# The payload: a read-only disk, new with each start, with what changes more often than dom0's image: the binary under test,
# templates, recipes, images to import, the lab's scripts, the keys of this one start.

# make_payload STATE INSTALLED WITH...: INSTALLED is the folder of the installed host's disk, empty for Debian; WITH is PATH or PATH=NAME,
# a file or folder to be found in dom0 as /run/payload/NAME.
make_payload() {
  local state=$1 installed=$2 tree=$1/payload item
  shift 2
  rm -rf -- "$tree" "$state/payload.img"
  mkdir -p -- "$tree/bin" "$tree/share/domsmith"
  if [[ -n $installed ]]; then installed_keys "$state" "$installed"; else payload_keys "$state" "$tree"; fi
  payload_domsmith "$tree"
  cp -rL -- "$lab_dir/dom0" "$tree/lab"
  for item in "$@"; do
    payload_add "$tree" "$item"
  done
  payload_disk "$tree" "$state/payload.img"
  rm -rf -- "$tree"
}

# The host made its own key when it was installed, and lets in the one that the installation was given.
installed_keys() {
  local state=$1 installed=$2
  cp -- "$installed"/{key,key.pub} "$state"
  : >"$state/known_hosts"
}

# Both keys live as long as this start: nobody else's lab, and no image, knows them.
payload_keys() {
  local state=$1 tree=$2
  rm -f -- "$state/key" "$state/key.pub"
  ssh-keygen -q -t ed25519 -N '' -C domsmith-lab -f "$state/key"
  ssh-keygen -q -t ed25519 -N '' -C domsmith-lab -f "$tree/ssh_host_ed25519_key"
  cp -- "$state/key.pub" "$tree/authorized_keys"
  printf 'domsmith-lab %s\n' "$(cut -d' ' -f1,2 "$tree/ssh_host_ed25519_key.pub")" >"$state/known_hosts"
}

payload_domsmith() {
  local tree=$1 binary folder
  binary=$(domsmith_binary)
  # Debug information is most of the bytes and of no use in there.
  strip --strip-debug -o "$tree/bin/domsmith" -- "$binary" 2>/dev/null || cp -- "$binary" "$tree/bin/domsmith"
  for folder in templates rootfs-recipes; do
    [[ ! -d $repo/$folder ]] || cp -r -- "$repo/$folder" "$tree/share/domsmith/$folder"
  done
  # The emulated CPU's time stamp counter does not count as reliable, so Xen would trap each read of it: a guest's start has
  # a hundred thousand, and each is a way through the emulation of SVM and back.
  # And a guest whose start takes minutes may still get its console: systemd gives up on a device after 90 s.
  sed -i '/^\[domain\]/a tsc_mode = "native"\ncmdline = "systemd.default_timeout_start_sec=600"' -- "$tree"/share/domsmith/templates/*.toml
}

payload_add() {
  local tree=$1 path=${2%%=*} name
  [[ -e $path ]] || die "no $path to put on the payload disk"
  name=$(basename -- "$path")
  [[ $2 != *=* ]] || name=${2#*=}
  mkdir -p -- "$(dirname -- "$tree/$name")"
  # A hard link costs nothing for an image of a gigabyte; across file systems it has to be a copy.
  cp -rlL -- "$path" "$tree/$name" 2>/dev/null || { rm -rf -- "${tree:?}/$name"; cp -rL --sparse=always -- "$path" "$tree/$name"; }
}

payload_disk() {
  local tree=$1 disk=$2 used
  used=$(du -s --block-size=1M -- "$tree" | cut -f1)
  truncate -s $((used + used / 10 + 64))M -- "$disk"
  # No journal and few inodes: it is read once. The owner's number does not matter, sshd is told so.
  mke2fs -q -t ext4 -O ^has_journal -i 65536 -L payload -E root_owner=0:0 -d "$tree" "$disk" || die "mke2fs could not make the payload disk"
}

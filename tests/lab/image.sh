# shellcheck shell=bash
# shellcheck disable=SC2154 # $repo comes from whoever sources this
# Images that the lab boots or carries, built by domsmith once for each content: recipe, the files it names, the builder.

cache_dir() { printf '%s\n' "${DOMSMITH_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/domsmith/lab}"; }

domsmith_binary() {
  local candidate=${DOMSMITH:-$repo/build/release/bin/domsmith}
  [[ -x $candidate ]] || die "no domsmith at $candidate; build it (script/build) or say --domsmith FILE"
  realpath -- "$candidate"
}

# files_hash FOLDER [FIND'S WORDS]: of the names and contents of the files below
files_hash() {
  [[ ! -d $1 ]] || (cd -- "$1" && find . -type f "${@:2}" -print0 | sort -z | xargs -0 -r sha256sum)
}

builder_hash() {
  files_hash "$repo/imagebuild" \( -name '*.cc' -o -name '*.h' -o -name '*.c' -o -name '*.S' \)
  "$(domsmith_binary)" --version
}

# One hash for all that decides what a build gives: the recipe, its folder's files, the sources of the builder, what it reports
# as its version, and the packages' source (the host's release) through the recipe itself.
image_hash() {
  {
    cat -- "$1"
    files_hash "$(dirname -- "$1")/files"
    builder_hash
  } | sha256sum | cut -c1-16
}

# cached NAME HASH MAKE...: prints the folder in the cache; where it isn't there yet, `MAKE... WORK` makes it as WORK/out.
cached() {
  local name=$1 folder
  if [[ -n ${DOMSMITH_LAB_FROZEN:-} ]] && folder=$(newest_image "$name"); then
    say "taking $folder, whatever has changed since (DOMSMITH_LAB_FROZEN)"
    printf '%s\n' "$folder"
    return
  fi
  folder=$(cache_dir)/$name-$2
  mkdir -p -- "$(cache_dir)"
  # Two labs that start at once build once: the second one waits for the first.
  exec {build_lock}>"$(cache_dir)/$name.lock"
  flock "$build_lock"
  if [[ ! -e $folder/complete || -n ${DOMSMITH_LAB_REBUILD:-} ]]; then
    make_cached "$name" "$folder" "${@:3}" >&2
  fi
  exec {build_lock}>&-
  printf '%s\n' "$folder"
}

# What was begun and not ended is never in its place.
make_cached() {
  local name=$1 folder=$2 work start
  start=$(now)
  say "making $name; kept in $folder"
  rm -rf -- "$folder"
  work=$(mktemp -d -- "$folder.XXXXXX")
  # shellcheck disable=SC2064 # the name of now
  trap "rm -rf -- $(printf %q "$work")" EXIT # Ctrl-C too
  "${@:3}" "$work"
  touch -- "$work/out/complete"
  mv -- "$work/out" "$folder"
  rm -rf -- "$work"
  trap - EXIT
  forget_old_images "$name" "$folder"
  say "$name is ready after $(seconds_since "$start") s"
}

# cached_image RECIPE: prints the folder with NAME.img, kernel, initrd.img, NAME.json
cached_image() {
  local recipe name
  recipe=$(realpath -- "$1") || die "no recipe $1"
  name=$(basename -- "$recipe" .toml)
  cached "$name" "$(image_hash "$recipe")" build_image "$recipe" "$name"
}

# A package run that outlives a killed build must not keep our locks.
without_locks() {
  (
    [[ -z ${state_lock:-} ]] || exec {state_lock}>&-
    [[ -z ${build_lock:-} ]] || exec {build_lock}>&-
    exec "$@"
  )
}

newest_image() {
  local newest
  newest=$(find "$(cache_dir)" -mindepth 2 -maxdepth 2 -path "*/$1-*/complete" -printf '%T@ %h\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
  [[ -n $newest ]] && printf '%s\n' "$newest"
}

# build_image RECIPE NAME WORK
build_image() {
  local recipe=$1 name=$2 work=$3
  say "domsmith builds it (about a minute, mostly packages)"
  without_locks "$(domsmith_binary)" build "$recipe" --store "dir:$work/store" --root "$work/root" ||
    die "domsmith build $recipe failed"
  without_locks "$(domsmith_binary)" image export "$name" --store "dir:$work/store" --root "$work/root" --output "$work/out" ||
    die "domsmith image export $name failed"
}

# Keeps what was built now and the one before it: a switch of branches and back costs no build.
forget_old_images() {
  local old
  find "$(cache_dir)" -maxdepth 1 -type d -name "$1-*" ! -path "$2" -printf '%T@ %p\n' | sort -rn | tail -n +2 | cut -d' ' -f2- |
    while IFS= read -r old; do rm -rf -- "$old"; done
}

# debian_base: a Debian dom0's image and, taken out of it, the hypervisor it was made for. Prints the folder.
debian_base() {
  local folder
  need debugfs e2fsprogs
  folder=$(cached_image "$repo/hypervisor/lab-dom0.toml")
  if [[ ! -s $folder/xen.elf ]]; then
    extract_xen "$folder"
  fi
  printf '%s\n' "$folder"
}

# QEMU's multiboot loader takes an ELF file, not the packed one that GRUB would unpack. Two labs that start at once make it twice.
extract_xen() {
  local folder=$1 image=$1/lab-dom0.img packed own
  packed=$(debugfs -R 'ls -p /boot' "$image" 2>/dev/null | cut -d/ -f6 | grep -E '^xen-4\.[0-9]+-amd64\.gz$' | tail -n 1)
  [[ -n $packed ]] || die "no /boot/xen-*.gz in $image"
  own=$(mktemp -d -- "$folder/xen.XXXXXX")
  debugfs -R "dump /boot/$packed $own/xen.gz" "$image" 2>/dev/null
  gzip -dc "$own/xen.gz" >"$own/xen.elf" || die "$packed in $image is no gzip file"
  mv -- "$own/xen.elf" "$folder/xen.elf"
  rm -rf -- "$own"
}

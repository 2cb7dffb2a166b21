# shellcheck shell=bash
# shellcheck disable=SC2154 # $repo and $lab_dir come from whoever sources this
# The system that the lab runs: the hypervisor, installed from its own medium once for each content and kept.

host_hash() {
  {
    files_hash "$repo/hypervisor" ! -name '*.lock.toml' # a build writes it
    files_hash "$repo/iso"
    cat -- "$lab_dir/answer.toml" "$repo"/tests/iso/{base,machine,scene}.sh
    builder_hash
  } | sha256sum | cut -c1-16
}

# cached_host: prints the folder with HOST.img, the disk of an installed host, and key, which it lets in
cached_host() {
  need xorriso xorriso
  need mksquashfs squashfs-tools
  cached host "$(host_hash)" install_host
}

# install_host WORK
install_host() {
  local work=$1
  say "a medium is made, and the lab's host installed from it (three minutes)"
  DOMSMITH_ISO_STATE=$work DOMSMITH_ISO_DISK=${DOMSMITH_LAB_DISK:-28G} DOMSMITH_ISO_MEMORY=1280 without_locks "$lab_dir/../iso/base.sh" \
    --domsmith "$(domsmith_binary)" --answer "$lab_dir/answer.toml" || die "the installation failed"
  mkdir -- "$work/out"
  mv -- "$work"/{HOST.img,key,key.pub} "$work/out"
}

#!/bin/bash
# Builds every recipe that is shipped, from the host's own mirror, and has each image checked (e2fsck among it).
#   build_each.sh DOMSMITH      exit status: 0, or 1 where a recipe does not build
set -euo pipefail

domsmith=${1:?the program}
recipes=$(dirname -- "$(realpath -- "$0")")/../../rootfs-recipes
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
place=(--store "dir:$work/store" --root "$work/root")

failed=0
for recipe in "$recipes"/*.toml; do
  [[ $recipe != *.lock.toml ]] || continue # what a build of them, the demo's for one, left beside them
  name=$(basename -- "$recipe" .toml)
  if [[ $name == ubuntu-* && ! -e /usr/share/keyrings/ubuntu-archive-keyring.gpg ]]; then
    printf 'ok %s # SKIP this host has no archive key of Ubuntu\n' "$name"
    continue
  fi
  if "$domsmith" build "$recipe" "${place[@]}" && "$domsmith" image verify "$name" "${place[@]}"; then
    printf 'ok %s\n' "$name"
  else
    printf 'not ok %s\n' "$name"
    failed=1
  fi
done
"$domsmith" image list "${place[@]}"
exit "$failed"

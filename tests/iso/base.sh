#!/bin/bash
# Installs the hypervisor from its medium, unattended, on one fresh disk, for others to start from: the lab.
#   base.sh --domsmith FILE --answer FILE [--uefi] [--usb]      exit status: 0, 1
# In $DOMSMITH_ISO_STATE are then the disk, HOST.img, and the ssh key that the host lets in, key.
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
# shellcheck source=SCRIPTDIR/scene.sh
source "$here/scene.sh"
: "${DOMSMITH_ISO_STATE:?the folder for what is made}"
: "${answer:?--answer FILE}"

make_medium "$answer" "$state/medium.iso"
fresh_disks HOST
install_from "$state/medium.iso"

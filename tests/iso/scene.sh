# shellcheck shell=bash
# shellcheck disable=SC2034 # machine.sh and whoever sources this use what is set here
# The command line and the folders of a test of media, and the machine that it leaves nothing of.

domsmith=
answer=
uefi=
usb=
keep=
while (($# > 0)); do
  case $1 in
    --domsmith) domsmith=$(realpath -- "${2:?}"); shift ;;
    --answer) answer=$(realpath -- "${2:?}"); shift ;;
    --uefi) uefi=yes ;;
    --usb) usb=yes ;;
    --keep) keep=yes ;;
    *) echo "$(basename -- "$0"): unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
: "${domsmith:?--domsmith FILE}"
state=${DOMSMITH_ISO_STATE:-$(mktemp -d)}
cache=${DOMSMITH_ISO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/domsmith/iso}
control=$(mktemp -d) # a socket's path may be 107 bytes long, no more
mkdir -p -- "$state" "$cache"
port=$((RANDOM % 20000 + 20000))
pid=
disks=()
# shellcheck source=SCRIPTDIR/machine.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/machine.sh"

leave() {
  local status=$?
  if [[ -n $keep && $status == 0 ]]; then
    printf 'The machine stays up, process %s. A shell in it: ssh -i %s/key -p %s root@127.0.0.1\n' "$pid" "$state" "$port"
    exit
  fi
  stop_machine
  rm -rf -- "$control"
  [[ -n $keep || -n ${DOMSMITH_ISO_STATE:-} ]] || rm -rf -- "$state"
}
trap leave EXIT

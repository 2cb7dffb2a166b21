#!/bin/bash
# The lab's wait for the installed host's start, without a lab: systemd's answers come from here, and the clock goes as fast as it can.
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
# shellcheck source=SCRIPTDIR/dom0/started.sh
source "$here/dom0/started.sh"

starts_at= # seconds
gives_up_at=999
systemctl() { # what of it the wait uses
  case "$1 ${2:-}" in
    "is-active --quiet") ((SECONDS >= starts_at)) ;;
    "show -P") ((SECONDS >= gives_up_at || SECONDS >= starts_at)) || echo 117 ;;
    "list-jobs --no-pager") echo "117 domsmith-slow.service start running" ;;
    "list-units --failed") echo "domsmith-broken.service loaded failed failed" ;;
    *) echo "systemctl $*?"; return 1 ;;
  esac
}
sleep() { SECONDS=$((SECONDS + $1)); }

# says STATUS WORDS: of a wait of 60 s at most
says() {
  local status=0 said
  SECONDS=0
  wait_for_start 60 >"$output" || status=$?
  said=$(<"$output")
  [[ $status == "$1" && $said == "$2" ]] || { printf 'status %s, said:\n%s\nwanted %s:\n%s\n' "$status" "$said" "$1" "$2"; exit 1; }
}
output=$(mktemp)
trap 'rm -f -- "$output"' EXIT

starts_at=0 says 0 ""
starts_at=9 says 0 ""
starts_at=25 says 0 "still waiting for the host to start (10 of at most 60 s)
still waiting for the host to start (20 of at most 60 s)"
missing="117 domsmith-slow.service start running
domsmith-broken.service loaded failed failed"
starts_at=61 says 1 "still waiting for the host to start (10 of at most 60 s)
still waiting for the host to start (20 of at most 60 s)
still waiting for the host to start (30 of at most 60 s)
still waiting for the host to start (40 of at most 60 s)
still waiting for the host to start (50 of at most 60 s)
the host has not started within 60 s; jobs that are not over, and units that failed:
$missing"
starts_at=61 gives_up_at=5 says 1 "the host has given up starting; jobs that are not over, and units that failed:
$missing"

# shellcheck shell=bash
# shellcheck disable=SC2154 # lib.sh sets the rest
# Killing domsmith at its fail points, and what has to be true afterwards.

# points VERB: points that VERB passes, with the number of the pass: "store.clone.before:1". All of them with ALL set;
# otherwise those of the store and some of the rest, for a kill and what follows take ten seconds in here.
points() {
  local trace
  trace=$(mktemp)
  DOMSMITH_FAIL_TRACE=$trace "$1" >/dev/null 2>&1
  awk -v all="${ALL:-}" '{
    point = $0 ":" ++count[$0]
    if (all != "" || point ~ /^(lvm|store)[.].*:1$/ || ++rest % 6 == 3) print point
  }' "$trace"
  rm -f "$trace"
}

recover_is_thorough() {
  domsmith recover
  same "a second recover" "nothing to recover" "$(domsmith recover)"
}

# killed POINT VERB: the process really died there
killed() {
  local status=0
  DOMSMITH_FAIL=$1 "$2" >/dev/null 2>&1 || status=$?
  same "status after $1" 137 "$status"
}

is_one_of() { # SEEN STATE...
  local seen=$1 state
  shift
  for state in "$@"; do
    [[ $seen != "$state" ]] || return 0
  done
  printf 'neither absent nor complete:\n%s\n' "$seen"
  return 1
}

has_identity() {
  lvchange -qq -ay -K "vg0/$1"
  e2fsck -fn "/dev/vg0/$1"
  same "host name of $1" "$1" "$(debugfs -R 'cat /etc/hostname' "/dev/vg0/$1" 2>/dev/null)"
  same "machine-id of $1" "$(guest "$1" 'd["machine_id"]')" "$(debugfs -R 'cat /etc/machine-id' "/dev/vg0/$1" 2>/dev/null)"
  lvchange -qq -an "vg0/$1"
}

# shellcheck shell=bash
# Words that the pieces of the lab share: messages, waiting with a deadline, processes that are surely our own.

say() { printf 'lab: %s\n' "$*" >&2; }

die() {
  printf 'lab: error: %s\n' "$*" >&2
  exit 1
}

# The command line was wrong.
usage_error() {
  printf 'lab: error: %s\n' "$*" >&2
  printf "lab: 'lab help' lists the verbs\n" >&2
  exit 2
}

# need PROGRAM PACKAGE
need() { command -v "$1" >/dev/null || die "$1 is missing; install the package $2 (script/bootstrap does)"; }

# Seconds since START, with one decimal. EPOCHREALTIME's decimal point depends on the locale.
now() { local t=$EPOCHREALTIME; printf '%s' "${t//[.,]/}"; }
seconds_since() {
  local tenths=$((($(now) - $1) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# wait_until WHAT SECONDS COMMAND...: repeats COMMAND until it succeeds. Says what it waits for when that takes a while.
# 1 when the time is over or the machine has ended.
wait_until() {
  local what=$1 limit=$2 start=$SECONDS said=$SECONDS
  shift 2
  until "$@"; do
    if ((SECONDS - start >= limit)); then
      say "waited $limit s for $what, in vain"
      return 1
    fi
    if ! machine_runs; then
      say "the machine ended while waiting for $what"
      return 1
    fi
    if ((SECONDS - said >= 10)); then
      say "still waiting for $what ($((SECONDS - start)) of at most $limit s)"
      said=$SECONDS
    fi
    sleep 0.3
  done
}

# The pid in FILE, if that process lives and its command line holds MARK: a pid file may be older than the process.
own_pid() {
  local pid
  [[ -s $1 ]] || return 1
  pid=$(<"$1")
  [[ $pid =~ ^[0-9]+$ ]] || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2" || return 1
  printf '%s\n' "$pid"
}

# end_pid PID: asks, waits ten seconds, insists.
end_pid() {
  local i
  kill -TERM "$1" 2>/dev/null || return 0
  for ((i = 0; i < 100; i++)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}

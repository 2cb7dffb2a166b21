# shellcheck shell=bash
# Waits until systemd has started all that it means to start.

# wait_for_start LIMIT: 0 when it has; 1, with what is missing, when LIMIT seconds are over or systemd has given up
wait_for_start() {
  local limit=$1 from=$SECONDS said=$SECONDS job
  while job=$(systemctl show -P Job multi-user.target) && ! systemctl is-active --quiet multi-user.target; do
    if [[ -z $job || $job == 0 ]]; then # asked for before the state was, or its end between the two would look like this
      what_is_missing "the host has given up starting"
      return 1
    elif ((SECONDS - from >= limit)); then
      what_is_missing "the host has not started within $limit s"
      return 1
    elif ((SECONDS - said >= 10)); then
      printf 'still waiting for the host to start (%d of at most %d s)\n' $((SECONDS - from)) "$limit"
      said=$SECONDS
    fi
    sleep 1
  done
}

what_is_missing() { # WHY
  printf '%s; jobs that are not over, and units that failed:\n' "$1"
  systemctl list-jobs --no-pager --no-legend
  systemctl list-units --failed --no-pager --no-legend --plain
}

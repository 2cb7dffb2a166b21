# shellcheck shell=bash
# shellcheck disable=SC2034 # the checks use them
# What the checks in dom0 share. A check is a function; its output is shown when it fails.

PATH=$PATH:/run/bin # what the installed host lacks (setup.sh)
store=lvm:vg0/pool
image=debian-minimal
tests=/run/payload/tests
consoles=/var/log/xen/console
login_limit=${LOGIN_LIMIT:-600} # seconds; an idle machine needs 40 (PV) or 70 (PVH) a guest
passed=0
failed=0

# check WHAT FUNCTION ARGUMENTS...: one line each, in the words of TAP
check() {
  local what=$1 start=$SECONDS log status=0
  shift
  log=$(mktemp)
  # A subshell with -e of its own: the first command that fails ends the check. (In a condition -e would be off.)
  set +e
  (set -euxo pipefail; "$@") >"$log" 2>&1
  status=$?
  set -e
  if ((status == 0)); then
    passed=$((passed + 1))
    printf 'ok %d - %s (%d s)\n' $((passed + failed)) "$what" $((SECONDS - start))
  else
    failed=$((failed + 1))
    printf 'not ok %d - %s (%d s), status %d\n' $((passed + failed)) "$what" $((SECONDS - start)) "$status"
    tail -n 40 "$log" | tr -cd '\t\n\040-\176' | sed 's/^/#   /'
  fi
  rm -f "$log"
}

# The last line of a file of checks.
finish() {
  printf '1..%d\n' $((passed + failed))
  ((failed == 0)) || exit 1
}

# same WHAT WANTED SEEN
same() {
  [[ $2 == "$3" ]] || { printf '%s: wanted "%s", saw "%s"\n' "$1" "$2" "$3"; return 1; }
}

# fails_with STATUS TEXT COMMAND...: the command ends so and says so on stderr, in at most three lines
fails_with() {
  local wanted=$1 text=$2 status=0 said
  shift 2
  said=$(set +x; "$@" 2>&1 >/dev/null) || status=$?
  printf '%s\n' "$said"
  same "status of '$*'" "$wanted" "$status"
  [[ $said == *"$text"* ]] || { printf 'it does not say "%s"\n' "$text"; return 1; }
}

# json EXPRESSION: of the document on stdin, called d. Lists come one item a line.
json() {
  python3 -c '
import json, sys
d = json.load(sys.stdin)
value = eval(sys.argv[1])
for item in value if isinstance(value, list) else [value]:
    print(item)' "$1"
}

# lv FIELDS NAME: what LVM itself says of one volume
lv() { lvs --noheadings --separator ' ' -o "$1" "vg0/$2" 2>/dev/null | sed 's/^ *//; s/ *$//'; }

# The volumes there are, but for the pool and its parts, and the host's own
volumes() { lvs --noheadings -o lv_name,lv_layout vg0 | sed -E '/pool|^ *(slot-[ab]|state) /d; s/^ *([^ ]+).*/\1/' | sort; }

guest() { domsmith guest show "$1" --json | json "$2"; }

# Everything of domsmith's that a kill may have left: volumes, configs, guests, MACs
footprint() {
  volumes
  find /etc/xen -name '*.cfg' -o -path '/etc/xen/auto/*' | sort
  domsmith list --json | json '[g["name"] + " " + g["state"] for g in d["guests"]] + [i["name"] + " " + i["state"] for i in d["images"]]'
  find /etc/xen /var/lib/domsmith -name '.*' ! -name '.' -newer /run/payload/authorized_keys -type f | sort
}

# The golden image in the thin pool, whichever file of checks comes first.
have_image() {
  [[ -n $(domsmith image list --json | json "[i['name'] for i in d['images'] if i['name'] == '$image' and i['store'] == '$store']") ]] ||
    domsmith image import "/run/payload/images/$image" --store "$store"
}

# wait_login NAME: until the guest's console shows its login prompt
wait_login() {
  local log=$consoles/guest-$1.log start=$SECONDS turn=0
  until grep -qa "^$1 login:" "$log" 2>/dev/null; do
    # Each xl takes from the guests, which want the CPU.
    if ((++turn % 10 == 0)) && ! xl domid "$1" >/dev/null 2>&1; then
      echo "the domain of $1 is gone; its console ends with:"
      tail -n 15 "$log"
      return 1
    fi
    if ((SECONDS - start > login_limit)); then
      echo "no login prompt of $1 after $login_limit s; its console ends with:"
      tail -n 15 "$log"
      return 1
    fi
    sleep 2
  done
}

# gtest PROGRAM FILTER: the program's tests that fit; where none ran, or all were skipped, that is a failure.
gtest() {
  local report
  report=$(mktemp -d)
  "$tests/$1" --gtest_brief=1 --gtest_filter="$2" "--gtest_output=json:$report/report.json"
  python3 -c '
import json, sys
cases = [case for suite in json.load(sys.stdin)["testsuites"] for case in suite["testsuite"]]
ran = [case for case in cases if case["status"] == "RUN" and case["result"] == "COMPLETED"]
print(f"{len(ran)} of {len(cases)} tests ran")
sys.exit(0 if ran else "no test ran")' <"$report/report.json"
  rm -rf "$report"
}

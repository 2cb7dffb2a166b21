"""Runs commands, measures them, puts rows together: what every row of script/bench needs."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time

# virt-customize with its own QEMU, on a machine without KVM.
LIBGUESTFS = {"LIBGUESTFS_BACKEND": "direct", "LIBGUESTFS_BACKEND_SETTINGS": "force_tcg"}


class Failed(Exception):
    """A command of the bench failed; its text is for people."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(argv, env=None, stdout=None):
    """Runs a command to its end; its output is shown only when it fails."""
    done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=stdout or subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, **(env or {})}, check=False)
    if done.returncode != 0:
        tail = done.stderr.decode(errors="replace").strip().splitlines()[-10:]
        raise Failed(f"{' '.join(map(str, argv))}\n  " + "\n  ".join(tail))
    return done


def seconds(action):
    """Wall seconds of a call."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def peak_memory_mib(argv):
    """The largest resident set of the command itself, its children not counted (VmHWM of proc(5))."""
    child = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
    peak = 0
    while child.poll() is None:
        try:
            with open(f"/proc/{child.pid}/status", encoding="ascii", errors="replace") as status:
                peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM:")])
        except OSError:
            pass
        time.sleep(0.02)
    if child.returncode != 0:
        raise Failed(f"{' '.join(map(str, argv))}\n  " + child.stderr.read().decode(errors="replace")[-500:])
    return peak / 1024


def alternately(runs, *actions, before=lambda: None):
    """The seconds of each action, measured in turns, so that a busy moment of the machine hits all of them alike. What comes
    before each of them is not measured."""
    times = [[] for _ in actions]
    for _ in range(runs):
        for taken, action in zip(times, actions):
            before()
            taken.append(seconds(action))
    return times


def ratio_row(name, goal, ours, peer, what):
    """ours and peer are lists of seconds; the value is the ratio of their medians, smaller is better."""
    own, other = statistics.median(ours), statistics.median(peer)
    return {"name": name, "value": own / other, "unit": "ratio", "goal": goal, "ours": own, "peer": other,
            "runs": min(len(ours), len(peer)), "what": what}


def value_row(name, goal, values, unit, what):
    return {"name": name, "value": statistics.median(values), "unit": unit, "goal": goal, "ours": statistics.median(values),
            "peer": None, "runs": len(values), "what": what}


def machine():
    cpu = "unknown"
    memory = 0
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        for line in info:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo", encoding="ascii") as info:
        memory = int(info.readline().split()[1]) // 1024
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_mib": memory, "kernel": platform.release(),
            "load": round(os.getloadavg()[0], 2), "date": time.strftime("%Y-%m-%d", time.gmtime())}


def number(value):
    if value is None:
        return "-"
    return f"{value:.4f}" if value < 0.1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def report(rows, as_json):
    if as_json:
        print(json.dumps({"machine": machine(), "rows": rows}, indent=2))
        return
    facts = machine()
    print(f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_mib']} MiB, Linux {facts['kernel']}, "
          f"load {facts['load']}, {facts['date']}\n")
    print("| row | value | unit | goal | met | ours | peer | runs | what |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        met = "yes" if row["value"] <= row["goal"] else "no"
        print(f"| {row['name']} | {number(row['value'])} | {row['unit']} | <= {row['goal']} | {met} | {number(row['ours'])} "
              f"| {number(row['peer'])} | {row['runs']} | {row['what']} |")

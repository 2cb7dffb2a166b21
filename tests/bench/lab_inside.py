"""Runs inside the lab (LVM under QEMU): the rows of `script/bench --lab`, both sides of each in turns. Prints JSON lists, one a line.

    lab_inside.py RUNS GUESTS MANY      GUESTS in a batch (1,000), MANY for the large ones (5,000)
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from measure import LIBGUESTFS, Failed, peak_memory_mib, ratio_row, run, say, seconds, value_row

GROUP, POOL, IMAGE = "vg0", "pool", "debian-minimal"
BY_HAND = 200  # volumes that the peers make in all runs together
FEW = 100
SETTLED = 15
TOOLS = Path("/run/payload/bench/virt-customize.img")  # a root file system with virt-customize in it
APPLIANCE = Path("/run/payload/bench/appliance")


def domsmith(*words):
    return ["/run/payload/bin/domsmith", *words, "--progress", "none"]


def clone(name, count, first=1):
    return domsmith("clone", IMAGE, "--name", name, "--count", count, "--first", first, "--template", "tiny")


def by_hand(number):
    return f"hand-{number}"


def lvcreate(number):
    return ["lvcreate", "-q", "-y", "-s", "-ky", "-an", "-n", by_hand(number), f"{GROUP}/{IMAGE}"]


def lvremove(number):
    return ["lvremove", "-q", "-y", f"{GROUP}/{by_hand(number)}"]


def each(numbers, *commands):
    for number in numbers:
        for command in commands:
            run(command(number))


def lvm_shell(numbers):
    """One lvm(8) process that is fed a line for each volume."""
    lines = "".join(" ".join(lvcreate(number)) + "\n" for number in numbers)
    done = subprocess.run(["lvm"], input=lines.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    made = run(["lvs", "--noheadings", "-o", "lv_name", GROUP]).stdout.decode().split()
    missing = [number for number in numbers if by_hand(number) not in made]
    if done.returncode != 0 or missing:
        raise SystemExit(f"the lvm shell made all but {missing[:3]}: {done.stdout.decode()[-500:]}")


def batches(runs, count):
    """clone, reset and remove of `count` guests, each beside loops of LVM's commands."""
    share = max(BY_HAND // runs, 1)
    numbers = range(share)
    ours = {verb: [] for verb in ("clone", "reset", "remove")}
    peer = {verb: [] for verb in ("lvcreate", "shell", "reset", "remove")}
    for number in range(runs):
        say(f"run {number + 1} of {runs}: {count} guests in a batch, {share} volumes by hand")
        ours["clone"].append(seconds(lambda: run(clone("b", count))) / count)
        ours["reset"].append(seconds(lambda: run(domsmith("guest", "reset", "b-*"))) / count)
        ours["remove"].append(seconds(lambda: run(domsmith("guest", "remove", "b-*"))) / count)
        peer["lvcreate"].append(seconds(lambda: each(numbers, lvcreate)) / share)
        peer["reset"].append(seconds(lambda: each(numbers, lvremove, lvcreate)) / share)
        peer["remove"].append(seconds(lambda: each(numbers, lvremove)) / share)
        peer["shell"].append(seconds(lambda: lvm_shell(numbers)) / share)
        each(numbers, lvremove)
    whole = f"a guest out of {count} (volume, identity recorded, config written)"
    return [
        ratio_row("clone-1000-vs-lvcreate", 0.02, ours["clone"], peer["lvcreate"], f"{whole}, against a loop of lvcreate -s"),
        ratio_row("clone-1000-vs-lvm-shell", 0.05, ours["clone"], peer["shell"], f"{whole}, against one lvm shell fed lvcreate lines"),
        ratio_row("reset-1000", 0.02, ours["reset"], peer["reset"], f"a guest out of {count}, against a loop of lvremove and lvcreate -s"),
        ratio_row("remove-1000", 0.02, ours["remove"], peer["remove"], f"a guest out of {count}, its config and row too, against a loop of lvremove"),
    ]


def pool_bytes():
    """Data that the pool holds: blocks in use (dm-thin's status) times its chunk."""
    words = run(["dmsetup", "status", f"{GROUP}-{POOL}-tpool"]).stdout.decode().split()
    sectors = int(run(["dmsetup", "table", f"{GROUP}-{POOL}-tpool"]).stdout.decode().split()[5])
    return int(words[5].split("/")[0]) * sectors * 512


def hostname_on(volume):
    return run(["debugfs", "-R", "cat /etc/hostname", f"/dev/{GROUP}/{volume}"]).stdout.decode().strip()


def expect_hostname(volume, wanted):
    if hostname_on(volume) != wanted:
        raise Failed(f"{volume} is called '{hostname_on(volume)}'")


def tools_root():
    """The peer's root file system, mounted with what a program needs to be there."""
    root = Path("/run/virt-customize")
    root.mkdir()
    run(["mount", "-o", "loop,ro", TOOLS, root])
    for folder in ("dev", "proc", "sys"):
        run(["mount", "--bind", f"/{folder}", root / folder])
    for folder in ("tmp", "run", "var/tmp", "root"):
        run(["mount", "-t", "tmpfs", "tmpfs", root / folder])
    (root / "run/appliance").mkdir()
    run(["mount", "--bind", APPLIANCE, root / "run/appliance"])
    return root


def virt_customize(limit):
    """Seconds of one virt-customize --hostname, on a snapshot of the same image that is there and active already; and whether
    it was done by then. Its appliance is emulated by a machine that is emulated itself: it is stopped at `limit`."""
    say(f"virt-customize of one clone, for {limit:.0f} s at the most")
    root = tools_root()
    run(["lvcreate", "-q", "-y", "-s", "-kn", "-n", "peer", f"{GROUP}/{IMAGE}"])
    argv = ["chroot", root, "virt-customize", "-q", "--format", "raw", "-a", f"/dev/{GROUP}/peer", "--hostname", "peer"]
    begun = time.monotonic()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True,
                             env={**os.environ, **LIBGUESTFS, "LIBGUESTFS_PATH": "/run/appliance"})
    try:
        status = child.wait(limit)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)  # and its QEMU; what they held goes with the lab
        child.wait()
        return limit, False
    taken = time.monotonic() - begun
    if status != 0:
        raise Failed(f"virt-customize ended with {status}")
    expect_hostname("peer", "peer")
    return taken, True


def first_activation():
    """Seconds of each first activation with identity, and the pool data that the clones take."""
    say(f"first activation of {SETTLED} clones")
    run(clone("s", SETTLED))
    before = pool_bytes()
    times = [seconds(lambda: run(domsmith("guest", "settle", f"s-{number + 1}", "--activate"))) for number in range(SETTLED)]
    run(["sync"])
    kib = (pool_bytes() - before) / SETTLED / 1024
    expect_hostname("s-1", "s-1")
    run(["lvchange", "-an", *[f"{GROUP}/s-{number + 1}" for number in range(SETTLED)]])
    run(domsmith("guest", "remove", "s-*"))
    # A little longer than it may take for the goal to be met.
    goal = 0.002
    peer, ended = virt_customize(1.1 * statistics.median(times) / goal)
    end = "" if ended else ", which was stopped at that many seconds and was not done: the value is an upper bound"
    return [
        value_row("clone-data-kib", 128, [kib], "KiB", f"pool data of a fresh clone with its identity, mean of {SETTLED}, chunks of 64 KiB"),
        ratio_row("identity-vs-virt-customize", goal, times, [peer],
                  f"p50 of {SETTLED} first activations of a clone with its identity, against one virt-customize --hostname of an active snapshot{end}"),
    ]


def many(runs, count):
    say(f"{count} guests")
    few = [seconds(lambda: run(clone("f", FEW))) / FEW for _ in range(1)]
    run(domsmith("guest", "remove", "f-*"))
    memory = []
    large = [seconds(lambda: memory.append(peak_memory_mib([str(word) for word in clone("m", count - FEW)]))) / (count - FEW)]
    last = [seconds(lambda: run(clone("m", FEW, count - FEW + 1))) / FEW]
    ours, audit, peer = [], [], []
    for _ in range(runs):
        ours.append(seconds(lambda: run(domsmith("list"))))
        peer.append(seconds(lambda: run(["lvs", GROUP])))
        audit.append(seconds(lambda: run(domsmith("audit"))))
    memory.append(peak_memory_mib([str(word) for word in domsmith("guest", "reset", "m-*")]))
    memory.append(peak_memory_mib([str(word) for word in domsmith("guest", "remove", "m-*")]))
    return [
        ratio_row("clone-5000th-vs-first", 1.5, large, few, f"a guest of a batch of {count - FEW}, against one of the first {FEW}"),
        ratio_row("clone-100-beside-4900", 1.5, last, few, f"a guest of a batch of {FEW} beside {count - FEW} others, against one of the first {FEW}"),
        ratio_row("list-5000-vs-lvs", 2.0, ours, peer, f"domsmith list of {count} guests, against lvs"),
        ratio_row("audit-5000-vs-lvs", 2.0, audit, peer, f"domsmith audit of {count} guests, against lvs"),
        value_row("batch-memory-mib", 128, [max(memory)], "MiB", f"the largest of clone, reset and remove of {count}, children not counted"),
    ]


def main():
    runs, count, large = (int(word) for word in sys.argv[1:4])
    run(domsmith("image", "import", f"/run/payload/images/{IMAGE}"))
    # Line by line: what was measured is not lost where something later fails.
    for rows in (lambda: batches(runs, count), lambda: many(runs, large), first_activation):
        print(json.dumps(rows()), flush=True)


if __name__ == "__main__":
    main()

"""Runs inside the lab (LVM under QEMU): the rows of `script/bench --lab`, both sides of each in turns. Prints one JSON list.

    lab_inside.py RUNS GUESTS MANY      GUESTS in a batch (1,000), MANY for the large ones (5,000)
"""

import json
import statistics
import subprocess
import sys

from measure import peak_memory_mib, ratio_row, run, say, seconds, value_row

GROUP, POOL, IMAGE = "vg0", "pool", "debian-minimal"
BY_HAND = 200  # volumes that the peers make in all runs together
FEW = 100
SETTLED = 15
TAGS = ["--addtag", "bench"]


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


def first_activation():
    """Seconds of each first activation with identity, and the pool data that the clones take."""
    say(f"first activation of {SETTLED} clones")
    run(clone("s", SETTLED))
    before = pool_bytes()
    times = [seconds(lambda: run(domsmith("guest", "settle", f"s-{number + 1}", "--activate"))) for number in range(SETTLED)]
    run(["sync"])
    kib = (pool_bytes() - before) / SETTLED / 1024
    run(["lvchange", "-an", *[f"{GROUP}/s-{number + 1}" for number in range(SETTLED)]])
    run(domsmith("guest", "remove", "s-*"))
    return times, value_row("clone-data-kib", 128, [kib], "KiB",
                            f"pool data of a fresh clone with its identity, mean of {SETTLED}, chunks of 64 KiB")


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
    rows = batches(runs, count)
    times, data = first_activation()
    rows += [data, *many(runs, large)]
    print(json.dumps({"rows": rows, "first_activation": times, "p50": statistics.median(times)}))


if __name__ == "__main__":
    main()

"""The rows of `script/bench --iso`: what the hypervisor's medium weighs, and what it makes of a machine in QEMU."""

import json
import os
import subprocess
import sys
from pathlib import Path

from measure import Failed, ratio_row, run, say, value_row

WRITTEN_MIB = 256  # what install.sh has dd write: a slot


def medium_rows(domsmith, work, cache):
    """A medium without images and answer file: sizes."""
    done = run([domsmith, "iso", "build", "-o", work / "plain.iso", "--root", cache, "--progress=none", "--json"])
    facts = json.loads(done.stdout)
    mib = 1 << 20
    return [value_row("iso-mib", 72, [facts["size"] / mib], "MiB", "a medium without images"),
            value_row("slot-mib", 64, [facts["slot"]["size"] / mib], "MiB", "Xen, kernel, initramfs, root"),
            value_row("packages", 100, [len(facts["slot"]["packages"])], "packages", "with a file in the root")]


def installed_numbers(repo, domsmith, work, cache):
    """What tests/iso/install.sh wrote down, by name."""
    done = subprocess.run([str(repo / "tests/iso/install.sh"), "--domsmith", str(domsmith)], stdin=subprocess.DEVNULL,
                          stdout=sys.stderr, env={**os.environ, "DOMSMITH_ISO_STATE": str(work), "DOMSMITH_ISO_CACHE": str(cache)},
                          check=False)
    if done.returncode != 0:
        raise Failed("the installation failed")
    lines = (work / "numbers").read_text(encoding="ascii").splitlines()
    return {name: float(value) for name, value in (line.split() for line in lines)}


def boot_row(repo, domsmith, work, cache, runs):
    """The host that the installation left, against stock Debian: tests/iso/boot-time.sh."""
    done = subprocess.run([str(repo / "tests/iso/boot-time.sh"), "--domsmith", str(domsmith), "--runs", str(runs)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "DOMSMITH_ISO_STATE": str(work), "DOMSMITH_ISO_CACHE": str(cache)}, check=False)
    if done.returncode != 0:
        raise Failed("the comparison of starts failed: " + " ".join(done.stdout.splitlines()[-5:]))
    seconds = {"ours": [], "peer": []}
    for line in done.stdout.splitlines():
        side, value = line.split()
        seconds[side].append(float(value))
    return ratio_row("boot-vs-stock-debian", 0.4, seconds["ours"], seconds["peer"],
                     "from GRUB's choice to the first xl info that works, against Debian with xen-system-amd64 on the same machine")


def rows(repo, runs):
    """One after the other: what was measured is not lost where something later fails."""
    repo = Path(repo)
    work = repo / "build/bench/iso"
    cache = Path(os.environ.get("DOMSMITH_ISO_CACHE", Path.home() / ".cache/domsmith/iso"))
    work.mkdir(parents=True, exist_ok=True)
    domsmith = repo / "build/release/bin/domsmith"
    say("iso: a medium")
    yield from medium_rows(domsmith, work, cache)
    say("iso: an installation in QEMU, and its first start")
    seen = installed_numbers(repo, domsmith, work, cache)
    yield from [value_row("dom0-used-mib", 64, [seen["dom0-used-mib"]], "MiB", "MemTotal - MemAvailable, two guests run; 224 MiB assigned"),
                value_row("processes", 12, [seen["processes"]], "processes", "of users, two guests run"),
                value_row("tcp-ports", 1, [seen["tcp-ports"]], "ports", "open"),
                value_row("min-disk-gib", 4, [seen["disk-gib"]], "GiB", "the disk that this run installed on"),
                value_row("min-memory-mib", 512, [seen["memory-mib"]], "MiB", "the memory that this run installed and started two guests with")]
    written = seen["dd-256-mib-seconds"] * seen["installed-mib"] / WRITTEN_MIB
    yield ratio_row("install-vs-dd-and-boot", 1.5, [seen["install-seconds"]], [seen["medium-boot-seconds"] + written],
                    "the whole installation, against one boot of the medium and dd of the installed bytes")
    say("iso: starts, ours and stock Debian's")
    yield boot_row(repo, domsmith, work, cache, runs)

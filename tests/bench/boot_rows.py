"""The rows of `script/bench --boot`: how soon a guest's kernel speaks, with our boot files and with Debian's own, in the lab."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from measure import Failed, ratio_row, run, say

# As Debian itself boots: the kernel as it is packed, an initramfs by initramfs-tools with the drivers of every machine. The
# same images give our boot files.
RECIPE = """
[image]
name = "{name}"
[distribution]
release = "bookworm"
[packages]
install = ["systemd-sysv", "initramfs-tools", "zstd"]
[boot]
kernel = "{kernel}"
[[script]]
phase = "final"
content = "#!/bin/sh -e\\nupdate-initramfs -c -k all\\n"
"""
KERNELS = {"": "linux-image-amd64", "cloud-": "linux-image-cloud-amd64"}
GOALS = {"": 0.2, "cloud-": 1.0}


def copy_out(image, pattern, target):
    """One file of /boot, by debugfs(8)."""
    names = run(["debugfs", "-R", "ls -p /boot", image]).stdout.decode().split("/")
    found = [name for name in names if name.startswith(pattern)]
    if not found:
        raise Failed(f"{image} has no /boot/{pattern}*")
    run(["debugfs", "-R", f"dump /boot/{found[0]} {target}", image])


def boot_files(repo, work, prefix):
    """Builds an image and exports it; the boot files of both sides, as (file, name in the lab)."""
    name = f"{prefix}boot"
    recipe = work / f"{name}.toml"
    recipe.write_text(RECIPE.format(name=name, kernel=KERNELS[prefix]), encoding="ascii")
    folder = work / name
    folder.mkdir()
    domsmith = [repo / "build/release/bin/domsmith"]
    place = ["--store", f"dir:{work / 'store'}", "--root", work / "root", "--progress", "none"]
    run([*domsmith, "build", recipe, *place])
    run([*domsmith, "image", "export", name, "--output", folder, *place])
    image = folder / f"{name}.img"
    copy_out(image, "vmlinuz-", folder / "peer-kernel")
    copy_out(image, "initrd.img-", folder / "peer-initrd")
    return {f"{prefix}ours/kernel": folder / "kernel", f"{prefix}ours/initrd": folder / "initrd.img",
            f"{prefix}peer/kernel": folder / "peer-kernel", f"{prefix}peer/initrd": folder / "peer-initrd"}


def rows(repo, runs):
    repo = Path(repo)
    work = repo / "build/bench/boot"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    payload = {"boot_inside.py": repo / "tests/bench/boot_inside.py"}
    for prefix, kernel in KERNELS.items():
        say(f"boot: an image with {kernel}, its boot files by us and by Debian")
        payload |= boot_files(repo, work, prefix)
    lab = [repo / "tests/lab/lab", "--state", work / "lab"]
    run([*lab, "down"])
    say("boot: the lab")
    run([*lab, "up", "--debian", *(word for name, file in payload.items() for word in ("--with", f"{file}={name}"))])
    try:
        say(f"boot: xl create to the kernel's first line, {runs} runs a side, PVH and PV")
        sides = " ".join(f"{prefix}{side}=/run/payload/{prefix}{side}" for prefix in KERNELS for side in ("ours", "peer"))
        done = subprocess.run([str(word) for word in [*lab, "run", "--limit", 3600, f"python3 -B /run/payload/boot_inside.py {runs} {sides}"]],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sys.stderr, check=False)
        if done.returncode != 0:
            raise Failed("the lab's part of the bench failed")
        times = json.loads(done.stdout.decode().strip().splitlines()[-1])
    finally:
        run([*lab, "down"])
    return [ratio_row(f"create-{prefix}vs-debian-initramfs-{kind}", GOALS[prefix], times[f"{kind}-{prefix}ours"],
                      times[f"{kind}-{prefix}peer"],
                      f"xl create to the kernel's first line, {kind.upper()}, {KERNELS[prefix]}, our boot files against Debian's own, in the lab")
            for prefix in KERNELS for kind in ("pvh", "pv")]

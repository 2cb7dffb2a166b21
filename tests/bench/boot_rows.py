"""The rows of `script/bench --boot`: how soon a guest's kernel speaks, with our boot files and with Debian's own, in the lab."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from measure import Failed, ratio_row, run, say

# As Debian itself boots: its kernel as it is packed, an initramfs by initramfs-tools with the drivers of every machine.
PEER = """
[image]
name = "debian-initramfs"
[distribution]
release = "bookworm"
[packages]
install = ["systemd-sysv", "initramfs-tools", "zstd", "linux-image-amd64"]
[[script]]
phase = "final"
content = "#!/bin/sh -e\\nupdate-initramfs -c -k all\\n"
"""


def copy_out(image, pattern, target):
    """One file of /boot, by debugfs(8)."""
    names = run(["debugfs", "-R", "ls -p /boot", image]).stdout.decode().split("/")
    found = [name for name in names if name.startswith(pattern)]
    if not found:
        raise Failed(f"{image} has no /boot/{pattern}*")
    run(["debugfs", "-R", f"dump /boot/{found[0]} {target}", image])


def boot_files(repo, work, recipe, folder):
    """Builds and exports an image; its own boot files lie in the folder then, as kernel and initrd.img."""
    domsmith = [repo / "build/release/bin/domsmith"]
    place = ["--root", work / "root", "--progress", "none"]
    run([*domsmith, "build", recipe, "--store", f"dir:{work / 'store'}", *place])
    folder.mkdir()
    run([*domsmith, "image", "export", recipe.stem, "--output", folder, "--store", f"dir:{work / 'store'}", *place])


def rows(repo, runs):
    repo = Path(repo)
    work = repo / "build/bench/boot"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    recipe = work / "debian-initramfs.toml"
    recipe.write_text(PEER, encoding="ascii")
    say("boot: an image with our boot files, one with Debian's")
    boot_files(repo, work, repo / "rootfs-recipes/debian-minimal.toml", work / "ours")
    boot_files(repo, work, recipe, work / "peer")
    image = work / "peer/debian-initramfs.img"
    copy_out(image, "vmlinuz-", work / "peer/vmlinuz")
    copy_out(image, "initrd.img-", work / "peer/initrd")
    lab = [repo / "tests/lab/lab", "--state", work / "lab"]
    inside = repo / "tests/bench/boot_inside.py"
    run([*lab, "down"])
    say("boot: the lab")
    run([*lab, "up", "--with", f"{inside}=boot_inside.py", "--with", f"{work / 'ours/kernel'}=ours/kernel",
         "--with", f"{work / 'ours/initrd.img'}=ours/initrd", "--with", f"{work / 'peer/vmlinuz'}=peer/kernel",
         "--with", f"{work / 'peer/initrd'}=peer/initrd"])
    try:
        say(f"boot: xl create to the kernel's first line, {runs} runs a side, PVH and PV")
        command = f"python3 -B /payload/boot_inside.py {runs} ours=/payload/ours peer=/payload/peer"
        done = subprocess.run([str(word) for word in [*lab, "run", "--limit", 3600, command]], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=sys.stderr, check=False)
        if done.returncode != 0:
            raise Failed("the lab's part of the bench failed")
        times = json.loads(done.stdout.decode().strip().splitlines()[-1])
    finally:
        run([*lab, "down"])
    return [ratio_row(f"create-vs-debian-initramfs-{kind}", 0.2, times[f"{kind}-ours"], times[f"{kind}-peer"],
                      f"xl create to the kernel's first line, {kind.upper()}, our boot files against Debian's own, in the lab")
            for kind in ("pvh", "pv")]

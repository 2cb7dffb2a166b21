"""The rows of `script/bench --lab`: whole verbs on thousands of guests, beside LVM's own commands, in one boot of the lab."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from measure import LIBGUESTFS, Failed, ratio_row, run, say, seconds

GUESTS, MANY = 1000, 5000
LIMIT = 7200  # seconds; emulation is slow


class Lab:
    def __init__(self, repo):
        self.repo = Path(repo)
        self.work = self.repo / "build/bench"
        self.argv = [self.repo / "tests/lab/lab", "--state", self.work / "lab"]
        self.work.mkdir(parents=True, exist_ok=True)

    def image(self):
        done = run([*self.argv, "image", self.repo / "rootfs-recipes/debian-minimal.toml"])
        return Path(done.stdout.decode().strip().splitlines()[-1])

    def up(self, image):
        inside = self.repo / "tests/bench"
        run([*self.argv, "down"])
        run([*self.argv, "up", "--without-xen", "--with", f"{image}=images/debian-minimal",
             "--with", f"{inside / 'lab_inside.py'}=bench/lab_inside.py", "--with", f"{inside / 'measure.py'}=bench/measure.py"],
            env={"DOMSMITH_LAB_LIMIT": str(LIMIT)})

    def measure(self, runs, guests, many):
        command = f"python3 -B /run/payload/bench/lab_inside.py {runs} {guests} {many}"
        done = subprocess.run([str(word) for word in [*self.argv, "run", "--limit", LIMIT, command]],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sys.stderr, check=False)
        if done.returncode != 0:
            raise Failed("the lab's part of the bench failed")
        return json.loads(done.stdout.decode().strip().splitlines()[-1])

    def down(self):
        run([*self.argv, "down"])


def virt_customize(work, golden, runs):
    """Outside the lab, where it is not slowed by emulation twice."""
    say("virt-customize of one clone")
    copy = work / "virt.img"
    times = []
    for _ in range(runs):
        run(["cp", "--sparse=always", "--reflink=auto", golden, copy])
        times.append(seconds(lambda: run(["virt-customize", "-q", "--format", "raw", "-a", copy, "--hostname", "peer"],
                                         env=LIBGUESTFS)))
    copy.unlink()
    return times


def rows(repo, runs, guests=GUESTS, many=MANY):
    lab = Lab(repo)
    image = lab.image()
    lab.up(image)
    try:
        seen = lab.measure(runs, guests, many)
    finally:
        lab.down()
    result = seen["rows"]
    if shutil.which("virt-customize"):
        peer = virt_customize(lab.work, image / "debian-minimal.img", 1)
        result.append(ratio_row("identity-vs-virt-customize", 0.002, seen["first_activation"], peer,
                                "p50 of the first activation of a clone with its identity, in the lab, against virt-customize "
                                "--hostname outside it, where a CPU is about ten times faster"))
    return result

"""The rows of `script/bench --lab`: whole verbs on thousands of guests, beside LVM's own commands, in one boot of the lab."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from measure import Failed, run

GUESTS, MANY = 1000, 5000
LIMIT = 7200  # seconds; emulation is slow
APPLIANCE_PARTS = Path("/usr/lib/x86_64-linux-gnu/guestfs/supermin.d")


class Lab:
    def __init__(self, repo):
        self.repo = Path(repo)
        self.work = self.repo / "build/bench"
        self.argv = [self.repo / "tests/lab/lab", "--state", self.work / "lab"]
        self.work.mkdir(parents=True, exist_ok=True)

    def image(self, recipe):
        done = run([*self.argv, "image", self.repo / recipe])
        return Path(done.stdout.decode().strip().splitlines()[-1])

    def appliance(self):
        """virt-customize's, made here from the host's kernel as libguestfs-make-fixed-appliance(1) does it: in the lab that alone
        would take an hour."""
        folder = self.work / "appliance"
        shutil.rmtree(folder, ignore_errors=True)
        run(["supermin", "--build", "--format", "ext2", "--copy-kernel", "-o", folder, APPLIANCE_PARTS])
        (folder / "README.fixed").write_text("made by script/bench\n", encoding="ascii")
        return folder

    def up(self):
        inside = self.repo / "tests/bench"
        payload = {"images/debian-minimal": self.image("rootfs-recipes/debian-minimal.toml"),
                   "bench/virt-customize.img": self.image("tests/bench/virt-customize.toml") / "virt-customize.img",
                   "bench/appliance": self.appliance(), "bench/lab_inside.py": inside / "lab_inside.py", "bench/measure.py": inside / "measure.py"}
        run([*self.argv, "down"])
        run([*self.argv, "up", "--without-xen", *(word for name, path in payload.items() for word in ("--with", f"{path}={name}"))],
            env={"DOMSMITH_LAB_LIMIT": str(LIMIT)})

    def measure(self, runs, guests, many):
        """Rows as they come."""
        command = f"python3 -B /run/payload/bench/lab_inside.py {runs} {guests} {many}"
        done = subprocess.run([str(word) for word in [*self.argv, "run", "--limit", LIMIT, command]],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sys.stderr, check=False)
        for line in done.stdout.decode().splitlines():
            if line.startswith("["):
                yield from json.loads(line)
        if done.returncode != 0:
            raise Failed("the lab's part of the bench failed")

    def down(self):
        run([*self.argv, "down"])


def rows(repo, runs, guests=GUESTS, many=MANY):
    lab = Lab(repo)
    lab.up()
    try:
        yield from lab.measure(runs, guests, many)
    finally:
        lab.down()

"""In the lab's dom0: `xl create` to the first line of the guest's kernel. Prints one JSON document.

boot_inside.py RUNS NAME=FOLDER...: each folder holds `kernel` and `initrd`."""

import json
import os
import re
import select
import subprocess
import sys
import time

FIRST_LINE = re.compile(rb"\[ *\d+\.\d+\] ")  # of printk; a PVH kernel has no console before hvc0, and may begin later in its log
LIMIT = 240  # seconds; emulation is slow

# No disk and no network card: what is compared is what the kernel and its initramfs cost.
CONFIG = """
name = "bench"
type = "{type}"
memory = 512
kernel = "{folder}/kernel"
ramdisk = "{folder}/initrd"
extra = "console=hvc0 earlyprintk=xen"
on_crash = "destroy"
on_poweroff = "destroy"
on_reboot = "destroy"
"""


def to_first_line(path):
    """Seconds; `xl create -c` has the console before the guest runs."""
    begun = time.monotonic()
    child = subprocess.Popen(["xl", "create", "-c", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = b""
    try:
        while not FIRST_LINE.search(said):
            ready, _, _ = select.select([child.stdout], [], [], LIMIT - (time.monotonic() - begun))
            more = os.read(child.stdout.fileno(), 4096) if ready else b""
            if not more:
                sys.exit(f"no first line of a kernel: {said[-500:].decode(errors='replace')}")
            said += more
        return time.monotonic() - begun
    finally:
        subprocess.run(["xl", "destroy", "bench"], check=False, stderr=subprocess.DEVNULL)
        child.communicate()


def main():
    runs, sides = int(sys.argv[1]), dict(word.split("=", 1) for word in sys.argv[2:])
    times = {}
    for kind in ("pvh", "pv"):
        for _ in range(runs):
            for name, folder in sides.items():
                path = f"/run/bench-{name}.cfg"
                with open(path, "w", encoding="ascii") as config:
                    config.write(CONFIG.format(type=kind, folder=folder))
                times.setdefault(f"{kind}-{name}", []).append(to_first_line(path))
    print(json.dumps(times))


main()

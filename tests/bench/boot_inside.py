"""In the lab's dom0: `xl create` to the first line of the guest's kernel. Prints one JSON document.

boot_inside.py RUNS NAME=FOLDER...: each folder holds `kernel` and `initrd`."""

import json
import subprocess
import sys
import time
from pathlib import Path

FIRST_LINE = b"] Linux version "  # of every kernel
LOGS = Path("/var/log/xen/console")
LIMIT = 240  # seconds; emulation is slow
TICK = 0.01

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


def log_hypervisor():
    """earlyprintk=xen speaks into the guest's console as PV, and through Xen's port 0xe9 into Xen's own log as PVH (Linux,
    drivers/tty/hvc/hvc_xen.c): xenconsoled shall keep both."""
    unit = subprocess.run(["systemctl", "cat", "xenconsoled"], check=True, stdout=subprocess.PIPE, text=True).stdout
    start = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    folder = Path("/run/systemd/system/xenconsoled.service.d")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.conf").write_text(f"[Service]\nExecStart=\n{start.replace('--log=guest', '--log=all')}\n", encoding="ascii")
    subprocess.run(["xl", "set-parameters", "guest_loglvl=all"], check=True)
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "restart", "xenconsoled"], check=True)


def to_first_line(kind, path):
    """Seconds."""
    log = LOGS / ("hypervisor.log" if kind == "pvh" else "guest-bench.log")
    seen = log.stat().st_size if log.exists() else 0
    begun = time.monotonic()
    child = subprocess.Popen(["xl", "create", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        said = b""
        while FIRST_LINE not in said:
            if time.monotonic() - begun > LIMIT or child.poll() not in (None, 0):
                sys.exit(f"no first line of a kernel in {log}: {said[-500:].decode(errors='replace')}")
            time.sleep(TICK)
            if log.exists():
                with open(log, "rb") as file:
                    file.seek(seen)
                    said = file.read()
        return time.monotonic() - begun
    finally:
        child.wait()
        subprocess.run(["xl", "destroy", "bench"], check=False, stderr=subprocess.DEVNULL)


def main():
    runs, sides = int(sys.argv[1]), dict(word.split("=", 1) for word in sys.argv[2:])
    log_hypervisor()
    times = {}
    for kind in ("pvh", "pv"):
        for _ in range(runs):
            for name, folder in sides.items():
                path = f"/run/bench-{name}.cfg"
                Path(path).write_text(CONFIG.format(type=kind, folder=folder), encoding="ascii")
                times.setdefault(f"{kind}-{name}", []).append(to_first_line(kind, path))
    print(json.dumps(times))


main()

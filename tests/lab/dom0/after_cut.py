#!/usr/bin/env python3
"""In dom0, after a power cut and the boot that followed: recovers, and looks whether anything is half.

    after_cut.py golden                         the hash of the golden image
    after_cut.py check SAMPLE [DONE-PATTERN]    SAMPLE guests of each kind are looked into; DONE-PATTERN: PREFIX:COUNT that
                                                was reported done before the cut

Prints one JSON document; exits 1 with what is wrong.
"""

import fnmatch
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

GROUP, POOL, IMAGE = "vg0", "pool", "debian-minimal"


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} failed ({done.returncode}):\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
    return done.stdout


def expect(truth, what):
    if not truth:
        sys.exit(what)


def lvs(*fields):
    shown = run("lvs", "--reportformat", "json", "-o", ",".join(fields), GROUP)
    return json.loads(shown)["report"][0]["lv"]


def golden_hash():
    """Of the blocks that the golden image has in the pool; the others read as zeroes."""
    device = next(row["thin_id"] for row in lvs("lv_name", "thin_id") if row["lv_name"] == IMAGE)
    pool = f"{GROUP}-{POOL}-tpool"
    run("dmsetup", "message", pool, "0", "reserve_metadata_snap")
    dump = run("thin_dump", "-m", "--dev-id", device, f"/dev/mapper/{GROUP}-{POOL}_tmeta")
    run("dmsetup", "message", pool, "0", "release_metadata_snap")
    root = xml.fromstring(dump)
    chunk = int(root.get("data_block_size")) * 512
    run("lvchange", "-ay", "-K", f"{GROUP}/{IMAGE}")
    digest = hashlib.sha256()
    with open(f"/dev/{GROUP}/{IMAGE}", "rb", buffering=0) as volume:
        for mapping in root.iter():
            if mapping.tag not in ("single_mapping", "range_mapping"):
                continue
            first = int(mapping.get("origin_block") or mapping.get("origin_begin"))
            digest.update(str(first).encode())
            for block in range(first, first + int(mapping.get("length") or 1)):
                digest.update(os.pread(volume.fileno(), chunk, block * chunk))
    run("lvchange", "-an", f"{GROUP}/{IMAGE}")
    return digest.hexdigest()


def pool_is_clean():
    run("vgck", GROUP)
    # LVM has thin_check look at the pool before it activates it, and refuses where that finds fault.
    run("lvchange", "-an", f"{GROUP}/{POOL}")
    run("lvchange", "-ay", f"{GROUP}/{POOL}")
    pool = f"{GROUP}-{POOL}-tpool"
    run("dmsetup", "message", pool, "0", "reserve_metadata_snap")
    devices = set(run("thin_ls", "-m", "--no-headers", "-o", "DEV", f"/dev/mapper/{GROUP}-{POOL}_tmeta").split())
    run("dmsetup", "message", pool, "0", "release_metadata_snap")
    known = {row["thin_id"] for row in lvs("thin_id") if row["thin_id"]}
    expect(devices == known, f"devices of the pool and of its volumes differ: {sorted(devices ^ known)[:9]}")


def nothing_is_orphaned(guests):
    names = {guest["name"] for guest in guests}
    volumes = {row["lv_name"] for row in lvs("lv_name", "lv_layout") if "pool" not in row["lv_layout"]} - {IMAGE}
    strange = [name for name in volumes if re.search(r"\.(?!fresh$)", name)]
    expect(not strange, f"half-made volumes: {strange[:9]}")
    expect({name.split(".")[0] for name in volumes} == names,
           f"volumes and guests differ: {sorted({name.split('.')[0] for name in volumes} ^ names)[:9]}")
    configs = {file[:-4] for file in os.listdir("/etc/xen") if file.endswith(".cfg")}
    expect(configs == names, f"configs and guests differ: {sorted(configs ^ names)[:9]}")
    left = [file for file in os.listdir("/etc/xen") if file.startswith(".")]
    expect(not left, f"half-written configs: {left[:9]}")
    for guest in guests:
        with open(f"/etc/xen/{guest['name']}.cfg", encoding="utf-8") as config:
            expect(guest["uuid"] in config.read(), f"the config of {guest['name']} is not its own")


def is_whole(guest):
    """A guest that waits for its identity gets it; then its file system is clean and says who it is."""
    device = f"/dev/{GROUP}/{guest['name']}"
    run("domsmith", "guest", "settle", guest["name"], "--activate")
    run("e2fsck", "-fn", device)
    for file, wanted in (("/etc/hostname", guest["name"]), ("/etc/machine-id", guest["machine_id"])):
        seen = run("debugfs", "-R", f"cat {file}", device).strip()
        expect(seen == wanted, f"{file} of {guest['name']} says '{seen}', not '{wanted}'")
    run("lvchange", "-an", f"{GROUP}/{guest['name']}")


def check(sample, done):
    recovered = run("domsmith", "recover").strip()
    expect(run("domsmith", "recover").strip() == "nothing to recover", "a second recovery found work")
    guests = json.loads(run("domsmith", "guest", "list", "--json"))["guests"]
    expect(all(guest["state"] == "ready" for guest in guests), "a guest is not ready")
    if done:
        prefix, count = done.split(":")
        there = [guest for guest in guests if fnmatch.fnmatch(guest["name"], prefix + "-*")]
        expect(len(there) == int(count), f"{count} guests {prefix}-* were reported done, {len(there)} are there")
    pool_is_clean()
    nothing_is_orphaned(guests)
    kinds = {}
    for guest in guests:
        kinds.setdefault(guest["name"].split("-")[0], []).append(guest)
    looked = 0
    for kind in kinds.values():
        for guest in random.sample(kind, min(sample, len(kind))):
            is_whole(guest)
            looked += 1
    print(json.dumps({"recovered": recovered, "guests": len(guests), "looked_into": looked}))


if sys.argv[1] == "golden":
    print(json.dumps({"golden": golden_hash()}))
else:
    check(int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")

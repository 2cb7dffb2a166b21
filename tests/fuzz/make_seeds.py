#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: make_seeds.py SOURCES FOLDER. Nothing of them is kept in the repository but this."""
import glob
import io
import os
import re
import struct
import sys
import tarfile


def put(folder, target, name, data):
    path = os.path.join(folder, target)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), "wb") as out:
        out.write(data)


def recipes(sources):
    for path in glob.glob(sources + "/rootfs-recipes/**/*.toml", recursive=True) + glob.glob(sources + "/tests/golden/recipe/*.toml"):
        with open(path, "rb") as file:
            yield file.read()
    with open(sources + "/docs/recipe.md", encoding="utf-8") as manual:
        for example in re.findall(r"```toml\n(.*?)```", manual.read(), re.S):
            yield example.encode()


def archives():
    for kind in (tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        for mode in ("w", "w:gz", "w:xz", "w:bz2"):
            data = io.BytesIO()
            with tarfile.open(fileobj=data, mode=mode, format=kind) as tar:
                for name, member_type, link in (("etc", tarfile.DIRTYPE, ""), ("etc/file", tarfile.REGTYPE, ""),
                                                ("etc/same", tarfile.LNKTYPE, "etc/file"), ("link", tarfile.SYMTYPE, "/etc/file"),
                                                ("dev", tarfile.DIRTYPE, ""), ("dev/null", tarfile.CHRTYPE, ""),
                                                ("n" * 200 + "/" + "m" * 90, tarfile.REGTYPE, "")):
                    member = tarfile.TarInfo(name)
                    member.type, member.linkname, member.mode = member_type, link, 0o4755
                    content = b"content\n" if member_type == tarfile.REGTYPE else b""
                    member.size = len(content)
                    if kind == tarfile.PAX_FORMAT:
                        member.pax_headers = {"SCHILY.xattr.user.a": "b", "mtime": "1.5"}
                    try:
                        tar.addfile(member, io.BytesIO(content))
                    except ValueError:  # a name that this format cannot hold
                        pass
            yield b"\0" + data.getvalue()


def tree_stream():
    def text(value):
        return struct.pack("<I", len(value)) + value

    def entry(kind, path, target=b"", size=0):
        return (b"E" + struct.pack("<BIIIqIQII", kind, 0o755, 0, 0, 1, 2, size, 0, 0) + text(path) + text(target) +
                struct.pack("<I", 1) + text(b"user.a") + text(b"b"))

    yield (b"\1domsmith-tree 1\n" + entry(1, b"") + entry(1, b"etc") + entry(0, b"etc/file", size=8) + b"D" +
           struct.pack("<Q", 0) + text(b"content\n") + entry(3, b"etc/same", b"etc/file") + entry(2, b"link", b"/x") + b"Z")


def disks():
    """The superblock, group descriptors, inode tables and directories are in the first blocks."""
    yield b"\0"
    for flags in (0, 1):
        for offset in (1024, 1024 + 0x18, 1024 + 0x28, 1024 + 0x58, 1024 + 0x60, 2048, 4096, 8192, 16384, 65536, 131072):
            yield bytes([flags]) + struct.pack("<I", offset)[:3] + b"\4\xff\xff\xff\xff"
    yield bytes.fromhex("0134bb00023600")  # a folder that contains itself


def main():
    sources, folder = sys.argv[1:]
    for target, seeds in (("recipe", recipes(sources)), ("archive", archives()), ("archive", tree_stream()), ("disk", disks())):
        for number, data in enumerate(seeds):
            put(folder, target, f"{seeds.__name__}-{number:03}", data)


main()

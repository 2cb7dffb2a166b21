#!/usr/bin/env python3
"""Makes what the recipes of rootfs-recipes/sources take their trees from, out of one tar of a root file system.

  make_sources.py TAR FOLDER      FOLDER/rootfs.tar, FOLDER/oci (two layers and a whiteout), FOLDER/disk.qcow2
"""
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile

MIB = 1 << 20


def blob(layout, data):
    name = hashlib.sha256(data).hexdigest()
    with open(os.path.join(layout, "blobs/sha256", name), "wb") as out:
        out.write(data)
    return {"digest": "sha256:" + name, "size": len(data)}


def second_layer():
    """Adds a file, and hides one of the layer below."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, text in (("etc/second-layer", b"here\n"), ("etc/.wh.debian_version", b"")):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return data.getvalue()


def make_oci(tar, layout):
    os.makedirs(os.path.join(layout, "blobs/sha256"))
    with open(tar, "rb") as source:
        first = blob(layout, source.read())
    kind = "application/vnd.oci.image."
    layers = [{"mediaType": kind + "layer.v1.tar", **first},
              {"mediaType": kind + "layer.v1.tar+gzip", **blob(layout, second_layer())}]
    config = blob(layout, json.dumps({"architecture": "amd64", "os": "linux"}).encode())
    manifest = blob(layout, json.dumps({"schemaVersion": 2, "config": {"mediaType": kind + "config.v1+json", **config},
                                        "layers": layers}).encode())
    with open(os.path.join(layout, "oci-layout"), "w") as out:
        json.dump({"imageLayoutVersion": "1.0.0"}, out)
    with open(os.path.join(layout, "index.json"), "w") as out:
        json.dump({"schemaVersion": 2, "manifests": [{"mediaType": kind + "manifest.v1+json", **manifest}]}, out)


def make_disk(tar, folder):
    """A partitioned disk as an installer leaves it: an ext4 root, fstab by UUID, a swap that is not there."""
    tree, root, raw = (os.path.join(folder, name) for name in ("tree", "root.img", "disk.raw"))
    os.mkdir(tree)
    subprocess.run(["tar", "--numeric-owner", "-C", tree, "-xf", tar], check=True)
    with open(os.path.join(tree, "etc/fstab"), "w") as fstab:
        fstab.write("UUID=0fc63daf-8483-4772-8e79-3d69d8477de4 / ext4 errors=remount-ro 0 1\n"
                    "/dev/sda5 none swap sw 0 0\ntmpfs /tmp tmpfs nosuid 0 0\n")
    with open(os.path.join(tree, "etc/machine-id"), "w") as ident:
        ident.write("0123456789abcdef0123456789abcdef\n")
    os.makedirs(os.path.join(tree, "etc/ssh"), exist_ok=True)
    with open(os.path.join(tree, "etc/ssh/ssh_host_rsa_key"), "w") as key:
        key.write("somebody else's\n")
    size = 1500 * MIB
    subprocess.run(["truncate", "-s", str(size), root], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-U", "0fc63daf-8483-4772-8e79-3d69d8477de4", "-d", tree, root], check=True)
    shutil.rmtree(tree)
    subprocess.run(["truncate", "-s", str(size + 2 * MIB), raw], check=True)
    subprocess.run(["sfdisk", "-q", raw], input=f"label: dos\nstart=2048, size={size // 512}, type=83, bootable\n".encode(),
                   check=True)
    subprocess.run(["dd", f"if={root}", f"of={raw}", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"], check=True)
    os.remove(root)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, os.path.join(folder, "disk.qcow2")], check=True)
    os.remove(raw)


def main():
    tar, folder = sys.argv[1:]
    if os.path.abspath(tar) != os.path.abspath(os.path.join(folder, "rootfs.tar")):
        shutil.copyfile(tar, os.path.join(folder, "rootfs.tar"))
    make_oci(tar, os.path.join(folder, "oci"))
    make_disk(tar, folder)


main()

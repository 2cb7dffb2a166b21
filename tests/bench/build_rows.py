"""The rows of `script/bench --build`: building images and cloning them in folders, beside the tools that do it today."""

import contextlib
import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import mirror
from measure import LIBGUESTFS, alternately, peak_memory_mib, ratio_row, run, say, seconds, value_row

TREE_MIB = 750
POPULATE_RUNS = 7  # they are short
IMAGE_SIZE = "2GiB"
CLONES = 100
COPIES = 20  # where a clone is a copy of half a gigabyte
IMAGE = "debian-minimal"


class Bench:
    def __init__(self, repo, runs):
        self.repo = Path(repo)
        self.bin = self.repo / "build/release/bin"
        self.work = self.repo / "build/bench"
        self.runs = runs
        self.work.mkdir(parents=True, exist_ok=True)

    def domsmith(self, *words):
        return [self.bin / "domsmith", *words, "--root", self.work / "root", "--progress", "none"]

    # --- populate
    def tree(self):
        """750 MiB of this machine's /usr, with its folders, links and modes."""
        tree = self.work / f"tree-{TREE_MIB}"
        done = self.work / f"tree-{TREE_MIB}.done"
        if done.exists():
            return tree
        shutil.rmtree(tree, ignore_errors=True)
        left = TREE_MIB << 20
        for folder, names, files in os.walk("/usr"):
            names.sort()
            target = tree / Path(folder).relative_to("/")
            target.mkdir(parents=True, exist_ok=True)
            for name in sorted(files):
                source = Path(folder, name)
                if source.is_symlink():
                    os.symlink(os.readlink(source), target / name)
                elif source.is_file() and os.access(source, os.R_OK):
                    shutil.copy2(source, target / name)
                    left -= source.stat().st_size
                if left <= 0:
                    done.touch()
                    return tree
        done.touch()
        return tree

    def populate(self):
        runs = max(self.runs, POPULATE_RUNS)
        say(f"populate: a tree of {TREE_MIB} MiB, {runs} runs a side")
        tree = self.tree()
        ours, peer, copy = (self.work / name for name in ("ours.img", "peer.img", "dd.img"))
        used = int(run(["du", "-s", "--block-size=1M", tree]).stdout.split()[0])

        def clear():  # memory that was free for long would be the host's first, for whoever comes to write next
            for path in (ours, peer, copy):
                path.unlink(missing_ok=True)

        def mke2fs():
            with open(peer, "wb") as file:
                file.truncate(2 << 30)
            run(["mke2fs", "-q", "-t", "ext4", "-d", tree, peer])

        def dd():
            run(["dd", "if=/dev/zero", f"of={copy}", "bs=1M", f"count={used}", "conv=notrunc"])

        for path in tree.rglob("*"):  # all sides read from the page cache
            if path.is_file() and not path.is_symlink():
                path.read_bytes()
        os.sync()

        def own(*more):
            run([self.bin / "bench_populate", tree, ours, IMAGE_SIZE, *more])

        # mke2fs syncs the image at its end, dd does not: each against the same of ours.
        times = alternately(runs, own, mke2fs, lambda: own("--no-sync"), dd, before=clear)
        clear()
        own()
        run(["e2fsck", "-fn", ours])
        clear()
        return [ratio_row("populate-vs-mke2fs", 0.5, times[0], times[1], "folder to ext4, against mke2fs -d of the same folder"),
                ratio_row("populate-vs-dd", 2.0, times[2], times[3], f"the same, without a sync, against dd of {used} MiB")]

    # --- build
    def image(self):
        say("build: rootfs-recipes/debian-minimal.toml, for its memory")
        store = f"dir:{self.work / 'store'}"
        shutil.rmtree(self.work / "store", ignore_errors=True)
        shutil.rmtree(self.work / "root", ignore_errors=True)
        peak = peak_memory_mib(self.domsmith("build", self.repo / "rootfs-recipes" / f"{IMAGE}.toml", "--store", store))
        return [value_row("peak-memory-mib", 256, [peak], "MiB", "domsmith build debian-minimal, its children not counted"),
                value_row("initramfs-mib", 12, [self.initramfs_mib()], "MiB", "a guest's initramfs, unpacked")]

    def initramfs_mib(self):
        initrd = next((self.work / "root/var/lib/domsmith/boot").glob("initrd-*"))
        packed = initrd.read_bytes()
        if packed.startswith(b"\x1f\x8b"):
            return len(gzip.decompress(packed)) / (1 << 20)
        if packed.startswith(b"\x28\xb5\x2f\xfd"):
            return len(subprocess.run(["zstd", "-dc", initrd], stdout=subprocess.PIPE, check=True).stdout) / (1 << 20)
        return len(packed) / (1 << 20)

    # --- build, beside mmdebstrap -> tar -> mke2fs -d
    def builds(self):
        say("packages of both sides: fetched once, then from a folder")
        with mirror.Mirror(self.work / "mirror", self.work / "mirror-root") as near:
            near.fill(["tzdata", "hello"])
            return self.build_times(near.lines())

    def recipe(self, name, lines, install, content):
        path = self.work / f"{name}.toml"
        words = ", ".join(f'"{word}"' for word in install)
        mirrors = ", ".join(json.dumps(line) for line in lines)
        path.write_text(f'''schema = 1
[image]
name = "{name}"
[distribution]
release = "{mirror.RELEASE}"
mirror = [{mirrors}]
[packages]
install = [{words}]
[boot]
kernel = "none"
[[file]]
path = "/etc/motd"
content = "{content}"
''')
        return path

    def build_times(self, lines):
        say(f"build: minbase, {self.runs} runs a side")
        root, store = self.work / "cold-root", self.work / "cold-store"
        tar, tree, disk = self.work / "peer.tar", self.work / "peer-tree", self.work / "peer.img"

        def build(recipe):
            run([self.bin / "domsmith", "build", recipe, "--store", f"dir:{store}", "--root", root, "--progress", "none"])

        def remove(name):
            run([self.bin / "domsmith", "image", "remove", name, "--store", f"dir:{store}", "--root", root])

        def clear():
            for path in (root, store, tree):
                shutil.rmtree(path, ignore_errors=True)
            for path in (tar, disk):
                path.unlink(missing_ok=True)

        def peer():
            run(["mmdebstrap", "--mode=root", "--variant=minbase", "--include=tzdata", mirror.RELEASE, tar, *lines])
            tree.mkdir()
            run(["tar", "-C", tree, "-xf", tar])
            with open(disk, "wb") as file:
                file.truncate(2 << 30)
            run(["mke2fs", "-q", "-t", "ext4", "-d", tree, disk])

        times = {name: [] for name in ("peer", "cold", "add", "files", "same")}
        for number in range(self.runs):
            clear()
            times["peer"].append(seconds(peer))
            clear()
            base = self.recipe("bench", lines, [], "one")
            times["cold"].append(seconds(lambda: build(base)))
            times["same"].append(seconds(lambda: build(base)))
            remove("bench")
            files = self.recipe("bench", lines, [], f"two {number}")
            times["files"].append(seconds(lambda: build(files)))
            remove("bench")
            more = self.recipe("bench", lines, ["hello"], "one")
            times["add"].append(seconds(lambda: build(more)))
        clear()
        what = "against mmdebstrap minbase -> tar -> mke2fs -d, packages from a folder for both"
        return [ratio_row("cold", 0.5, times["cold"], times["peer"], f"minbase to ext4, nothing cached, {what}"),
                ratio_row("add-package", 0.15, times["add"], times["peer"], "one package more, against the same"),
                ratio_row("files-only", 0.05, times["files"], times["peer"], "another file, against the same"),
                ratio_row("no-op", 0.01, times["same"], times["peer"], "nothing changed, against the same")]

    # --- clone
    def clone(self):
        rows = []
        with reflink_folder(self.work) as folder:
            if folder is not None:
                rows.append(self.clone_row("clone-folder-vs-virt-customize", folder, CLONES, self.runs, "XFS, reflinks"))
        name = "clone-folder-copy-vs-virt-customize" if rows else "clone-folder-vs-virt-customize"
        kind = run(["findmnt", "-n", "-o", "FSTYPE", "-T", self.work]).stdout.decode().strip()
        rows.append(self.clone_row(name, self.work, COPIES, 1, f"{kind}, the used blocks copied"))
        return rows

    def clone_row(self, name, folder, count, runs, kind):
        say(f"clone: {count} in a folder ({kind}), against cp and virt-customize of one")
        place = ["--store", f"dir:{folder / 'clone-store'}", "--root", folder / "clone-root", "--progress", "none"]
        tool = [self.bin / "domsmith"]
        run([*tool, "image", "export", IMAGE, "--output", folder / "out", "--store", f"dir:{self.work / 'store'}",
             "--root", self.work / "root", "--progress", "none"])
        run([*tool, "image", "import", folder / "out", *place])
        golden = folder / "out" / f"{IMAGE}.img"
        copy = folder / "virt.img"

        def peer():
            run(["cp", "--sparse=always", "--reflink=never", golden, copy])
            run(["virt-customize", "-q", "--format", "raw", "-a", copy, "--hostname", "peer"], env=LIBGUESTFS)

        ours, theirs = [], []
        for number in range(runs):
            ours.append(seconds(lambda: run([*tool, "clone", IMAGE, "--name", f"b{number}", "--count", count, *place])) / count)
            run([*tool, "guest", "remove", "--all", *place])
            theirs.append(seconds(peer))
        for path in (folder / "out", folder / "clone-store", folder / "clone-root"):
            shutil.rmtree(path)
        copy.unlink()
        return ratio_row(name, 0.01, ours, theirs,
                         f"a clone with identity and config out of {count} ({kind}), against cp --sparse and virt-customize --hostname")


@contextlib.contextmanager
def reflink_folder(work):
    """A folder on a new XFS in a file, for root; None for others: mounting needs root."""
    if os.geteuid() != 0 or shutil.which("mkfs.xfs") is None:
        yield None
        return
    disk, folder = work / "xfs.img", work / "xfs"
    disk.unlink(missing_ok=True)
    folder.mkdir(exist_ok=True)
    with open(disk, "wb") as file:
        file.truncate(16 << 30)
    run(["mkfs.xfs", "-q", "-m", "reflink=1", disk])
    run(["mount", "-o", "loop", disk, folder])
    try:
        yield folder
    finally:
        run(["umount", folder])
        disk.unlink()


def rows(repo, runs):
    bench = Bench(repo, runs)
    return bench.builds() + bench.populate() + bench.image() + bench.clone()

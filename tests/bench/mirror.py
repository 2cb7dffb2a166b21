"""A mirror of the packages that a bench needs, in a folder of this machine: what the host's own sources say, fetched once."""

import hashlib
import lzma
import shutil
import subprocess
from pathlib import Path

from measure import run

RELEASE = "bookworm"
KEY_CONF = "%no-protection\nKey-Type: RSA\nKey-Length: 2048\nName-Real: bench\nExpire-Date: 0\n%commit\n"


class Mirror:
    """A signed repository with one suite, one component and the host's architecture, all packages of the release listed."""

    def __init__(self, folder, scratch):
        self.folder, self.scratch = Path(folder), Path(scratch)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def lines(self):
        return [f"deb [signed-by={self.folder / 'key.gpg'}] copy://{self.folder} {RELEASE} main"]

    def fill(self, names):
        """Does nothing where it has been done."""
        if (self.folder / "done").exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "pool").mkdir(parents=True)
        apt = self.scratch / "apt"
        for sub in ("lists/partial", "archives/partial"):
            (apt / sub).mkdir(parents=True, exist_ok=True)
        (apt / "status").touch()
        options = ["-o", f"Dir::State::Lists={apt / 'lists'}", "-o", f"Dir::State::Status={apt / 'status'}", "-o",
                   f"Dir::Cache::Archives={apt / 'archives'}", "-o", "APT::Sandbox::User=root", "-o", "Acquire::GzipIndexes=false",
                   "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-o", "Acquire::Languages=none"]
        run(["apt-get", "update", *options])
        run(["apt-get", "--yes", "--no-install-recommends", "--download-only", *options, "install", "?essential",
             "?priority(required)", *names])
        stanzas = self.packages(apt)
        self.sign(stanzas)
        (self.folder / "done").touch()

    def packages(self, apt):
        """The host's own lists, each package's file as this mirror has it; those that were fetched are in the pool."""
        fetched = {path.name: path for path in (apt / "archives").glob("*.deb")}
        by_name = {}
        for path in sorted((apt / "lists").glob("*_Packages")):
            for stanza in path.read_text().split("\n\n"):
                fields = dict(line.split(": ", 1) for line in stanza.splitlines() if not line.startswith(" ") and ": " in line)
                if not fields:
                    continue
                name = f"{fields['Package']}_{fields['Version'].replace(':', '%3a')}_{fields['Architecture']}.deb"
                text = "\n".join(f"Filename: pool/{name}" if line.startswith("Filename:") else line
                                 for line in stanza.strip("\n").splitlines())
                by_name[name] = text
        for name, path in fetched.items():
            shutil.copy(path, self.folder / "pool" / name)
        # Where a release has two versions of one, only that which was fetched: the other is not here.
        kept = {name.split("_")[0] for name in fetched}
        return "\n\n".join(text for name, text in by_name.items() if name in fetched or name.split("_")[0] not in kept) + "\n"

    def sign(self, stanzas):
        arch = run(["dpkg", "--print-architecture"]).stdout.decode().strip()
        base = self.folder / "dists" / RELEASE
        index = base / f"main/binary-{arch}/Packages.xz"
        index.parent.mkdir(parents=True)
        index.write_bytes(lzma.compress(stanzas.encode(), preset=1))
        plain = stanzas.encode()
        home = self.scratch / "gnupg"
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
        subprocess.run([*gpg, "--gen-key"], input=KEY_CONF.encode(), check=True, stderr=subprocess.DEVNULL)
        lines = [f"Origin: bench\nSuite: {RELEASE}\nCodename: {RELEASE}\nDate: Sat, 01 Nov 2025 00:00:00 UTC",
                 f"Architectures: {arch}\nComponents: main\nSHA256:"]
        for name, data in ((f"main/binary-{arch}/Packages", plain), (f"main/binary-{arch}/Packages.xz", index.read_bytes())):
            lines.append(f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}")
        (base / "Release").write_text("\n".join(lines) + "\n")
        run([*gpg, "--yes", "--clearsign", "-o", base / "InRelease", base / "Release"])
        run([*gpg, "--yes", "--export", "-o", self.folder / "key.gpg"])

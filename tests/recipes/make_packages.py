#!/usr/bin/env python3
"""Makes small signed repositories: one package, "greeting", for rpm and for pacman, and the key that signed it.

  make_packages.py FOLDER      FOLDER/rpm (createrepo_c's), FOLDER/pacman (core.db), FOLDER/packages.asc

With --unsigned in place of a signature there is none, which a build has to refuse.
"""
import base64
import hashlib
import io
import os
import subprocess
import sys
import tarfile

SPEC = """
Name: greeting
Version: 1.2
Release: 3
Summary: Says hello
License: GPL-2.0-or-later
BuildArch: noarch
%description
A file that says hello.
%install
mkdir -p %{buildroot}/usr/share/greeting %{buildroot}/etc
echo hello > %{buildroot}/usr/share/greeting/text
echo 'ID=testrpm' > %{buildroot}/etc/os-release
echo 'VERSION_ID=1' >> %{buildroot}/etc/os-release
%files
/usr/share/greeting/text
/etc/os-release
"""
FILES = {"usr/share/greeting/text": b"hello\n", "etc/os-release": b"ID=testpacman\nBUILD_ID=rolling\n"}


def run(*argv, **more):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, **more)


def make_key(home):
    os.mkdir(home, 0o700)
    run("gpg", "--homedir", home, "--batch", "--passphrase", "", "--quick-generate-key", "packager@example.org", "rsa2048",
        "sign", "never", stderr=subprocess.DEVNULL)


def make_rpm(folder, home, sign):
    spec, repository = os.path.join(folder, "greeting.spec"), os.path.join(folder, "rpm")
    os.mkdir(repository)
    with open(spec, "w") as out:
        out.write(SPEC)
    run("rpmbuild", "--quiet", "-bb", f"--define=_topdir {folder}/rpmbuild", f"--define=_rpmdir {repository}",
        "--define=_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm", spec, stderr=subprocess.DEVNULL)
    if sign:
        run("rpmsign", "--addsign", f"--define=_gpg_name packager@example.org", f"--define=_gpg_path {home}", "--define=__gpg /usr/bin/gpg",
            f"{repository}/greeting-1.2-3.noarch.rpm")
    run("createrepo_c", "--quiet", repository)


def add(tar, name, data):
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o644
    tar.addfile(member, io.BytesIO(data))


def make_pacman(folder, home, sign):
    """PKGBUILD(5)'s package and repo-add(8)'s database, by hand: both tools refuse to run as root or want bsdtar."""
    repository, name = os.path.join(folder, "pacman"), "greeting-1.2-3-any.pkg.tar.gz"
    os.mkdir(repository)
    path = os.path.join(repository, name)
    size = sum(len(data) for data in FILES.values())
    with tarfile.open(path, "w:gz") as tar:
        add(tar, ".PKGINFO", f"pkgname = greeting\npkgbase = greeting\npkgver = 1.2-3\npkgdesc = Says hello\n"
                             f"size = {size}\narch = any\n".encode())
        for file, data in FILES.items():
            add(tar, file, data)
    signature = ""
    if sign:
        run("gpg", "--homedir", home, "--batch", "--detach-sign", path)
        with open(path + ".sig", "rb") as sig:
            signature = f"%PGPSIG%\n{base64.b64encode(sig.read()).decode()}\n\n"
    with open(path, "rb") as package:
        data = package.read()
    desc = (f"%FILENAME%\n{name}\n\n%NAME%\ngreeting\n\n%VERSION%\n1.2-3\n\n%CSIZE%\n{len(data)}\n\n%ISIZE%\n{size}\n\n"
            f"%SHA256SUM%\n{hashlib.sha256(data).hexdigest()}\n\n{signature}%ARCH%\nany\n\n")
    with tarfile.open(os.path.join(repository, "core.db"), "w:gz") as tar:
        add(tar, "greeting-1.2-3/desc", desc.encode())


def main():
    folder = sys.argv[1]
    sign = "--unsigned" not in sys.argv
    os.makedirs(folder, exist_ok=True)
    home = os.path.join(folder, "gnupg")
    make_key(home)
    make_rpm(folder, home, sign)
    make_pacman(folder, home, sign)
    run("gpg", "--homedir", home, "--batch", "--armor", "--output", os.path.join(folder, "packages.asc"), "--export")
    run("gpgconf", "--homedir", home, "--kill", "all")


main()

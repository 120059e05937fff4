# SPDX-License-Identifier: MIT
"""Debian's own tools on the packages of a lock: what kiln is compared with."""

import hashlib
import json
import shutil
import subprocess

import world


def locked_packages(lock, branches=("common", "vm")):
    """The packages of a disk: (name, version, digest)."""
    data = json.loads(lock.read_text())
    wanted = {n for s in data["stages"] if s["branch"] in branches for n in s["packages"]}
    return [(p["package"], p["version"], p["sha256"]) for p in data["packages"] if p["package"] in wanted]


def make_repository(folder, packages, cache=world.CACHE):
    """A folder with the packages, from the cache's pool, and their index."""
    folder.mkdir()
    for name, version, digest in packages:
        digest = digest.removeprefix("sha256:")
        pool = cache / "pool/sha256" / digest[:2] / digest
        shutil.copy(pool, folder / f"{name}_{version.replace(':', '%3a')}.deb")
    index = subprocess.run(["dpkg-scanpackages", "-m", "."], cwd=folder, check=True, capture_output=True)
    (folder / "Packages").write_bytes(index.stdout)
    # mmdebstrap takes the Essential packages of the suite that it is asked for.
    (folder / "Release").write_text(
        "Suite: bookworm\nCodename: bookworm\nSHA256:\n"
        f" {hashlib.sha256(index.stdout).hexdigest()} {len(index.stdout)} Packages\n")


def command(repository, packages, target):
    """Installs exactly these packages into `target`, a folder or a .tar."""
    names = ",".join(name for name, _, _ in packages)
    return ["mmdebstrap", "--variant=essential", f"--include={names}", "bookworm", target,
            f"deb [trusted=yes] copy:{repository} ./"]

# SPDX-License-Identifier: MIT
"""What the tests of sandboxes share: a folder with a victim beside the tree, and whom to run as."""

import hashlib
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import unittest

RUNNER = os.environ["KILN_RUNNER"]
USER = "kilnsandbox"


def run(command, **options):
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, **options
    )


def make_user():
    """A plain user with a range of subordinate ids."""
    try:
        pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(["useradd", "--create-home", USER], check=True)
    for option, file in (("--add-subuids", "/etc/subuid"), ("--add-subgids", "/etc/subgid")):
        if f"{USER}:" not in pathlib.Path(file).read_text():
            subprocess.run(["usermod", option, "800000-865535", USER], check=True)
    return USER


class SandboxCase(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to try root, a plain user and a chroot")
        # Memory: a listing of it is quick, and limits on what is written are reached soon.
        parent = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-sandbox.", dir=parent))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.folder.chmod(0o755)
        self.work = self.folder / "work"
        (self.work / "bound").mkdir(parents=True)
        (self.work / "bound/file").write_text("original\n")
        self.victim = self.folder / "victim"
        self.victim.write_text("victim of the host\n")
        self.victim.chmod(0o644)

    def as_user(self):
        user = make_user()
        shutil.chown(self.work, user)
        for path in self.work.rglob("*"):
            shutil.chown(path, user)
        return ["runuser", "-u", user, "--"]

    def victims(self):
        """Digests of everything beside the tree, and settings that scripts could reach."""
        out = {}
        for path in [self.victim, self.work / "bound/file"]:
            info = path.lstat()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            out[str(path)] = (digest, info.st_mode, info.st_uid, info.st_mtime_ns)
        for setting in ("kernel/core_pattern", "kernel/modprobe", "net/ipv4/ip_forward"):
            path = pathlib.Path("/proc/sys") / setting
            if path.exists():
                out[setting] = path.read_text()
        out["host name"] = os.uname().nodename
        out["mounts"] = pathlib.Path("/proc/self/mounts").read_text()
        return out

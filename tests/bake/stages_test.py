# SPDX-License-Identifier: MIT
"""Every kind of stage changes the tree exactly as tests/bake/stages/expected says: a path a line,
as in a manifest. KILN_UPDATE_GOLDEN=1 rewrites the expectations."""

import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

import world

HERE = pathlib.Path(__file__).resolve().parent / "stages"
UPDATE = "KILN_UPDATE_GOLDEN" in os.environ
# Contents that follow Debian's updates or the epoch of the lock.
MOVING = re.compile(r"/(var/lib/dpkg/status|etc/shadow-?|boot/(initrd|vmlinuz|config|System)\S*|"
                    r"boot/grub/grub.cfg|boot/grub/i386-pc/core.img|etc/fstab|boot/efi/EFI/BOOT/BOOTX64.EFI)$")
KERNEL = re.compile(r"\d+\.\d+\.\d+-\d+-cloud-amd64")


def make_tarball(path):
    with tarfile.open(path, "w:gz") as archive:
        for name, mode, text in (("tool-1/bin/tool", 0o755, "#!/bin/sh\n"), ("tool-1/README", 0o600, "read\n")):
            member = tarfile.TarInfo(name)
            member.mode, member.size, member.mtime = mode, len(text), 1_500_000_000
            archive.addfile(member, io.BytesIO(text.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_repository(folder):
    folder.mkdir()
    (folder / "program.pl").write_text("print 1;\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", "toy"), ("EMAIL", "toy@localhost"), ("DATE", "1500000000 +0000"))}
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "toy"]):
        subprocess.run(["git", *command], cwd=folder, env={**os.environ, **who}, check=True)
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def make_archive(folder):
    archive = world.ToyArchive(folder)
    archive.add(
        "toy",
        files=[("/usr/share/toy/data", "data\n"), ("/usr/share/toy/docs/a", "a\n"),
               ("/usr/share/toy/docs/b/c", "c\n"), ("/etc/toy.conf", "x\n"),
               ("/lib/systemd/system/toy.service",
                "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n")],
        conffiles="/etc/toy.conf\n",
        postinst="#!/bin/sh\nset -e\nmkdir -p /var/lib/toy\necho made >/var/lib/toy/made\nchgrp mail /var/lib/toy\n",
    )
    archive.publish()
    return archive


class Stages(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="stages", dir=world.FAST))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        inputs = cls.folder / "inputs"
        inputs.mkdir()
        shutil.rmtree(world.WORK / "stages", ignore_errors=True)
        shutil.copytree(HERE, world.WORK / "stages", symlinks=True)
        archive = make_archive(inputs)
        values = {
            "keyring": archive.keyring,
            "tarball": inputs / "tool.tar.gz",
            "tarball_sha256": make_tarball(inputs / "tool.tar.gz"),
            "repository": inputs / "project",
            "commit": make_repository(inputs / "project"),
        }
        world.succeed(
            "bake", "stages/recipe.yaml", "--refresh", "--image", "docker", "--out", cls.folder / "out",
            "--mirror", f"toy={archive.url}",
            *(word for name, value in values.items() for word in ("--set", f"{name}={value}")),
        )

    def changes(self, record, stage):
        """The stage's own manifest, without what moves with time."""
        lines = []
        for line in (world.stage_folder(record, stage) / "manifest").read_text().splitlines():
            fields = line.split(" ")
            if fields[4] == str(record["source_date_epoch"]):
                fields[4] = "epoch"
            if MOVING.search(fields[7]):
                fields[5] = fields[6] = "*"
            lines.append(KERNEL.sub("VERSION", " ".join(fields)))
        return "\n".join(lines) + "\n"

    def compare(self, record, stage):
        expected = HERE / "expected" / f"{stage}.diff"
        found = self.changes(record, stage)
        if UPDATE:
            expected.parent.mkdir(exist_ok=True)
            expected.write_text(found)
            self.skipTest("expectations rewritten")
        self.assertMultiLineEqual(found, expected.read_text())

    def test_kinds(self):
        record = world.load_record(self.folder / "out")
        for stage in ("toys", "users", "files", "overlay", "source-directory", "source-tarball",
                      "source-git", "services", "run", "normalize"):
            with self.subTest(stage):
                self.compare(record, stage)

    def test_kernel(self):
        record = world.load_record(world.WORK / "reference")
        self.compare(record, "kernel")


if __name__ == "__main__":
    done = unittest.main(verbosity=2, exit=False).result
    sys.exit(77 if UPDATE else not done.wasSuccessful())

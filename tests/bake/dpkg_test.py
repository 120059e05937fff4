# SPDX-License-Identifier: MIT
"""kiln unpacks packages itself; the tree must be the one that dpkg makes of the same packages, path for
path, and so must dpkg's database, stanza for stanza. The judge is mmdebstrap. Needs root."""

import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import mmdebstrap
import world

REFERENCE = world.WORK / "reference"
MANIFEST_TOOL = pathlib.Path(os.environ.get("KILN_MANIFEST_TOOL", ""))

# Paths that may differ, and why.
IGNORED = {
    "/var/lib/dpkg/status*": "compared stanza for stanza",
    "/var/lib/dpkg/available*": "dselect's list, which apt fills",
    "/var/lib/dpkg/*[Ll]ock*": "a lock",
    "/var/lib/dpkg/triggers/Lock": "a lock",
    "/var/lib/dpkg/arch": "written when architectures are configured",
    "/etc/apt*": "apt's, which is no package of this set; mmdebstrap drives one",
    "/var/cache/apt*": "apt's",
    "/var/lib/apt*": "apt's",
    "/var/log/*": "logs of the installation",
    "/etc/fstab": "mmdebstrap writes one",
    "/etc/hostname": "mmdebstrap writes one",
    "/etc/resolv.conf": "mmdebstrap writes one",
    "/etc/machine-id": "empty in both; mmdebstrap makes it anew, with another mode",
    "/etc/.pwd.lock": "a lock",
    "/dev/*": "mmdebstrap makes device nodes",
    "/etc/*-": "a backup that kiln leaves out",
    "*-old": "a backup that kiln leaves out",
    "/run/*": "empty in an image",
    "/initrd.img*": "the kernel stage makes the initramfs",
    "/boot/initrd.img-*": "the kernel stage makes the initramfs",
    "/var/lib/initramfs-tools/*": "the kernel stage makes the initramfs",
}
# Tables of names, in the order in which scripts added them.
ACCOUNTS = ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow")
TABLES = (*ACCOUNTS, "/etc/shells")


def parse_manifest(text):
    """Path -> (type, mode, uid, gid, mtime, size, digest, rest)."""
    tree = {}
    for line in text.splitlines():
        kind, mode, uid, gid, mtime, size, digest, path, *rest = line.split(" ")
        tree[path] = (kind, mode, uid, gid, mtime, size, digest, rest)
    return tree


def names(lines):
    return {fields[2]: fields[0] for fields in (line.split(":") for line in lines if line)}


def stanzas(text):
    """Package -> its fields; conffile lists and relations as sorted words."""
    out = {}
    for stanza in text.strip().split("\n\n"):
        fields = dict(re.findall(r"^(\S+):((?:.*)(?:\n .*)*)", stanza, re.MULTILINE))
        fields = {k: sorted(v.split()) if k == "Conffiles" else v.strip() for k, v in fields.items()}
        out[fields["Package"]] = fields
    return out


class Dpkg(unittest.TestCase):
    maxDiff = 20000

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
            raise unittest.SkipTest("needs root and mmdebstrap")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="dpkg", dir=world.FAST))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        packages = mmdebstrap.locked_packages(world.WORK / "recipes/debian-minimal.lock")
        mmdebstrap.make_repository(cls.folder / "repository", packages)
        cls.theirs = cls.folder / "theirs"
        subprocess.run(
            mmdebstrap.command(cls.folder / "repository", packages, cls.theirs),
            check=True, capture_output=True, env=world.environment(TMPDIR=cls.folder),
        )
        # What the packages stages alone gave: their deltas, one over the other.
        record = world.load_record(REFERENCE)
        cls.epoch = str(record["source_date_epoch"])
        cls.ours, cls.contents = world.apply_deltas(
            record, [s["name"] for s in record["stages"] if s["kind"] == "packages" and s["branch"] != "oci"])

    def our_text(self, path):
        return self.contents[path].read_text()

    def test_database(self):
        theirs = stanzas((self.theirs / "var/lib/dpkg/status").read_text())
        ours = stanzas(self.our_text("/var/lib/dpkg/status"))
        self.assertEqual(sorted(ours), sorted(theirs))
        for package in ours:
            with self.subTest(package):
                self.assertEqual(ours[package], theirs[package])

    def test_tables(self):
        """The same names; the numbers, homes and full names of some are the recipe's."""
        for table in TABLES:
            with self.subTest(table):
                first = slice(1) if table in ACCOUNTS else slice(None)
                ours, theirs = (
                    sorted(line.split(":")[first] for line in text.splitlines())
                    for text in (self.our_text(table), (self.theirs / table.lstrip("/")).read_text()))
                self.assertEqual(ours, theirs)

    def test_tree(self):
        text = subprocess.run([MANIFEST_TOOL, self.theirs], check=True, capture_output=True, text=True).stdout
        theirs = parse_manifest(text)
        users = {"their": names((self.theirs / "etc/passwd").read_text().splitlines()),
                 "our": names(self.our_text("/etc/passwd").splitlines())}
        groups = {"their": names((self.theirs / "etc/group").read_text().splitlines()),
                  "our": names(self.our_text("/etc/group").splitlines())}

        def comparable(side, entry):
            kind, mode, uid, gid, mtime, size, digest, rest = entry
            owner = users[side].get(uid, uid), groups[side].get(gid, gid)
            # usrmerge, which mmdebstrap runs, copies hard links apart.
            rest = [field for field in rest if not field.startswith("hardlink=")]
            return (kind, mode, *owner, size, digest, rest)

        differences = []
        for path in sorted(set(theirs) | set(self.ours)):
            if path in TABLES or any(fnmatch.fnmatchcase(path, pattern) for pattern in IGNORED):
                continue
            if path not in theirs or path not in self.ours:
                differences.append(f"{path}: only {'kiln' if path in self.ours else 'dpkg'}")
                continue
            our, their = comparable("our", self.ours[path]), comparable("their", theirs[path])
            if our != their:
                differences.append(f"{path}: kiln {our}, dpkg {their}")
            elif self.ours[path][0] == "f" and self.ours[path][4] not in (self.epoch, theirs[path][4]):
                differences.append(f"{path}: time, kiln {self.ours[path][4]}, dpkg {theirs[path][4]}")
        self.assertEqual(differences, [])
        self.assertGreater(len(self.ours), 5000)


if __name__ == "__main__":
    unittest.main(verbosity=2)

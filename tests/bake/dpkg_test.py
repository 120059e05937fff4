# SPDX-License-Identifier: MIT
"""kiln unpacks packages itself; the tree must be the one that dpkg makes of the same packages, path for
path, and so must dpkg's database, stanza for stanza. The judge is mmdebstrap. With KILN_ALL also groups of
twice_groups.txt, one after the other, over their scripts, triggers, diversions and overrides. Needs root."""

import json
import os
import pathlib
import shutil
import tempfile
import unittest

import dpkg_compare
import groups
import mmdebstrap
import world

REFERENCE = world.WORK / "reference"

# What is most installed on servers (popcon.debian.org), with many scripts: 200 packages and more.
GROUPS = ("base1", "base2", "base3", "tools1", "tools2", "ssh1", "web2", "mail1", "net3", "monitor2", "sec1")

# Those of debian-minimal.yaml, which has them before any package asks for them.
FIXED_IDS = ("messagebus", "systemd-network", "systemd-journal")


def need_the_judge():
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        raise unittest.SkipTest("needs root and mmdebstrap")


class Dpkg(unittest.TestCase):
    maxDiff = 20000

    @classmethod
    def setUpClass(cls):
        need_the_judge()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="dpkg", dir=world.FAST))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        packages = mmdebstrap.locked_packages(world.WORK / "recipes/debian-minimal.lock")
        cls.theirs = dpkg_compare.their_tree(cls.folder / "theirs", packages)
        # What the packages stages alone gave.
        record = world.load_record(REFERENCE)
        cls.epoch = str(record["source_date_epoch"])
        cls.ours = dpkg_compare.our_tree([
            world.stage_folder(record, s["name"])
            for s in record["stages"] if s["kind"] == "packages" and s["branch"] != "oci"])

    def test_database(self):
        self.assertEqual(dpkg_compare.database_differences(self.ours, self.theirs), [])

    def test_tables(self):
        self.assertEqual(dpkg_compare.table_differences(self.ours, self.theirs), [])

    def test_tree(self):
        self.assertEqual(dpkg_compare.path_differences(self.ours, self.theirs, self.epoch), [])
        self.assertGreater(len(self.ours.manifest), 5000)


class Groups(unittest.TestCase):
    maxDiff = 20000

    @classmethod
    def setUpClass(cls):
        need_the_judge()
        cls.kitchen = groups.Kitchen("dpkg-groups")
        cls.addClassCleanup(cls.kitchen.remove)
        cls.known = [*dpkg_compare.IGNORED, *groups.patterns("dpkg_known.txt"), *groups.patterns("twice_known.txt")]

    def differences(self, name, packages):
        self.kitchen.write_recipe(name, packages)
        self.assertFalse(self.kitchen.bake(name, "--refresh").failed)
        lock = self.kitchen.lock(name)
        ours = dpkg_compare.our_tree([self.kitchen.stage("base"), self.kitchen.stage("group")])
        theirs = dpkg_compare.their_tree(
            self.kitchen.folder / "theirs", mmdebstrap.locked_packages(lock, ["common"]), self.kitchen.cache)
        epoch = str(json.loads(lock.read_text())["epoch"])
        print(f"{name}: {len(packages)} packages asked for, {len(ours.manifest)} paths", flush=True)
        return [*dpkg_compare.database_differences(ours, theirs),
                *dpkg_compare.table_differences(ours, theirs, made_by_recipe=FIXED_IDS),
                *dpkg_compare.path_differences(ours, theirs, epoch, self.known)]

    def test_there_are_enough(self):
        every = groups.groups()
        self.assertGreaterEqual(len({package for name in GROUPS for package in every[name]}), 200)

    def test_groups(self):
        every = groups.groups()
        for name in GROUPS:
            with self.subTest(name):
                try:
                    self.assertEqual(self.differences(name, every[name]), [])
                finally:
                    shutil.rmtree(self.kitchen.folder / "theirs", ignore_errors=True)
                    self.kitchen.forget()


def load_tests(loader, tests, pattern):
    cases = [Dpkg, Groups] if "KILN_ALL" in os.environ else [Dpkg]
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)


if __name__ == "__main__":
    unittest.main(verbosity=2)

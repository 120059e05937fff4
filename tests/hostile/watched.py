# SPDX-License-Identifier: MIT
"""What tests under the watcher share: a folder with the recipes, and the watcher itself."""

import os
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bake"))

import watch  # noqa: E402
import world  # noqa: E402


# Of libraries that read what others wrote: kiln has words of its own.
LIBRARY_WORDS = (r"libarchive|Unrecognized archive|Damaged tar|Lzma|zlib|inflate|json\.exception|yaml-cpp|"
                 r"std::|basic_string|terminate called")


class Watched(unittest.TestCase):
    @classmethod
    def prepare(cls, name):
        """Call it first in setUpClass(): `folder` has the recipes and an empty tmp."""
        if os.geteuid() != 0:
            raise unittest.SkipTest("the watcher mounts overlays, which needs root")
        if world.is_chroot():
            raise unittest.SkipTest("the watcher moves to another root, which no chroot can")
        watch.own_mounts()
        cls.folder = world.FAST / name
        shutil.rmtree(cls.folder, ignore_errors=True)
        (cls.folder / "tmp").mkdir(parents=True)
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        world.copy_recipes(cls.folder)

    @classmethod
    def start_watch(cls):
        """When all is in place: what changes from now on is kiln's doing."""
        cls.watch = watch.Watch([world.FAST, world.WORK])
        cls.addClassCleanup(cls.watch.stop)

    def assert_own_words(self, done):
        self.assertNotRegex(done.stderr, LIBRARY_WORDS)
        self.assertNotIn("internal error", done.stderr)

    def assert_tmp_is_empty(self):
        self.assertEqual(sorted(path.name for path in (self.folder / "tmp").iterdir()), [])

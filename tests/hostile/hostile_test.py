# SPDX-License-Identifier: MIT
"""Hostile packages and scripts, baked under a watcher: nothing outside of kiln's folders changes, no
secret of the host gets in, each failure has kiln's own words and exit code, and no work is left."""

import hashlib
import os
import re
import shutil
import sys
import unittest

import packages as hostile_packages
import scripts as hostile_scripts
import watch
from debs import deb
from watched import Watched, world


class Hostile(Watched):
    @classmethod
    def setUpClass(cls):
        cls.prepare("hostile")
        cls.archive = world.ToyArchive(cls.folder)
        cls.archive.add("hostile", files=[("/usr/share/hostile", "x\n")])
        cls.archive.publish()
        world.toy_recipe(cls.folder, cls.archive, ["hostile"])
        world.succeed("lock", "toy", "--mirror", f"toy={cls.archive.url}", cwd=cls.folder)
        cls.lock = cls.folder / "recipes/toy.lock"
        cls.locked = cls.lock.read_text().split('  "content":')[0]
        cls.start_watch()
        cls.settings = cls.watch.settings()
        cls.devices_before = cls.devices()

    @staticmethod
    def devices():
        """The host's own are below the watcher: their kinds, numbers, modes and owners."""
        found = {name: os.lstat(f"/dev/{name}") for name in ("null", "zero", "full", "tty")}
        return {name: (at.st_mode, at.st_rdev, at.st_uid) for name, at in found.items()}

    def place(self, data):
        """The package of the lock is this one now."""
        path = self.archive.deb("hostile")
        path.write_bytes(data)
        old = next(line for line in self.locked.splitlines() if '"package": "hostile"' in line)
        new = re.sub(r'"sha256": "\w+"', f'"sha256": "{hashlib.sha256(data).hexdigest()}"', old)
        new = re.sub(r'"size": \d+', f'"size": {len(data)}', new)
        text = self.locked.replace(old, new)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.lock.write_text(f'{text}  "content": "sha256:{digest}"\n}}\n')

    def bake(self, *stages, before=(), timeout=120):
        path = world.toy_recipe(self.folder, self.archive, ["hostile"])
        text = path.read_text()
        head, images = text.split("images:")
        head = head.replace("stages:\n", "stages:\n" + "".join(f"  - {stage}\n" for stage in before))
        path.write_text(head + "".join(f"  - {stage}\n" for stage in stages) + "images:" + images)
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        done = self.watch.run(
            [world.KILN, "bake", "toy", "--out", out, "--check", "none", "--mirror",
             f"toy={self.archive.url}"],
            cwd=self.folder, timeout=timeout,
            env=world.environment(TMPDIR=self.folder / "tmp", KILN_TEST_SECRET="KILN_TEST_SECRET=1"))
        self.assertEqual(self.watch.changes(), [], done.stderr[-2000:])
        self.assertEqual(self.watch.settings(), self.settings)
        self.assertEqual(self.devices(), self.devices_before)
        left = [p.name for p in (world.CACHE / "work").iterdir()]
        self.assertEqual(left, [], "work is left behind")
        self.assert_tmp_is_empty()
        self.assertFalse(any(c < " " and c not in "\n\t" for c in done.stderr), repr(done.stderr))
        self.assert_no_secret(out)
        return done

    def assert_no_secret(self, out):
        """Nothing of the victims is in any file that came out of the bake."""
        for path in out.rglob("*"):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                self.assertNotIn(watch.VICTIM.encode(), data, path)
                self.assertNotIn(b"KILN_TEST_SECRET=1", data, path)

    def check(self, case, done):
        # A failure that nobody reads may be another one than the one that the case is about.
        self.assertNotIn("", case.says, case.name)
        self.assertTrue(case.code == 0 or case.says, f"{case.name}: what does it say?")
        self.assertEqual(done.returncode, case.code, f"{case.name}:\n{done.stderr[-3000:]}")
        for text in case.says:
            self.assertIn(text, done.stderr, case.name)
        self.assert_own_words(done)
        if case.code == 0 and (case.tree or case.plain):
            record = world.load_record(self.folder / "out")
            names = [s["name"] for s in record["stages"]]
            last = names.index(case.after) + 1 if case.after else len(names)
            tree, _ = world.apply_deltas([world.stage_folder(record, name) for name in names[:last]])
            for path in case.tree:
                present = not path.startswith("!")
                self.assertEqual(path.lstrip("!") in tree, present, f"{case.name}: {path}")
            for path in case.plain:
                attributes = [word for word in tree[path][-1] if word.startswith("xattr.")]
                self.assertEqual(attributes, [], f"{case.name}: {path}")

    def test_packages(self):
        for case in hostile_packages.CASES:
            with self.subTest(case.name):
                self.place(case.data())
                self.check(case, self.bake(*case.stages, before=case.before))

    def test_scripts(self):
        self.place(deb())
        for case in hostile_scripts.CASES:
            with self.subTest(case.name):
                self.check(case, self.bake(*case.stages, before=case.before))

    def test_the_watcher_takes_nothing_with_it(self):
        outer = self.folder / "outer"
        (outer / "inner").mkdir(parents=True)
        (outer / "inner/file").write_text("x\n")
        devices = sorted(os.listdir("/dev"))
        for folders in ([outer], [outer / "inner", outer]):
            own = watch.Watch(folders)
            own.run(["touch", outer / "made"], cwd="/", env=world.environment())
            own.stop()
            self.assertFalse(own.top.exists())
            self.assertEqual((outer / "inner/file").read_text(), "x\n")
            self.assertTrue((outer / "made").exists())
            self.assertEqual(sorted(os.listdir("/dev")), devices)

    def test_the_watcher_sees_what_changes(self):
        watched = self.watch.run(
            ["sh", "-c", "echo x >/victim/file; rm /victim/log/syslog; mkdir /new"], cwd="/",
            env=world.environment())
        self.assertEqual(watched.returncode, 0, watched.stderr)
        self.assertEqual(self.watch.changes(), ["/new", "/victim/file", "/victim/log/syslog"])
        for path in (self.watch.top / "upper").iterdir():
            shutil.rmtree(path)


# The watcher's own test dirties its upper layer, so it comes last.
unittest.TestLoader.sortTestMethodsUsing = lambda self, a, b: (a > b) - (a < b)

if __name__ == "__main__":
    unittest.main(verbosity=2)

# SPDX-License-Identifier: MIT
"""Kiln's folders and other people: links in the output folder, the caller's umask, several kilns on one
cache, a damaged stage, and programs of trees that no other user can run."""

import os
import pathlib
import shutil
import subprocess
import time
import unittest

import world

BAKE = ("bake", "debian-minimal", "--offline", "--check", "none", "--image", "oci", "--out")


class Shared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A copy: what is pruned here, other tests look at.
        cls.cache = world.FAST / "shared-cache"
        shutil.rmtree(cls.cache, ignore_errors=True)
        cls.addClassCleanup(shutil.rmtree, cls.cache, True)
        subprocess.run(["cp", "-a", world.CACHE, cls.cache], check=True)
        cls.env = world.environment(KILN_CACHE=cls.cache)

    def setUp(self):
        self.folder = world.FAST / "shared"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.addCleanup(shutil.rmtree, self.folder, True)

    def bake(self, out, **options):
        return world.kiln(*BAKE, out, cwd=world.WORK, env=self.env, **options)

    def test_links_in_the_output_folder_are_not_followed(self):
        victim = self.folder / "victim"
        for name in ("build.log", ".lock"):
            with self.subTest(name=name):
                out = self.folder / f"out{name}"
                out.mkdir()
                victim.write_text("precious")
                (out / name).symlink_to(victim)
                done = self.bake(out)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"error: '{out / name}' is a symbolic link\n", done.stderr)
                self.assertEqual(victim.read_text(), "precious")
        out = self.folder / "replaced"
        out.mkdir()
        for name in ("SHA256SUMS", "record.json", "oci.manifest"):
            (out / name).symlink_to(victim)
        self.assertEqual(self.bake(out).returncode, 0)
        self.assertFalse((out / "SHA256SUMS").is_symlink())
        self.assertEqual(victim.read_text(), "precious")

    def test_results_obey_the_umask(self):
        for mask, file_mode, folder_mode in ((0o077, 0o600, 0o700), (0o027, 0o640, 0o750)):
            out = self.folder / f"out{mask:o}"
            self.assertEqual(self.bake(out, umask=mask).returncode, 0)
            for path in [out, *out.rglob("*")]:
                wanted = folder_mode if path.is_dir() else file_mode
                self.assertEqual(path.stat().st_mode & 0o7777, wanted, path)

    def test_three_bakes_while_the_cache_is_pruned_and_a_stage_is_damaged(self):
        stage = max((self.cache / "stages").iterdir(), key=lambda p: p.stat().st_size)
        (stage / "stage.json").write_text('{"key": ')
        outs = [self.folder / f"out{i}" for i in range(3)]
        running = [
            subprocess.Popen(
                [world.KILN, *BAKE, out], cwd=world.WORK, env=self.env,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )
            for out in outs
        ]
        while any(process.poll() is None for process in running):
            world.succeed("cache", "prune", "--all", env=self.env)
            time.sleep(0.5)
        for process, out in zip(running, outs):
            errors = process.communicate()[1]
            self.assertEqual(process.returncode, 0, errors[-3000:])
            self.assertEqual(world.sums(out), world.sums(outs[0]))
        self.assertEqual(list((self.cache / "work").iterdir()), [])

    def test_no_other_user_reaches_a_program_in_a_tree(self):
        self.assertEqual(self.bake(self.folder / "out").returncode, 0)
        programs = list(pathlib.Path(self.cache / "stages").glob("*/tree/usr/bin/passwd"))
        programs += list(pathlib.Path(self.cache / "stages").glob("*/tree/usr/bin/su"))
        self.assertNotEqual(programs, [])
        user = world.make_user()
        for program in programs:
            self.assertNotEqual(program.stat().st_mode & 0o4000, 0, program)
            done = subprocess.run(["runuser", "-u", user, "--", program, "--help"], capture_output=True)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(b"Permission denied", done.stderr)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: needs root to make users and mounts")
        raise SystemExit(77)
    unittest.main(verbosity=2)

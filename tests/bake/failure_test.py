# SPDX-License-Identifier: MIT
"""Bad input and bad luck: the message, the exit code, and that nothing half-made is left."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import world

# In two pieces, so that no scanner takes this file for one.
PRIVATE_KEY = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nAAAA\n-----END OPENSSH " + "PRIVATE KEY-----"


class Failure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = world.FAST / "failure"
        shutil.rmtree(cls.folder, ignore_errors=True)
        cls.folder.mkdir()
        world.copy_recipes(cls.folder)
        cls.archive = world.ToyArchive(cls.folder)
        cls.archive.add("toy-good", files=[("/usr/share/toy/file", "toy\n")])
        cls.archive.add("toy-vanishing", files=[("/usr/share/vanishing", "x\n")])
        cls.archive.add("toy-broken", files=[("/usr/share/broken", "x" * 5000)])
        cls.archive.add(
            "toy-failing",
            postinst="#!/bin/sh\nfor i in $(seq 30); do echo line $i; done\nexit 7\n",
        )
        cls.archive.add("toy-bad-preinst", preinst="#!/bin/sh\necho no thanks\nexit 3\n")
        cls.archive.add("toy-secret", files=[("/etc/toy/key", f"{PRIVATE_KEY}\n")])
        cls.archive.add("toy-networking", postinst="#!/bin/sh\ncat /proc/net/dev >/toy-net\n")
        broken = cls.archive.deb("toy-broken")
        broken.write_bytes(broken.read_bytes()[:-60])
        cls.archive.publish()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def tearDown(self):
        self.assertEqual(world.kiln_mounts(), [])
        left = [p for p in (world.CACHE / "work").iterdir()] if (world.CACHE / "work").exists() else []
        self.assertEqual(left, [], "work is left behind")

    def bake(self, *packages, args=(), refresh=True, more="", **options):
        world.toy_recipe(self.folder, self.archive, packages, more=more)
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        refresh_args = ["--refresh"] if refresh else []
        return world.kiln(
            "bake", "toy", "--out", out, "--mirror", f"toy={self.archive.url}",
            *refresh_args, *args, cwd=self.folder, **options,
        )

    def assert_no_results(self):
        names = sorted(p.name for p in (self.folder / "out").iterdir())
        self.assertEqual(names, ["build.log"])

    def check(self, done, code, *texts):
        self.assertEqual(done.returncode, code, done.stderr[-3000:])
        for text in texts:
            self.assertIn(text, done.stderr)

    def test_good_package(self):
        self.check(self.bake("toy-good"), 0)

    def test_no_network_in_scripts(self):
        self.check(self.bake("toy-networking"), 0)
        stored = list((world.CACHE / "stages").glob("*/tree/toy-net"))
        self.assertTrue(stored)
        interfaces = [line.split(":")[0].strip() for line in stored[0].read_text().splitlines()[2:]]
        self.assertEqual(interfaces, ["lo"])

    def test_failing_postinst(self):
        done = self.bake("toy-failing")
        self.check(
            done, 1, "error: package 'toy-failing': postinst failed with exit code 7",
            "line 30", "while running stage 'toys'",
        )
        self.assertNotIn("  line 1\n", done.stderr)
        self.assert_no_results()

    def test_failing_postinst_keeps_work_when_asked(self):
        done = self.bake("toy-failing", args=["--keep-work"])
        self.check(done, 1, "the incomplete tree was kept in '")
        kept = done.stderr.split("the incomplete tree was kept in '")[1].split("'")[0]
        self.assertTrue(os.path.isdir(os.path.join(kept, "upper")))
        shutil.rmtree(kept)

    def test_failing_preinst(self):
        self.check(
            self.bake("toy-bad-preinst"), 1,
            "package 'toy-bad-preinst' 1: preinst failed with exit code 3", "no thanks",
        )

    def test_truncated_package(self):
        self.check(self.bake("toy-broken"), 1, "is damaged: truncated")
        self.assert_no_results()

    def test_secret(self):
        done = self.bake("toy-secret")
        self.check(
            done, 1, "error: the image contains 1 file that must not be shipped",
            "private-key /etc/toy/key: ", "(stage 'toys')", "'lint'",
        )
        self.assert_no_results()

    def test_secret_that_the_recipe_allows(self):
        allow = """\
            lint:
              - {allow: private-key, file: /etc/toy/key, reason: a test}
            """
        self.check(self.bake("toy-secret", more=allow), 0)

    def test_unknown_package(self):
        self.check(self.bake("toy-goood"), 3, "toy-goood", "toy-good")

    def test_wrong_digest_in_the_pool(self):
        self.check(self.bake("toy-good"), 0)
        world.succeed("cache", "prune", "--all", env=world.environment(KILN_CACHE=self.folder / "c"))
        digest = world.hashlib.sha256(self.archive.deb("toy-good").read_bytes()).hexdigest()
        cache = self.folder / "other-cache"
        (cache / "pool/sha256" / digest[:2]).mkdir(parents=True)
        for path in (world.CACHE / "pool/sha256").rglob("*"):
            if path.is_file() and not path.name.endswith(".part"):
                target = cache / "pool/sha256" / path.parent.name
                target.mkdir(exist_ok=True)
                os.link(path, target / path.name) if path.name != digest else None
        content = bytearray(self.archive.deb("toy-good").read_bytes())
        content[100] ^= 1
        (cache / "pool/sha256" / digest[:2] / digest).write_bytes(content)
        done = self.bake(
            "toy-good", refresh=False, args=["--offline"], env=world.environment(KILN_CACHE=cache)
        )
        self.check(done, 1, "checksum mismatch for '", digest, "in the download cache", "run once without --offline")
        done = self.bake("toy-good", refresh=False, env=world.environment(KILN_CACHE=cache))
        self.check(done, 0, f"moved to '{digest}.damaged' and downloaded again")
        shutil.rmtree(cache)

    def test_vanished_package_names_refresh(self):
        self.check(self.bake("toy-vanishing"), 0)
        digest = world.hashlib.sha256(self.archive.deb("toy-vanishing").read_bytes()).hexdigest()
        deb = self.archive.deb("toy-vanishing")
        content = deb.read_bytes()
        deb.unlink()
        self.addCleanup(deb.write_bytes, content)
        (world.CACHE / "pool/sha256" / digest[:2] / digest).unlink()
        # Another stage order asks for the package anew although its old stage is stored.
        done = self.bake("toy-good", "toy-vanishing", refresh=False)
        self.check(done, 3, "is out of date: recipe 'toy' changed", "package 'toy-good' was added")
        world.succeed("lock", "toy", "--mirror", f"toy={self.archive.url}", cwd=self.folder)
        done = self.bake("toy-good", "toy-vanishing", refresh=False)
        self.check(done, 1, "toy-vanishing", "--refresh")

    def test_no_lock(self):
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "recipes/toy.lock").unlink()
        done = self.bake("toy-good", args=("--locked",), refresh=False)
        self.check(done, 3, "lock 'recipes/toy.lock' not found", "kiln lock")

    def test_full_disk(self):
        small = self.folder / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", small], check=True)
        try:
            world.toy_recipe(self.folder, self.archive, ["toy-good"])
            done = world.kiln(
                "bake", "toy", "--refresh", "--mirror", f"toy={self.archive.url}",
                "--out", small / "out", cwd=self.folder,
            )
            self.check(done, 1, "No space left on device")
            self.assertEqual(sorted(p.name for p in (small / "out").iterdir()), ["build.log"])
        finally:
            subprocess.run(["umount", small], check=True)

    def bake_into(self, cache):
        """A bake of all stages that has everything but room."""
        (cache / "pool").symlink_to(world.CACHE / "pool")
        return world.kiln(
            "bake", "debian-minimal", "--offline", "--check", "none", "--out", self.folder / "out",
            cwd=world.WORK, env=world.environment(KILN_CACHE=cache))

    def test_full_cache(self):
        cache = self.folder / "small-cache"
        cache.mkdir(mode=0o700)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", cache], check=True)
        try:
            self.check(self.bake_into(cache), 1, "No space left on device")
            self.assert_no_results()
            self.assertEqual(list((cache / "work").iterdir()), [])
        finally:
            subprocess.run(["umount", cache], check=True)

    def test_read_only_cache(self):
        cache = self.folder / "read-only"
        cache.mkdir(mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", cache], check=True)
        try:
            (cache / "stages").mkdir(mode=0o700)
            subprocess.run(["mount", "-o", "remount,ro", cache], check=True)
            done = world.kiln(
                "bake", "debian-minimal", "--offline", "--check", "none", "--out", self.folder / "out",
                cwd=world.WORK, env=world.environment(KILN_CACHE=cache))
            self.check(done, 1, "Read-only file system", str(cache))
        finally:
            subprocess.run(["umount", cache], check=True)

    def test_unwritable_output(self):
        out = self.folder / "file"
        out.write_text("in the way")
        done = world.kiln("bake", "debian-minimal", "--out", out / "x", cwd=world.WORK)
        self.check(done, 1, "cannot create output directory")

    def test_plain_user_without_subuids(self):
        user = world.make_user(subids=False, name="kilnnosub")
        home = self.folder / "nosub"
        home.mkdir()
        world.give_to(user, home)
        done = world.kiln(
            "bake", "debian-minimal", "--out", home / "o", cwd=world.WORK, user=user,
            env=world.environment(KILN_CACHE=home / "cache"),
        )
        self.check(done, 1, "has no range of 65536 subordinate ids", "usermod --add-subuids")

    def test_kernel_without_user_namespaces(self):
        """As root of a namespace that may have none below it: said before any script runs."""
        out = self.folder / "none"
        done = subprocess.run(
            ["unshare", "--user", "--mount", "--map-root-user", "sh", "-euc",
             'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"', "sh",
             str(world.KILN), "bake", "debian-minimal", "--offline", "--check", "none", "--out", str(out)],
            cwd=world.WORK, env=world.environment(KILN_CACHE=self.folder / "none-cache"),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        if "unshare failed" in done.stderr:
            self.skipTest("the kernel refuses a user namespace (as it does in every chroot)")
        self.assertIn("warning: user namespaces are not available to root on this host: maintainer "
                      "scripts run as root with few capabilities", done.stderr)
        self.assertEqual(done.returncode, 1, done.stderr)  # nothing is in this cache
        self.assertIn("--offline", done.stderr)

    def test_unreadable_overlay_file(self):
        user = world.make_user()
        if reason := world.user_namespaces_are_refused(user):
            self.skipTest(reason)
        home = self.folder / "reader"
        home.mkdir()
        world.copy_recipes(home)
        shutil.copy(world.WORK / "recipes/debian-minimal.lock", home / "recipes")
        world.give_to(user, home)
        secret = home / "overlays/debian-minimal/etc/motd"
        os.chown(secret, 0, 0)
        secret.chmod(0o600)
        done = world.kiln(
            "bake", "debian-minimal", "--offline", "--out", home / "out", cwd=home, user=user,
            env=world.environment(KILN_CACHE=home / "cache"),
        )
        self.check(done, 1, "cannot open", "etc/motd", "Permission denied")

    def test_image_that_the_recipe_does_not_define(self):
        done = self.bake("toy-good", args=["--image", "qcow2"])
        self.check(done, 2, "image format 'qcow2' is not defined in recipe 'toy' (--image)",
                   "hint: it defines docker, oci")

    def test_scripts_that_say_nothing_or_want_the_network(self):
        for script, code, hint in (
                ("false", 1, "the script printed nothing: add 'set -x' as its first line"),
                ("getent hosts a.example || { echo could not resolve a.example; exit 4; }", 4,
                 "scripts have no network access: add what they download to 'sources'")):
            more = ("oci:\n  stages:\n    - {stage: run, name: script, why: it fails, "
                    f"script: '{script}'}}\n")
            done = self.bake("toy-good", more=more)
            self.check(done, 1, f"the script of stage 'script' failed with exit code {code}",
                       f"hint: {hint}")

    def test_unknown_format_and_option(self):
        done = world.kiln("bake", "debian-minimal", "--image", "qcow", cwd=world.WORK)
        self.check(done, 2, "unknown image format", "did you mean 'qcow2'?")
        self.check(world.kiln("bake", "debian-minimal", "--offlin", cwd=world.WORK), 2)


class Killed(unittest.TestCase):
    """Ended at any point, kiln leaves nothing behind, and the next run makes the same images."""

    MOMENTS = 40 if os.environ.get("KILN_ALL") else 4
    PHASES = ["stage 'base'", "stage 'kernel'", "write disk", "write qcow2", "write container image"]

    def start(self, cache, out):
        return subprocess.Popen(
            [world.KILN, "bake", "debian-minimal", "--offline", "--check", "none", "--out", out],
            cwd=world.WORK, env=world.environment(KILN_CACHE=cache),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )

    def wait_for_phase(self, process, phase):
        for line in process.stderr:
            if line.startswith(f"{phase} ..."):
                return
        self.fail(f"phase '{phase}' never came")

    def assert_nothing_left(self, out):
        self.assertEqual(world.kiln_mounts(), [])
        running = subprocess.run(["pgrep", "-f", str(out)], capture_output=True, text=True).stdout
        self.assertEqual(running, "")

    def test_kill_9_in_each_phase_then_again(self):
        folder = world.FAST / "killed"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.addCleanup(shutil.rmtree, folder, True)
        cache = folder / "cache"
        cache.mkdir()
        (cache / "pool").symlink_to(world.CACHE / "pool")
        out = folder / "out"
        for phase in self.PHASES:
            with self.subTest(phase=phase):
                process = self.start(cache, out)
                self.wait_for_phase(process, phase)
                process.send_signal(signal.SIGKILL)
                process.wait()
                process.stderr.close()
                self.assertFalse((out / "SHA256SUMS").exists())
                self.assert_nothing_left(out)
        self.end_at_random_moments(cache, out)
        process = self.start(cache, out)
        errors = process.communicate()[1]
        self.assertEqual(process.returncode, 0, errors[-3000:])
        self.assertEqual(world.sums(out), world.sums(world.WORK / "reference"))
        self.assertEqual([p for p in (cache / "work").iterdir()], [])
        self.assertEqual([p.name for p in out.iterdir() if p.name.startswith(".")], [])

    def end_at_random_moments(self, cache, out):
        """By SIGKILL and SIGINT in turn; the seed is in the name, to try a failure once more."""
        seed = int(os.environ.get("KILN_SEED", time.time()))
        chance = random.Random(seed)
        for number in range(self.MOMENTS):
            sent = (signal.SIGINT, signal.SIGKILL)[number % 2]
            delay = chance.uniform(0, 4)
            with self.subTest(seed=seed, delay=delay, signal=sent.name):
                process = self.start(cache, out)
                time.sleep(delay)
                process.send_signal(sent)
                errors = process.communicate(timeout=60)[1]
                codes = {signal.SIGINT: (130, -signal.SIGINT), signal.SIGKILL: (-signal.SIGKILL,)}
                if process.returncode == 0:  # it was quicker
                    self.assertEqual(world.sums(out), world.sums(world.WORK / "reference"))
                    shutil.rmtree(out)
                    continue
                self.assertIn(process.returncode, codes[sent], errors[-3000:])
                self.assertFalse((out / "SHA256SUMS").exists())
                self.assert_nothing_left(out)

    def test_interrupt(self):
        folder = world.FAST / "interrupted"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.addCleanup(shutil.rmtree, folder, True)
        cache = folder / "cache"
        cache.mkdir()
        (cache / "pool").symlink_to(world.CACHE / "pool")
        process = self.start(cache, folder / "out")
        self.wait_for_phase(process, "stage 'base'")
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 130, errors)
        self.assert_nothing_left(folder / "out")
        self.assertEqual([p for p in (cache / "work").iterdir()], [])
        self.assertEqual([p.name for p in (folder / "out").iterdir()], ["build.log"])


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: needs root to make users and mounts")
        raise SystemExit(77)
    unittest.main(verbosity=2)

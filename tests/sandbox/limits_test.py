# SPDX-License-Identifier: MIT
"""Scripts that take more than their share are stopped, with words that say of what."""

import os
import pathlib
import resource
import time
import unittest

from sandbox_world import RUNNER, SandboxCase, run

KILN = os.environ["KILN"]
PROBE = os.environ["KILN_LIMIT_PROBE"]
STOPPED = 100


class Limits(SandboxCase):
    def stopped(self, way, *limits):
        began = time.monotonic()
        words = [word for limit in limits for word in ("--limit", limit)]
        done = run([RUNNER, str(self.work), *words, PROBE, way])
        self.assertLess(time.monotonic() - began, 60)
        self.assertEqual(done.returncode, STOPPED, done.stdout[-500:] + done.stderr)
        return done.stdout.splitlines()[-1]

    def test_time(self):
        self.assertEqual(self.stopped("time", "time=1"), "stopped: it ran longer than 1 s")

    def test_time_of_one_that_closed_its_output(self):
        self.assertEqual(self.stopped("closed", "time=1"), "stopped: it ran longer than 1 s")

    def test_output(self):
        self.assertEqual(
            self.stopped("output", "output=10485760"), "stopped: it printed more than 10.0 MiB")

    def test_memory_of_all_processes_together(self):
        self.assertEqual(
            self.stopped("memory", f"memory={256 << 20}"),
            "stopped: it used more than 256.0 MiB of memory")

    def test_disk(self):
        self.assertEqual(
            self.stopped("disk", f"disk={64 << 20}"),
            "stopped: it wrote more than 64.0 MiB to the tree")

    def test_files(self):
        self.assertEqual(
            self.stopped("inodes", "files=1000"),
            "stopped: it created more than 1000 files in the tree")

    def test_memory_that_no_process_has_for_itself(self):
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
        fields = dict(line.split(":") for line in lines)
        available = int(fields["MemAvailable"].split()[0]) << 10
        self.assertRegex(
            self.stopped("shared", f"memory_left={available - (256 << 20)}"),
            r"^stopped: less than .* of memory was left on the host$")

    def test_processes(self):
        done = run([RUNNER, str(self.work), "--limit", "processes=50", PROBE, "processes"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("refused after ", done.stdout)

    def given(self, prefix=(), change=None):
        return run([*prefix, RUNNER, str(self.work), "--limit", f"memory={4 << 30}",
                    "--limit", "processes=100", PROBE, "given"], preexec_fn=change)

    def test_scripts_are_given_the_same_whatever_the_caller_has(self):
        usual = self.given()
        self.assertEqual(usual.returncode, 0, usual.stderr)
        self.assertEqual(usual.stdout.splitlines(), [
            "0: -1 -1", "1: -1 -1", f"2: {4 << 30} {4 << 30}", f"3: {8 << 20} -1", "4: 1 1",
            "5: -1 -1", "6: 100 100", "7: 1024 1024", f"8: {64 << 10} {64 << 10}", "9: -1 -1",
            "10: -1 -1", "11: 1024 1024", "12: 819200 819200", "13: 0 0", "14: 0 0", "15: -1 -1",
            "x86_64", "022"])
        # Soft ones: hard ones can be raised again by some roots only.
        odd = {resource.RLIMIT_STACK: 64 << 10, resource.RLIMIT_NOFILE: 70,
               resource.RLIMIT_FSIZE: 1 << 40, resource.RLIMIT_AS: 64 << 30,
               resource.RLIMIT_CPU: 1000, resource.RLIMIT_NPROC: 5000, resource.RLIMIT_CORE: 0,
               resource.RLIMIT_MEMLOCK: 4096, resource.RLIMIT_MSGQUEUE: 10}

        def change():
            os.umask(0o077)
            for which, soft in odd.items():
                resource.setrlimit(which, (soft, resource.getrlimit(which)[1]))

        for prefix in ((), ("setarch", "i686"), ("nice",)):
            with self.subTest(prefix):
                other = self.given(prefix, change)
                self.assertEqual(other.returncode, 0, other.stderr)
                self.assertEqual(other.stdout, usual.stdout)

    def test_limits_that_scripts_cannot_have_are_named(self):
        prefix = self.as_user()
        for name, which, hard, says in (
                ("files", resource.RLIMIT_NOFILE, 500,
                 "scripts need the resource limit 'open files' to be 1024, but the hard limit is 500\n"
                 "raise the hard limit ('ulimit -Hn 1024', or /etc/security/limits.conf)"),
                ("sizes", resource.RLIMIT_FSIZE, 1 << 40,
                 "scripts need the resource limit 'file size' to be unlimited, but the hard limit is 1099511627776")):
            with self.subTest(name):
                soft = "prlimit", {resource.RLIMIT_NOFILE: f"--nofile={hard}:{hard}",
                                   resource.RLIMIT_FSIZE: f"--fsize={hard}:{hard}"}[which]
                done = self.given([*prefix, *soft])
                self.assertEqual(done.returncode, 99, done.stdout + done.stderr)
                self.assertIn(says, done.stderr)

    def test_kiln_with_little_stack(self):
        recipe = self.work / "recipe.yaml"
        recipe.write_text("kiln: 1\nname: x\nbogus: 1\n")
        self.folder.chmod(0o755)
        check = [KILN, "check", str(recipe)]
        usual = run(check)
        self.assertEqual(usual.returncode, 3, usual.stderr)
        small = run(["prlimit", f"--stack={64 << 10}:", *check])
        self.assertEqual((small.returncode, small.stderr), (3, usual.stderr))
        none = run([*self.as_user(), "prlimit", f"--stack={128 << 10}:{128 << 10}", *check])
        self.assertEqual(none.returncode, 1, none.stderr)
        self.assertEqual(
            none.stderr, "error: the stack size is limited to 128 KiB, kiln needs 1 MiB\n"
            "hint: raise the hard limit with 'ulimit -Hs 8192'\n")

    def test_nothing_of_them_stays(self):
        self.stopped("memory", f"memory={64 << 20}")
        self.assertEqual(run(["pgrep", "-f", "^/program memory"]).stdout, "")

    def test_they_have_ended_before_anybody_goes_on(self):
        self.stopped("writers", "time=2")
        self.assertEqual(run(["pgrep", "-f", "^/program writers"]).stdout, "")


if __name__ == "__main__":
    unittest.main(verbosity=2)

# SPDX-License-Identifier: MIT
"""Scripts that take more than their share are stopped, with words that say of what."""

import os
import pathlib
import time
import unittest

from sandbox_world import RUNNER, SandboxCase, run

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
            "stopped: it made more than 1000 files in the tree")

    def test_memory_that_no_process_has_for_itself(self):
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
        fields = dict(line.split(":") for line in lines)
        available = int(fields["MemAvailable"].split()[0]) << 10
        self.assertRegex(
            self.stopped("shared", f"memory_left={available - (256 << 20)}"),
            r"^stopped: it left the machine less than .* of memory$")

    def test_processes(self):
        done = run([RUNNER, str(self.work), "--limit", "processes=50", PROBE, "processes"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("refused after ", done.stdout)

    def test_nothing_of_them_stays(self):
        self.stopped("memory", f"memory={64 << 20}")
        self.assertEqual(run(["pgrep", "-f", "^/program memory"]).stdout, "")

    def test_they_have_ended_before_anybody_goes_on(self):
        self.stopped("writers", "time=2")
        self.assertEqual(run(["pgrep", "-f", "^/program writers"]).stdout, "")


if __name__ == "__main__":
    unittest.main(verbosity=2)

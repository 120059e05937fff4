# SPDX-License-Identifier: MIT
"""PAUSE accepted: the whole suite on the container and on the disk, each with an upgrade to what
pause_other.py baked on the same volume. Uploads are picked up every few seconds instead of every 75."""

import os
import subprocess
import unittest

import docker_daemon
import world


class Accept(unittest.TestCase):
    def accept(self, image, other, *more, env=None):
        command = [
            world.KILN, "accept", world.WORK / "pause" / image, "--recipe", "pause-standin",
            "--set", f"upgrade={world.WORK / 'other' / other}", "--set", "poll=5",
            "--junit", world.WORK / f"{image}.xml", *more]
        done = subprocess.run(
            [str(word) for word in command], cwd=world.WORK, env={**world.environment(), **(env or {})},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=3000)
        print(done.stdout, done.stderr[-4000:])
        self.assertEqual(done.returncode, 0)

    def test_container(self):
        with docker_daemon.running() as daemon:
            self.accept("pause.docker.tar", "pause-other.docker.tar", "--docker", env=daemon.env)

    def test_disk(self):
        more = ["--set", "power_cuts=yes"] if os.environ.get("KILN_ALL") else []
        self.accept("pause.qcow2", "pause-other.qcow2", "--vm", *more)


if __name__ == "__main__":
    unittest.main(verbosity=2)

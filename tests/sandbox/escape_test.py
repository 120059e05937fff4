# SPDX-License-Identifier: MIT
"""More than a hundred ways out of a sandbox, tried as root, as a plain user and in a chroot.

Prints a table of what held. A way that is open fails the test, as does any change outside."""

import os
import pathlib
import socket
import subprocess
import time
import unittest

from sandbox_world import RUNNER, SandboxCase, run

PROBE = os.environ["KILN_ESCAPE_PROBE"]
TABLE = {}

# The machine's folders once more, below a folder that is no mount: the kernel gives processes there
# no user namespace.
CHROOT = """\
set -eu
for path in /*; do
    if [ -L "$path" ]; then cp -P "$path" "$NEW$path"
    elif [ -d "$path" ]; then mkdir "$NEW$path"; mount --rbind "$path" "$NEW$path"
    fi
done
exec chroot "$NEW" "$@"
"""


class Escapes(SandboxCase):
    def listen(self):
        """Servers of the host: TCP on loopback, and an abstract unix socket."""
        tcp = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(tcp.close)
        local = socket.socket(socket.AF_UNIX)
        self.addCleanup(local.close)
        local.bind("\0kiln-test-abstract")
        local.listen()
        return tcp.getsockname()[1]

    def try_ways(self, name, prefix, mark_owner):
        port = self.listen()
        before = self.victims()
        # Like a careless caller: a folder of the host open on descriptor 9, a secret in the
        # environment and in memory.
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, descriptor)
        script = 'exec 9<"$0"; exec "$@"'
        done = run(
            [*prefix, "/bin/sh", "-c", script, str(self.folder), RUNNER, str(self.work), PROBE,
             str(self.victim), str(port)],
            env={**os.environ, "KILN_TEST_SECRET": "KILN_TEST_SECRET=1"})
        lines = done.stdout.splitlines()
        ways = [line.split(" ", 1) for line in lines if line.startswith(("held ", "OPEN "))]
        for verdict, way in ways:
            TABLE.setdefault(way, {})[name] = verdict
        self.assertEqual([way for verdict, way in ways if verdict == "OPEN"], [])
        self.assertGreater(len(ways), 100, done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.victims(), before)
        left = (self.work / "out/setuid").lstat()
        self.assertEqual(left.st_mode & 0o7777, 0o6755)
        mark_owner(left.st_uid)

    def test_as_root(self):
        self.try_ways("root", [], lambda uid: self.assertGreaterEqual(uid, 65536))

    def test_as_a_plain_user(self):
        prefix = self.as_user()
        trial = run([*prefix, "unshare", "--user", "true"])
        if trial.returncode != 0:
            self.skipTest("the kernel refuses plain users a user namespace (as in every chroot)")
        owner = self.work.stat().st_uid
        self.try_ways("user", prefix, lambda uid: self.assertEqual(uid, owner))

    def test_in_a_chroot(self):
        new = self.folder / "chroot"
        new.mkdir()
        prefix = ["unshare", "--mount", "--propagation", "private", "env", f"NEW={new}", "sh", "-c",
                  CHROOT, "sh"]
        self.try_ways("chroot", prefix, lambda uid: self.assertGreaterEqual(uid, 65536))

    def test_places_of_mounts_are_no_links(self):
        """One link was the tree's /p for the mount, the host's /proc for what was bound, and an
        empty folder when settings were made read-only: a /proc with writable settings was left."""
        root = self.work / "root"
        for folder in ("p/self/cwd", "p/self/mnt", "e/f", "e/proc"):
            (root / folder).mkdir(parents=True)
        (root / "mnt").symlink_to("/e/f")
        (root / "p/self/proc").symlink_to("/p")
        for place in ("proc", "dev", "run", "tmp"):
            link = root / place
            with self.subTest(place):
                link.symlink_to("/p/self/cwd/../mnt/../proc")
                done = run([RUNNER, str(self.work), PROBE, str(self.victim), "1"])
                self.assertEqual(done.returncode, 99, done.stdout)
                self.assertIn(f"'/{place}' of the tree is not a directory", done.stderr)
                self.assertEqual(done.stdout, "")
                link.unlink()

    def test_signals_reach_nothing_of_the_host(self):
        bystander = subprocess.Popen(["sleep", "100"])
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        began = time.monotonic()
        done = run([RUNNER, str(self.work), PROBE, str(self.victim), "1", "signals"])
        self.assertLess(time.monotonic() - began, 60)
        self.assertEqual(done.returncode, 128 + 9, done.stdout + done.stderr)
        self.assertIsNone(bystander.poll())

    @classmethod
    def tearDownClass(cls):
        names = ["root", "user", "chroot"]
        print(f"\n{'way':44}" + "".join(f"{name:>8}" for name in names))
        for way, verdicts in TABLE.items():
            print(f"{way:44}" + "".join(f"{verdicts.get(name, '-'):>8}" for name in names))
        print(f"{len(TABLE)} ways", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)

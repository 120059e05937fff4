# SPDX-License-Identifier: MIT
"""More than a hundred ways out of a sandbox, tried as root, as a plain user, in a chroot, and as root
of a kernel that gives nobody a user namespace.

Prints a table of what held. A way that is open fails the test, as does any change outside, but for
the few that docs/security.md names for that last kernel."""

import os
import pathlib
import socket
import subprocess
import time
import unittest

from sandbox_world import RUNNER, SandboxCase, run

PROBE = os.environ["KILN_ESCAPE_PROBE"]
TABLE = {}
# What is open, as docs/security.md says, where root of the sandbox is root of the host: files of
# /proc that are root's. Nothing else may be.
OPEN_WITHOUT_USER_NAMESPACE = {"/proc/slabinfo", "/proc/pagetypeinfo"}
OWNER = "a file that it leaves is nobody's of the host"

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

    def try_ways(self, name, prefix, owner, options=(), known=frozenset()):
        """`owner` says on the host who root of the sandbox is; `known` ways may be open."""
        port = self.listen()
        before = self.victims()
        # Like a careless caller: a folder of the host open on descriptor 9, a secret in the
        # environment and in memory.
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, descriptor)
        script = 'exec 9<"$0"; exec "$@"'
        done = run(
            [*prefix, "/bin/sh", "-c", script, str(self.folder), RUNNER, *options,
             str(self.work), PROBE, str(self.victim), str(port)],
            env={**os.environ, "KILN_TEST_SECRET": "KILN_TEST_SECRET=1"})
        lines = done.stdout.splitlines()
        ways = [line.split(" ", 1) for line in lines if line.startswith(("held ", "OPEN "))]
        opened = {way.split(" (")[0] for verdict, way in ways if verdict == "OPEN"}
        for verdict, way in ways:
            way = way.split(" (")[0]
            TABLE.setdefault(way, {})[name] = "known" if way in opened & known else verdict
        self.assertEqual(opened - known, set(), done.stdout)
        self.assertGreater(len(ways), 100, done.stdout + done.stderr)
        self.assertEqual(done.returncode, 1 if opened else 0, done.stdout + done.stderr)
        self.assertEqual(self.victims(), before)
        left = (self.work / "out/setuid").lstat()
        self.assertEqual(left.st_mode & 0o7777, 0o6755)
        TABLE.setdefault(OWNER, {})[name] = "known" if left.st_uid == 0 else "held"
        owner(left.st_uid)

    def a_subordinate_id(self, uid):
        self.assertGreaterEqual(uid, 65536)

    def test_as_root(self):
        self.try_ways("root", [], self.a_subordinate_id)

    def test_as_root_without_user_namespaces(self):
        # Root of the sandbox is root of the host there: the column proves that the rest holds.
        self.try_ways("no userns", [], lambda uid: self.assertEqual(uid, 0),
                      options=["--no-user-namespace"], known=OPEN_WITHOUT_USER_NAMESPACE)

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
        self.try_ways("chroot", prefix, self.a_subordinate_id)

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
        names = ["root", "user", "chroot", "no userns"]
        print(f"\n{'way':48}" + "".join(f"{name:>11}" for name in names))
        for way, verdicts in TABLE.items():
            print(f"{way:48}" + "".join(f"{verdicts.get(name, '-'):>11}" for name in names))
        print(f"{len(TABLE)} ways", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)

# SPDX-License-Identifier: MIT
"""A bake in a plain chroot, whose root is no mount point, gives the same bytes and leaves no mounts."""

import os
import pathlib
import shlex
import shutil
import subprocess
import unittest

import world

# Sees this machine's folders, each bind-mounted, in a chroot whose own folder is not a mount. Mounts
# propagate here, so one that kiln leaked would show.
SCRIPT = """\
set -eu
mount --make-rshared /
for path in /*; do
    if [ -L "$path" ]; then
        cp -P "$path" "$NEW$path"
    elif [ -d "$path" ]; then
        mkdir "$NEW$path"
        [ "$path" = "$WITHOUT" ] || mount --rbind "$path" "$NEW$path"
    fi
done
before=$(wc -l </proc/self/mounts)
status=0
chroot "$NEW" sh -c {command} || status=$?
after=$(wc -l </proc/self/mounts)
if [ "$before" != "$after" ]; then
    echo "mounts before: $before, after: $after"
    cat /proc/self/mounts
    exit 99
fi
exit $status
"""


class PlainChroot(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("chroot needs root")
        if world.is_plain_chroot():
            self.skipTest("this is a plain chroot, so every other bake of these tests is the proof")
        # Apart from the folders that are mounted below it.
        self.new = world.WORK / "chroot"
        self.new.mkdir()
        self.addCleanup(shutil.rmtree, self.new)
        self.folder = world.FAST / "chroot"
        self.folder.mkdir()
        self.addCleanup(shutil.rmtree, self.folder, True)

    def run_in_chroot(self, command, without=""):
        script = SCRIPT.replace("{command}", shlex.quote(command))
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
            env=world.environment(KILN_CACHE=self.folder / "cache", NEW=self.new, WITHOUT=without),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)

    def test_gives_the_same_bytes(self):
        cache = self.folder / "cache"
        cache.mkdir()
        shutil.copytree(world.CACHE / "pool", cache / "pool")
        done = self.run_in_chroot(
            f"cd {world.WORK} && {world.KILN} bake debian-minimal --offline --check none"
            f" --out {self.folder}/out")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr[-3000:])
        self.assertEqual(world.sums(self.folder / "out"), world.sums(world.WORK / "reference"))

    def test_names_a_missing_proc(self):
        done = self.run_in_chroot(
            f"cd {world.WORK} && {world.KILN} bake debian-minimal --offline"
            f" --check none --out {self.folder}/out", without="/proc")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("'/proc' is not mounted in this chroot", done.stderr)
        self.assertIn("run 'mount -t proc proc /proc'", done.stderr)
        self.assertFalse(pathlib.Path(self.folder / "out").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)

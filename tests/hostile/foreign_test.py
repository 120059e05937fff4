# SPDX-License-Identifier: MIT
"""Disks, images, archives and registries of people who mean harm, given to kiln's commands under a
watcher: nothing of the host is shown, written or removed, and each ends soon with an exit code and
words of kiln's own."""

import hashlib
import re
import shutil
import sys
import unittest

import foreign_cases
import remotes
import watch
from foreign import talker
from watched import Watched, world


def head_of(lock):
    """All of a lock but the digest of itself at the end."""
    return lock.read_text().split('  "content":')[0]


def write_lock(lock, head):
    content = hashlib.sha256(head.encode()).hexdigest()
    lock.write_text(f'{head}  "content": "sha256:{content}"\n}}\n')


class Foreign(Watched):
    @classmethod
    def setUpClass(cls):
        cls.prepare("foreign")
        (cls.folder / "files").mkdir()
        lock = "recipes/programs/first-run.lock"
        shutil.copy(world.SOURCE / lock, cls.folder / lock)
        cls.start_watch()
        cls.before = cls.victims()

    @classmethod
    def victims(cls):
        """Everything that hostile files point to: digest, mode, owner and time."""
        out = {}
        for path in sorted((cls.watch.top / "victims").rglob("*")):
            info = path.lstat()
            data = path.read_bytes() if path.is_file() else b""
            out[str(path)] = (hashlib.sha256(data).hexdigest(), info.st_mode, info.st_uid,
                              info.st_mtime_ns)
        return out

    def run_kiln(self, *words, cache="cache", before=()):
        done = self.watch.run(
            [*before, world.KILN, *words], cwd=self.folder, timeout=60,
            env=world.environment(TMPDIR=self.folder / "tmp", KILN_CACHE=self.folder / cache))
        self.assertEqual(self.watch.changes(), [], done.stderr[-2000:])
        self.assertEqual(self.victims(), self.before)
        self.assert_tmp_is_empty()
        for text in (done.stdout, done.stderr):
            self.assertNotIn(watch.VICTIM.strip(), text)
            self.assertFalse(any(c < " " and c not in "\n\t" for c in text), repr(text[-2000:]))
        self.assert_own_words(done)
        return done

    def check(self, done, code, says):
        self.assertNotEqual(says, "")
        self.assertEqual(done.returncode, code, done.stderr[-3000:])
        self.assertIn(says, done.stderr)

    def test_images(self):
        for number, case in enumerate(foreign_cases.IMAGES):
            path = self.folder / f"files/image{number}"
            case.make(path)
            for command in ("inspect", "lint"):
                with self.subTest(f"{command}: {case.name}"):
                    self.check(self.run_kiln(command, path), case.code, case.says)

    def test_machines(self):
        """The same disks for a machine: refused before there is one."""
        suite = self.folder / "files/suite.yaml"
        suite.write_text("kiln: 1\nsuite: x\nready: {port: http}\nports: {http: 80}\n"
                         "checks: [{check: one, title: one, run: 'true'}]\n")
        for number, case in enumerate(case for case in foreign_cases.IMAGES if case.boots):
            path = self.folder / f"files/disk{number}"
            case.make(path)
            for words in (("run",), ("accept", "--suite", suite)):
                with self.subTest(f"{words[0]}: {case.name}"):
                    self.check(self.run_kiln(*words, "--vm", path), case.code, case.says)

    def test_a_machine_that_never_ends(self):
        """It boots, answers nothing and prints for ever; who gives up finds nothing left."""
        path = self.folder / "files/talker.raw"
        path.write_bytes(talker())
        content = path.read_bytes()
        done = self.run_kiln("run", "--vm", "--emulate", path,
                             before=("timeout", "--signal=INT", "10"))
        self.assertIn(done.returncode, (0, 124, 130), done.stderr)
        self.assertEqual(path.read_bytes(), content)

    def test_registries(self):
        registry = remotes.Registry()
        self.addCleanup(registry.server_close)
        self.addCleanup(registry.shutdown)

        def pull():
            return self.run_kiln("artifact", "pull", "first-run", f"{registry.host}/x")

        # A lock that does not say which tree is the right one takes none.
        done = pull()
        self.check(done, 3, "cannot be pulled from a registry")
        registry.key = re.search(r"key: (sha256:[0-9a-f]{64})", done.stderr)[1]
        lock = self.folder / "recipes/programs/first-run.lock"
        result = [digest.removeprefix("sha256:") for digest in (registry.key, remotes.NOTHING)]
        write_lock(lock, head_of(lock) +
                   '  "result": {"key": "%s", "tree": "%s"},\n' % tuple(result))
        for case in remotes.CASES:
            with self.subTest(case.name):
                registry.case = case
                self.check(pull(), case.code, case.says)
        self.assertEqual(list((self.folder / "cache/stages").iterdir()), [])

    def tarball(self, name, data, more=""):
        """Recipe and lock name this tarball; the lock was made for a harmless one."""
        path = self.folder / f"files/{name}"
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        recipe = self.folder / "recipes/tarball.yaml"
        recipe.write_text(
            "kiln: 1\nname: tarball\nextends: debian-minimal.yaml\n"
            f"sources:\n  s: {{tarball: ../files/{name}, sha256: {digest}}}\n"
            f"stages:\n  - {{stage: source, source: s, to: /srv/s}}\n{more}images: [../images/oci.yaml]\n")
        lock = self.folder / "recipes/tarball.lock"
        if not lock.exists():
            world.succeed("lock", "tarball", cwd=self.folder)
            type(self).locked = (name, digest)
            return
        text = head_of(lock)
        for old, new in zip(self.locked, (name, digest)):
            text = text.replace(old, new)
        write_lock(lock, text)
        type(self).locked = (name, digest)

    def test_tarballs(self):
        """A bake with a lock that somebody else made."""
        self.tarball("tar-harmless", foreign_cases.HARMLESS)
        for number, case in enumerate(foreign_cases.TARBALLS):
            with self.subTest(case.name):
                path = self.folder / "files/made"
                case.make(path)
                self.tarball(f"tar-number-{number}", path.read_bytes())
                self.assertEqual(self.run_kiln("check", "tarball").returncode, 0)
                out = self.folder / "out"
                done = self.run_kiln(
                    "bake", "tarball", "--check", "none", "--out", out, cache=world.CACHE)
                self.check(done, case.code, case.says)
                self.assertEqual(sorted(p.name for p in out.iterdir()), ["build.log"])
                shutil.rmtree(out)

    def test_damaged_tarballs(self):
        """Whatever became of them: an exit code and words of kiln's own. The script ends what can be read."""
        self.tarball("tar-harmless", foreign_cases.HARMLESS)
        end = "  - {stage: run, name: end, why: no image is wanted, script: exit 7}\n"
        for number, (what, data) in enumerate(foreign_cases.damaged()):
            with self.subTest(what):
                self.tarball(f"tar-damaged-{number}", data, end)
                done = self.run_kiln("bake", "tarball", "--check", "none", "--out", self.folder / "out",
                                     cache=world.CACHE)
                self.assertIn(done.returncode, (1, 3), done.stderr[-3000:])
                self.assertRegex(done.stderr, "error: (archive '|the script of stage 'end' failed|[^\n]*'tar-damaged-)")

    def test_locking_tarballs(self):
        """Locking reads them to their end."""
        self.tarball("tar-harmless", foreign_cases.HARMLESS)
        lock = self.folder / "recipes/tarball.lock"
        for name in ("a member outside", "zeros", "no archive"):
            with self.subTest(name):
                case = next(case for case in foreign_cases.TARBALLS if case.name == name)
                path = self.folder / "files/made"
                case.make(path)
                self.tarball("tar-locked", path.read_bytes())
                before = lock.read_bytes()
                # Not under the watcher: apt has files of its own in /tmp for moments.
                done = world.kiln("lock", "tarball", cwd=self.folder)
                self.check(done, 3, case.says)
                self.assertEqual(lock.read_bytes(), before)


if __name__ == "__main__":
    unittest.main(verbosity=2)

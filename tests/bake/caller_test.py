# SPDX-License-Identifier: MIT
"""Odd callers: whatever environment, limits, signals, descriptors and folders kiln is started with,
it makes the same images or says what is wrong with an exit code of its own."""

import dataclasses
import os
import resource
import shutil
import signal
import subprocess
import unittest
from collections.abc import Callable

import world

# What a script sees of its caller is in the image, so that a difference changes its digest.
LOOK = """\
oci:
  stages:
    - stage: run
      name: look
      why: shows what a script sees
      script: |
        mkdir /look
        { env | sort; ulimit -a; umask; ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status; id; pwd; } >/look/all
"""
SAME = 0


@dataclasses.dataclass
class Caller:
    name: str
    code: int = SAME  # other than 0: there are no images
    says: tuple = ()
    env: dict = dataclasses.field(default_factory=dict)  # None: unset
    setup: Callable = lambda: None  # in the child, before kiln starts
    options: dict = dataclasses.field(default_factory=dict)  # of subprocess.run
    keeps_images: bool = False  # they are there although the exit code is not 0


def limit(what, soft, hard=None):
    return lambda: resource.setrlimit(what, (soft, soft if hard is None else hard))


def ignore(*signals):
    return lambda: [signal.signal(each, signal.SIG_IGN) for each in signals]


def close(*descriptors):
    return lambda: [os.close(each) for each in descriptors]


ODD = {
    "LC_ALL": "xx_YY.UTF-8", "LANGUAGE": "tr", "TZ": "Asia/Kathmandu", "POSIXLY_CORRECT": "1",
    "IFS": "/", "CDPATH": "/", "ENV": "/nowhere", "BASH_ENV": "/nowhere", "PERL5OPT": "-Mnowhere",
    "TAR_OPTIONS": "--nothing", "DPKG_ROOT": "/nowhere", "DPKG_ADMINDIR": "/nowhere",
    "SOURCE_DATE_EPOCH": "1", "GCONV_PATH": "/nowhere", "LD_LIBRARY_PATH": "/nowhere",
    "LD_PRELOAD": "/nowhere/libnothing.so", "LIBGUESTFS_HV": "/nowhere",
    "GIT_DIR": "/nowhere", "GIT_EXTERNAL_DIFF": "/nowhere", "GIT_CONFIG_COUNT": "x",
}

CALLERS = [
    Caller("as the reference"),
    Caller("odd variables", env=ODD),
    Caller("an empty PATH", env={"PATH": ""}),
    Caller("no PATH", env={"PATH": None}),
    Caller("no home", env={"HOME": None}),
    Caller("a home that is not there", env={"HOME": "/nowhere"}),
    Caller("a relative XDG_CACHE_HOME", env={"XDG_CACHE_HOME": "below"}),
    Caller("a relative KILN_CACHE", 1, ("error: KILN_CACHE is not an absolute path: 'below'",
           "hint: set KILN_CACHE to the absolute path of a directory"), env={"KILN_CACHE": "below"}),
    Caller("a TMPDIR that is not there", env={"TMPDIR": "/nowhere"}),
    Caller("umask 0", setup=lambda: os.umask(0)),
    Caller("umask 0777", setup=lambda: os.umask(0o777)),
    Caller("64 open files", 1, ("error: scripts need the resource limit 'open files' to be 1024, but the hard "
           "limit is 64", "ulimit -Hn 1024"),
           setup=limit(resource.RLIMIT_NOFILE, 64)),
    Caller("64 open files at first", setup=limit(resource.RLIMIT_NOFILE, 64, 4096)),
    Caller("32 open files", 1, ("error: the number of open files is limited to 32, kiln needs 64",),
           setup=limit(resource.RLIMIT_NOFILE, 32)),
    Caller("small files", 1, ("error: scripts need the resource limit 'file size' to be unlimited",),
           setup=limit(resource.RLIMIT_FSIZE, 1 << 20)),
    Caller("a small stack", 1, ("error: the stack size is limited to 512 KiB, kiln needs 1 MiB",),
           setup=limit(resource.RLIMIT_STACK, 1 << 19)),
    Caller("an endless stack", setup=limit(resource.RLIMIT_STACK, resource.RLIM_INFINITY)),
    Caller("little memory", 1, ("error: scripts need the resource limit 'virtual memory' to be unlimited",),
           setup=limit(resource.RLIMIT_AS, 2 << 30)),
    Caller("ignored signals", setup=ignore(
        signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)),
    Caller("blocked signals",
           setup=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.SIGRTMAX))),
    Caller("no standard descriptors", 1, setup=close(0, 1, 2), keeps_images=True),
    Caller("no standard input", setup=close(0)),
    Caller("a full standard output", 1, ("error: cannot write to standard output",),
           options={"stdout": "/dev/full"}, keeps_images=True),
    Caller("a full standard error", options={"stderr": "/dev/full"}),
]


class CallerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = world.FAST / "caller"
        shutil.rmtree(cls.folder, ignore_errors=True)
        cls.folder.mkdir()
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        world.copy_recipes(cls.folder)
        cls.archive = world.ToyArchive(cls.folder)
        cls.archive.add("toy-good", files=[("/usr/share/toy/file", "toy\n")])
        cls.archive.publish()
        world.toy_recipe(cls.folder, cls.archive, ["toy-good"], more=LOOK)
        cls.mirror = ["--mirror", f"toy={cls.archive.url}"]
        world.succeed("lock", "toy", *cls.mirror, cwd=cls.folder)
        cls.lock = (cls.folder / "recipes/toy.lock").read_text()
        cls.out = cls.folder / "out"
        world.succeed("bake", "toy", "--out", cls.out, *cls.mirror, cwd=cls.folder)
        cls.sums = world.sums(cls.out)
        # A program of each name that kiln starts, which tells and then fails.
        cls.wrong = cls.folder / "wrong"
        cls.wrong.mkdir()
        for name in ("apt-get", "apt-config", "git", "sh", "dpkg", "env", "newuidmap", "qemu-img"):
            (cls.wrong / name).write_text(f"#!/bin/sh\necho {name} >>{cls.folder}/told\nexit 1\n")
            (cls.wrong / name).chmod(0o755)

    def run_as(self, caller, *args, cwd=None):
        env = world.environment()
        for name, value in caller.env.items():
            env.pop(name, None)
            env.update({} if value is None else {name: str(value)})
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        for name, path in caller.options.items():
            streams[name] = open(path, "wb")
            self.addCleanup(streams[name].close)
        return subprocess.run(
            [str(world.KILN), *map(str, args)], cwd=cwd or self.folder, env=env, text=True,
            preexec_fn=caller.setup, timeout=300, **streams)

    def bake(self, caller):
        record = self.out / "record.json"
        if record.exists():  # the script runs again
            shutil.rmtree(world.stage_folder(world.load_record(self.out), "look"), ignore_errors=True)
        shutil.rmtree(self.out, ignore_errors=True)
        return self.run_as(caller, "bake", "toy", "--out", self.out, *self.mirror)

    def test_callers(self):
        for caller in CALLERS:
            with self.subTest(caller.name):
                done = self.bake(caller)
                self.assertEqual(done.returncode, caller.code, done.stderr)
                for text in caller.says:
                    self.assertIn(text, done.stderr)
                if caller.code == SAME or caller.keeps_images:
                    self.assertEqual(world.sums(self.out), self.sums)
                else:
                    left = sorted(p.name for p in self.out.iterdir()) if self.out.exists() else []
                    self.assertIn(left, ([], ["build.log"]))
                self.assertEqual(list((world.CACHE / "work").iterdir()), [])

    def test_programs_of_the_callers_path(self):
        for path in (f"{self.wrong}:/usr/bin:/bin", ":."):
            with self.subTest(path):
                caller = Caller(path, env={"PATH": path})
                done = self.run_as(caller, "lock", self.folder / "recipes/toy.yaml", *self.mirror,
                                   cwd=self.wrong)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual((self.folder / "recipes/toy.lock").read_text(), self.lock)
                self.assertFalse((self.folder / "told").exists())

    def test_a_tmp_that_nobody_can_write_to(self):
        """apt, too, has its temporary files in TMPDIR."""
        temporary = self.folder / "tm p"
        temporary.mkdir()
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-euc",
             'mount --bind /tmp /tmp; mount -o remount,bind,ro /tmp; exec "$@"', "sh",
             str(world.KILN), "lock", "toy", *self.mirror],
            cwd=self.folder, env=world.environment(TMPDIR=temporary), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(list(temporary.iterdir()), [])

    def test_a_folder_that_is_gone(self):
        gone = self.folder / "gone"
        gone.mkdir()

        def leave():
            os.chdir(gone)
            gone.rmdir()

        caller = Caller("gone", setup=leave)
        done = self.run_as(caller, "bake", "recipes/toy.yaml")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("error: cannot open 'recipes/toy.yaml': No such file", done.stderr)
        gone.mkdir()
        done = self.run_as(caller, "bake", self.folder / "recipes/toy.yaml", "--out", self.out,
                           *self.mirror)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(world.sums(self.out), self.sums)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: needs root to mount and to raise limits")
        raise SystemExit(77)
    unittest.main(verbosity=2)

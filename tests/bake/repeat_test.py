# SPDX-License-Identifier: MIT
"""The same lock gives the same bytes, whatever differs around the bake."""

import os
import pathlib
import shutil
import subprocess
import unittest

import world

ENTRIES = 100_000 if "KILN_ALL" in os.environ else 4_000
ROUNDS = int(os.environ.get("KILN_ROUNDS", "1"))
ZONES = ["Pacific/Kiritimati", "America/St_Johns", "Asia/Kathmandu", "UTC"]


def copy_in_other_order(to):
    """A copy of recipes, overlays and images whose files were made in reverse order."""
    to.mkdir(parents=True)
    names = ("recipes", "overlays", "images")
    paths = [p for n in names for p in (world.WORK / n).rglob("*")]
    for path in sorted(paths, reverse=True):
        target = to / path.relative_to(world.WORK)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            target.symlink_to(os.readlink(path))
        elif path.is_file():
            shutil.copy(path, target)


class Repeat(unittest.TestCase):
    def setUp(self):
        self.folder = world.FAST / self.id().split(".")[-1]
        shutil.rmtree(self.folder, ignore_errors=True)
        copy_in_other_order(self.folder / "a longer/path to work in")
        self.cwd = self.folder / "a longer/path to work in"
        self.addCleanup(shutil.rmtree, self.folder, True)

    def seed_pool(self, cache):
        cache.mkdir()
        shutil.copytree(world.CACHE / "pool", cache / "pool")

    def test_other_path_zone_locale_umask_jobs_and_file_order(self):
        for number in range(ROUNDS):
            with self.subTest(round=number):
                self.bake_varied(number)

    def bake_varied(self, number):
        cache = self.folder / f"other cache {number}"
        self.seed_pool(cache)
        env = world.environment(
            KILN_CACHE=cache, TZ=ZONES[number % len(ZONES)], LC_ALL="de_DE.UTF-8", HOME="/nonexistent"
        )
        world.succeed(
            "bake", "debian-minimal", "--offline", "--check", "none", "--jobs", 1 + number % 3,
            "--out", self.folder / "out",
            cwd=self.cwd, env=env, umask=0o077 if number % 2 == 0 else 0o002,
        )
        self.assertEqual(world.sums(self.folder / "out"), world.sums(world.WORK / "reference"))
        shutil.rmtree(cache)

    def test_plain_user(self):
        if os.geteuid() != 0:
            self.skipTest("making a user needs root")
        user = world.make_user()
        if reason := world.user_namespaces_are_refused(user):
            self.skipTest(reason)
        cache = self.folder / "cache"
        self.seed_pool(cache)
        world.give_to(user, self.folder)
        done = world.succeed(
            "bake", "debian-minimal", "--offline", "--check", "none", "--out", self.folder / "out",
            cwd=self.cwd, env=world.environment(KILN_CACHE=cache), user=user,
        )
        self.assertEqual(world.sums(self.folder / "out"), world.sums(world.WORK / "reference"))
        self.assertIn("disk check skipped", done.stderr)
        owners = {p.stat().st_uid for p in pathlib.Path(cache / "stages").glob("*/tree/etc/shadow")}
        self.assertNotIn(0, owners)
        subprocess.run(["runuser", "-u", user, "--", world.KILN, "cache", "prune", "--all"],
                       env=world.environment(KILN_CACHE=cache), check=True, capture_output=True)
        self.assertEqual(list((cache / "stages").iterdir()), [])
        self.assertEqual(list((cache / "layers/blobs").iterdir()), [])
        self.assertFalse((cache / "clusters/clusters.pack").exists())


ATTRIBUTES = """\
kiln: 1
name: attributes
extends: debian-minimal.yaml
stages:
  - {{stage: packages, name: tools, install: [acl, iputils-ping, libcap2-bin]}}
  - stage: run
    name: attributes
    why: whatever the file system keeps with a name
    script: |
      mkdir -p /srv/many /srv/acl
      cd /srv/many
      perl -e 'for (1..{entries}) {{ mkdir $_ % 100; my $f = ($_ % 100) . "/f$_";
        open F, ">", $f or die; print F $_ % 7; close F; chown $_ % 3000, $_ % 2000, $f; chmod 0600 | $_ % 512, $f;
        link $f, "$f.hard" if $_ % 50 == 0; symlink "f$_", "$f.soft" if $_ % 60 == 0 }}'
      cp /bin/true /srv/cap
      setcap cap_net_raw,cap_net_bind_service=ep /srv/cap
      setfacl -m u:33:rwx,u:2999:r,g:42:rx,g:65534:- /srv/acl
      setfacl -d -m u:33:rwx,u:65535:r,o::- /srv/acl
      touch /srv/acl/inherits
      mkfifo -m 0621 /srv/pipe
      chown 33:42 /srv/pipe
  - {{stage: run, name: changed, why: over an earlier stage, script: "setfacl -m u:1:r /srv/acl/inherits; setcap -r /srv/cap"}}
images: [../images/oci.yaml]
"""

RECIPE = """\
kiln: 1
name: moment
extends: debian-minimal.yaml
stages:
  - {stage: run, name: same, why: the same every time, script: "env | grep -E '^GIT_|HASH_?SEED=' | sort >/etc/same"}
  - {stage: run, name: moment, why: another text each time, script: "date +%s.%N >/etc/moment"}
images: [../images/oci.yaml]
"""


class Attributes(unittest.TestCase):
    """File capabilities, access control lists, owners and many names: a plain user's bake has numbers of
    its own on disk for all of them."""

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("making a user needs root")
        self.user = world.make_user()
        if reason := world.user_namespaces_are_refused(self.user):
            self.skipTest(reason)
        self.folder = world.FAST / "attributes"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.addCleanup(shutil.rmtree, self.folder, True)
        world.copy_recipes(self.folder)
        (self.folder / "recipes/attributes.yaml").write_text(ATTRIBUTES.format(entries=ENTRIES))

    def bake(self, out, *args, **options):
        world.succeed("bake", "attributes", "--check", "none", "--out", out, *args, cwd=self.folder, **options)
        record = world.load_record(out)
        return world.sums(out), {s["name"]: s["delta"] for s in record["stages"]}

    def test_root_and_a_plain_user_make_the_same(self):
        roots = self.bake(self.folder / "root", "--refresh")
        lines = (world.stage_folder(world.load_record(self.folder / "root"), "attributes") / "manifest").read_text()
        self.assertGreater(lines.count("\n"), ENTRIES)
        self.assertEqual(lines.count(" xattr.security.capability="), 1)
        self.assertEqual(lines.count(" xattr.system.posix_acl_access="), 2)
        self.assertEqual(lines.count(" xattr.system.posix_acl_default="), 1)
        cache = self.folder / "cache"
        cache.mkdir()
        shutil.copytree(world.CACHE / "pool", cache / "pool")
        world.give_to(self.user, self.folder)
        users = self.bake(self.folder / "user", "--offline", user=self.user,
                          env=world.environment(KILN_CACHE=cache))
        self.assertEqual(users, roots)
        subprocess.run(["runuser", "-u", self.user, "--", world.KILN, "cache", "prune", "--all"],
                       env=world.environment(KILN_CACHE=cache), check=True, capture_output=True)


class Rebuild(unittest.TestCase):
    """A stage that makes another tree of the same inputs is noticed."""

    def setUp(self):
        self.folder = world.FAST / "rebuild"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.addCleanup(shutil.rmtree, self.folder, True)
        world.copy_recipes(self.folder)
        (self.folder / "recipes/moment.yaml").write_text(RECIPE)
        self.out = self.folder / "out"

    def bake(self, *args):
        return world.kiln("bake", "moment", "--out", self.out, *args, cwd=self.folder)

    def record_of(self, stage):
        return next(s for s in world.load_record(self.out)["stages"] if s["name"] == stage)

    def test_rebuild_and_a_tree_that_was_pruned(self):
        first = self.bake("--refresh")
        self.assertEqual(first.returncode, 0, first.stderr[-3000:])
        self.assertNotIn("reproducible", first.stderr)
        images = world.sums(self.out)
        record = world.load_record(self.out)
        date = f"DATE=@{record['source_date_epoch']} +0000"
        self.assertEqual((world.stage_folder(record, "same") / "tree/etc/same").read_text(),
                         f"GIT_AUTHOR_{date}\nGIT_COMMITTER_{date}\nPERL_HASH_SEED=0\nPYTHONHASHSEED=0\n")

        again = self.bake("--rebuild", "--offline")
        self.assertEqual(again.returncode, 4, again.stderr[-3000:])
        self.assertIn("stage 'moment' is not reproducible", again.stderr)
        self.assertIn("1 of 3 paths differ", again.stderr)
        self.assertIn("/etc/moment: content", again.stderr)
        self.assertIn("stages are not reproducible: 'moment'", again.stderr)
        self.assertEqual(again.stderr.count("is not reproducible"), 1)
        self.assertEqual(world.sums(self.out), images, "the stored tree stays")
        moment = self.record_of("moment")
        self.assertRegex(moment["other_delta"], "^sha256:")
        self.assertFalse(moment["cached"])
        self.assertNotIn("other_delta", self.record_of("same"))

        shutil.rmtree(world.stage_folder(world.load_record(self.out), "moment"))
        new = self.bake("--offline")
        self.assertEqual(new.returncode, 0, new.stderr[-3000:])
        self.assertIn("stage 'moment' is not reproducible", new.stderr)
        self.assertEqual(self.record_of("moment")["other_delta"], moment["delta"])
        self.assertNotEqual(world.sums(self.out), images)


if __name__ == "__main__":
    unittest.main(verbosity=2)

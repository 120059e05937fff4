# SPDX-License-Identifier: MIT
"""Programs built in a locked build root: same bytes, what they need, what goes wrong."""

import concurrent.futures
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import time
import unittest

import world

FOLDER = world.WORK / "programs"
SOURCE = '#include <stdio.h>\nint main(void) { puts("baked by kiln"); }\n'
SCRIPT = 'mkdir -p "$OUT/usr/local/bin"\ngcc -O2 -o "$OUT/usr/local/bin/hello" "$SOURCE/hello/main.c"\n'


def define(name, script=SCRIPT, sources=f"  hello: {FOLDER}/hello\n"):
    lines = "".join(f"  {line}\n" for line in script.splitlines())
    path = world.WORK / f"recipes/programs/{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"kiln: 1\nprogram: {name}\narchives:\n  - {{archive: debian, suites: [bookworm]}}\n"
        "build:\n  install: [gcc, libc6-dev, binutils]\n"
        f"sources:\n{sources}script: |\n{lines}")


def make_tarball(path):
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("hello-1.0/main.c")
        member.size = len(SOURCE)
        archive.addfile(member, io.BytesIO(SOURCE.encode()))
        link = tarfile.TarInfo("hello-1.0/again.c")
        link.type, link.linkname = tarfile.LNKTYPE, "hello-1.0/main.c"
        archive.addfile(link)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_repository(folder):
    folder.mkdir()
    (folder / "main.c").write_text(SOURCE)
    who = {f"GIT_{role}_{what}": "toy" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "toy"]):
        subprocess.run(["git", *command], cwd=folder, env={**os.environ, **who}, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return head.stdout.strip()


def runs(command):
    """Whether any process has this command line."""
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if file.read_bytes() == command.encode().replace(b" ", b"\0") + b"\0":
                return True
        except OSError:
            pass  # it ended
    return False


def build(name, *args, cache=world.CACHE):
    done = world.succeed(
        "artifact", "build", name, *args, "--json", env=world.environment(KILN_CACHE=cache))
    return json.loads(done.stdout)


class Programs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(FOLDER, ignore_errors=True)
        (FOLDER / "hello").mkdir(parents=True)
        (FOLDER / "hello/main.c").write_text(SOURCE)
        define("hello")
        cls.built = build("hello", "--refresh")

    def test_tells_what_it_needs(self):
        self.assertEqual(self.built["kind"], "program")
        self.assertEqual([l["package"] for l in self.built["libraries"]], ["libc6"])

    def test_same_bytes_in_another_cache(self):
        cache = world.FAST / "program-cache"
        cache.mkdir()
        (cache / "pool").symlink_to(world.CACHE / "pool")
        again = build("hello", "--jobs", "1", "--offline", cache=cache)
        shutil.rmtree(cache)
        self.assertEqual(again["tree"], self.built["tree"])

    def test_a_change_of_its_source_is_another_program(self):
        (FOLDER / "hello/main.c").write_text(SOURCE.replace("baked", "made"))
        changed = build("hello")
        (FOLDER / "hello/main.c").write_text(SOURCE)
        self.assertNotEqual(changed["key"], self.built["key"])
        self.assertEqual(build("hello")["tree"], self.built["tree"])

    def test_is_placed_into_an_image_and_runs(self):
        (world.WORK / "recipes/greeter.yaml").write_text(
            "kiln: 1\nname: greeter\nextends: debian-minimal.yaml\n"
            "artifacts:\n  hello: {program: programs/hello.yaml}\n"
            "stages:\n  - stage: artifact\n    artifact: hello\n"
            "  - stage: run\n    name: greet\n    why: the test looks at it\n"
            "    script: /usr/local/bin/hello > /root/said\n"
            "images: [../images/oci.yaml]\n")
        world.succeed("lock", "greeter")
        world.succeed("bake", "greeter", "--out", FOLDER / "out")
        record = world.load_record(FOLDER / "out")
        said = world.stage_folder(record, "greet") / "tree/root/said"
        self.assertEqual(said.read_text(), "baked by kiln\n")

    def test_sources_of_a_commit_and_a_tarball(self):
        digest = make_tarball(FOLDER / "my hello #1.tar.gz")
        commit = make_repository(FOLDER / "repository")
        at = os.path.relpath(FOLDER, world.WORK / "recipes/programs")
        define(
            "fetched",
            'cmp "$SOURCE/tarball/main.c" "$SOURCE/tarball/again.c"\n'
            'cmp "$SOURCE/tarball/main.c" "$SOURCE/commit/main.c"\n'
            'test "$(stat -c %Y "$SOURCE/tarball/main.c")" = "$SOURCE_DATE_EPOCH"\n'
            'mkdir -p "$OUT/opt"\ncp "$SOURCE/commit/main.c" "$OUT/opt/main.c"\n',
            f"  commit: {{git: {at}/repository, commit: {commit}}}\n"
            f"  tarball: {{tarball: '{at}/my hello #1.tar.gz', sha256: {digest}, strip: 1}}\n")
        done = world.kiln("artifact", "build", "fetched")
        self.assertEqual(done.returncode, 3, done.stderr)
        first = build("fetched", "--refresh")
        locked = json.loads((world.WORK / "recipes/programs/fetched.lock").read_text())["sources"]
        self.assertEqual([(s["kind"], s["location"]) for s in locked],
                         [("git", f"{at}/repository"), ("tarball", f"{at}/my hello #1.tar.gz")])
        self.assertEqual(first["tree"], build("fetched")["tree"])

    def test_damaged_sources_are_fetched_again(self):
        digest = make_tarball(FOLDER / "ball.tar.gz")
        commit = make_repository(FOLDER / "other-repository")
        define(
            "damaged",
            'cmp "$SOURCE/tarball/main.c" "$SOURCE/commit/main.c"\ntouch "$OUT/good"\n',
            f"  commit: {{git: {FOLDER}/other-repository, commit: {commit}}}\n"
            f"  tarball: {{tarball: {FOLDER}/ball.tar.gz, sha256: {digest}, strip: 1}}\n")
        world.succeed("artifact", "lock", "damaged")
        locked = json.loads((world.WORK / "recipes/programs/damaged.lock").read_text())["sources"]
        digests = [source["sha256"].removeprefix("sha256:") for source in locked]
        for each in digests:
            path = world.CACHE / "pool/sha256" / each[:2] / each
            path.chmod(0o644)
            path.write_bytes(b"damaged")
        done = world.kiln("artifact", "build", "damaged", "--offline")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("checksum mismatch for '", done.stderr)
        done = world.succeed("artifact", "build", "damaged")
        for each in digests:
            self.assertIn(f"moved to '{each}.damaged' and downloaded again", done.stderr)

    def test_a_folder_that_changes_while_the_script_runs(self):
        (FOLDER / "moving").mkdir()
        (FOLDER / "moving/main.c").write_text(SOURCE)
        define(
            "moving", 'until test -e "$SOURCE/moving/go"; do sleep 0.1234; done\ntouch "$OUT/made"\n',
            f"  moving: {FOLDER}/moving\n")
        world.succeed("artifact", "lock", "moving")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            building = pool.submit(world.kiln, "artifact", "build", "moving")
            while not building.done() and not runs("sleep 0.1234"):
                time.sleep(0.05)
            (FOLDER / "moving/go").touch()
            done = building.result()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("moving/go' changed while it was being read", done.stderr)

    def test_a_script_that_wants_the_network(self):
        self.fails("online", "echo 'curl: (6) Could not resolve host: a.example'\nexit 6\n",
                   "hint: scripts have no network access: add what they download to 'sources'")

    def fails(self, name, script, *texts):
        define(name, script)
        world.succeed("artifact", "lock", name)
        done = world.kiln("artifact", "build", name)
        self.assertEqual(done.returncode, 1, done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)

    def test_failing_script(self):
        self.fails(
            "broken", "echo about to fail\nexit 7\n", "its script failed with exit code 7",
            "about to fail", "full log: ", "while building program 'broken'")

    def test_script_that_makes_nothing(self):
        self.fails("empty", "true\n", "the script of 'empty' did not write anything to $OUT")

    def test_no_network_and_no_writing_to_the_sources(self):
        self.fails(
            "curious", 'test "$(ls /sys/class/net 2>/dev/null || echo lo)" = lo\n'
            'echo changed > "$SOURCE/hello/main.c"\n', "Read-only file system")

    def test_missing_lock(self):
        define("unlocked")
        done = world.kiln("artifact", "build", "unlocked")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("run 'kiln artifact lock unlocked' to create it", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

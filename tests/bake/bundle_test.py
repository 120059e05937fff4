# SPDX-License-Identifier: MIT
"""Perl bundles: the core bundle built, used, shared; a DarkPAN; what is refused."""

import ctypes
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import unittest

import darkpan
import registry
import world

CORE = world.WORK / "perl-bundle/core.yaml"
FOLDER = world.FAST / "bundles"

# What an image with core has to hold, in Debian's names.
LIBRARIES = "libbz2-1.0 libcrypt1 libdb5.3 libexpat1 libmariadb3 libssl3 libxml2"


def environment_for(cache, **more):
    return world.environment(KILN_CACHE=cache, **more)


def setUpModule():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    done = world.succeed("artifact", "build", "core", "--refresh")
    print(done.stderr[-6000:])


def tearDownModule():
    shutil.rmtree(FOLDER, ignore_errors=True)


def base_bundle(name, distributions, head=""):
    """A bundle with core's perl and build root, and other distributions."""
    text = CORE.read_text()
    text = text[: text.index("\ndistributions:")].replace("bundle: core", f"bundle: {name}")
    path = FOLDER / f"{name}.yaml"
    path.write_text(text + f"\n{head}distributions:\n" + "".join(f"  - {d}\n" for d in distributions))
    return path


def artifacts(cache=world.CACHE):
    done = world.succeed("artifact", "list", "--json", env=environment_for(cache))
    return {each["name"]: each for each in json.loads(done.stdout)}


def tree_of(artifact, cache=world.CACHE):
    key = artifact["key"].removeprefix("sha256:")
    return next(f for f in (pathlib.Path(cache) / "stages").iterdir() if key.startswith(f.name.split("-")[0])) / "tree"


class Core(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.artifact = artifacts()["core"]
        cls.prefix = tree_of(cls.artifact) / "opt/pause-perl"

    def test_is_kept(self):
        done = world.succeed("artifact", "build", "core", "--offline")
        self.assertNotIn("build ", done.stderr)
        self.assertIn(self.artifact["tree"], done.stdout)

    def test_tells_size_and_libraries(self):
        parts = {part["name"]: part for part in self.artifact["parts"]}
        self.assertEqual(parts["libdbd-mysql-perl"]["version"], "4.050")
        self.assertGreater(parts["perl"]["bytes"], 20 << 20)
        packages = {library["package"] for library in self.artifact["libraries"]}
        self.assertLessEqual(set(LIBRARIES.split()), packages)

    def test_holds_nothing_that_is_not_needed(self):
        self.assertEqual([path.name for path in tree_of(self.artifact).iterdir()], ["opt"])
        for path in self.prefix.rglob("*"):
            self.assertFalse(path.name.endswith((".a", ".bs")), path)
            self.assertNotIn(path.name, (".packlist", "perllocal.pod"))
            self.assertTrue(not path.name.endswith(".pod") or path.name == "perldiag.pod", path)
            self.assertNotIn("/man/", str(path))
        libraries = list(self.prefix.rglob("*.so"))
        self.assertGreater(len(libraries), 40)
        for library in libraries:
            sections = subprocess.run(
                ["readelf", "--sections", "--wide", library], check=True, capture_output=True, text=True
            ).stdout
            self.assertNotIn(".debug_info", sections, library)
            self.assertNotIn(".symtab", sections, library)

    def test_names_no_place_or_time_of_its_build(self):
        config = (self.prefix / "lib/5.40.1/x86_64-linux/Config_heavy.pl").read_text()
        self.assertIn("cf_by='kiln'", config)
        self.assertIn("myhostname='kiln'", config)
        self.assertIn("cf_time='Sat Jan 18 18:37:02 UTC 2025'", config)
        self.assertNotIn(str(world.CACHE), config)


class SameBytes(unittest.TestCase):
    """All of it is built a second time with KILN_ALL, else a part of it on a copy of perl.

    The part is a bundle of its own: what core built before and what is built here in a row of other
    neighbours has the same bytes (DBD::mysql's build-id once told where in core it stood).
    """

    def test_other_cache_host_zone_umask_one_job(self):
        cache = FOLDER / "second"
        cache.mkdir()
        shutil.copytree(world.CACHE / "pool", cache / "pool", copy_function=os.link)
        everything = bool(os.environ.get("KILN_ALL"))
        if not everything:
            copy_perl(cache)
        path = CORE if everything else base_bundle("some", [
            "libcanary-stability-perl", "libclone-perl", "libcommon-sense-perl", "libdbi-perl",
            "{source: libdbd-mysql-perl, version: 4.050}", "libdevel-checklib-perl", "libfile-pushd-perl",
            "libhtml-tagset-perl", "libjson-xs-perl", "libmodule-build-perl", "libtimedate-perl",
            "libtry-tiny-perl", "libtypes-serialiser-perl"])
        if not everything:
            world.succeed("artifact", "lock", path)
            world.succeed("artifact", "build", path)
        done = world.succeed(
            "artifact", "build", path, "--jobs", "1", env=environment_for(cache, TZ="Asia/Tokyo"),
            preexec_fn=on_another_host, timeout=3600)
        self.assertIn("assemble the bundle", done.stderr)
        name = "core" if everything else "some"
        first, second = artifacts()[name], artifacts(cache)[name]
        self.assertEqual(first["key"], second["key"])
        self.assertEqual(first["tree"], second["tree"])
        shutil.rmtree(cache)


def on_another_host():
    """Makes this process one of a host with another name, whose user has another umask."""
    new_uts = 0x04000000  # CLONE_NEWUTS
    if ctypes.CDLL(None, use_errno=True).unshare(new_uts) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    socket.sethostname("elsewhere")
    os.umask(0o077)


def copy_perl(cache):
    """Build root and perl of core, as stored."""
    for folder in (world.CACHE / "stages").iterdir():
        stage = json.loads((folder / "stage.json").read_text())
        if stage["recipe"] == "core" and stage["name"] in ("build-root", "perl"):
            (cache / "stages").mkdir(exist_ok=True)
            subprocess.run(["cp", "-a", folder, cache / "stages"], check=True)


class Shared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.context = registry.running()
        cls.registry = cls.context.__enter__()
        cls.repository = f"{cls.registry.host}/perl/bundles"
        cls.artifact = artifacts()["core"]
        cls.cache = FOLDER / "pulled"
        cls.cache.mkdir()

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)
        shutil.rmtree(cls.cache)

    def run_kiln(self, *args, cache=world.CACHE, password=registry.PASSWORD):
        env = environment_for(cache, **self.registry.environment(password))
        return world.kiln(*args, env=env)

    def test_1_refuses_a_wrong_password(self):
        done = self.run_kiln("artifact", "push", "core", self.repository, password="wrong")
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("rejected the login: status 401", done.stderr)
        self.assertNotIn("wrong", done.stderr)

    def test_2_does_not_trust_an_unknown_authority(self):
        env = world.environment(DOCKER_CONFIG=self.registry.environment()["DOCKER_CONFIG"])
        done = world.kiln("artifact", "push", "core", self.repository, env=env)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("certificate", done.stderr)

    def test_3_has_nothing_yet(self):
        done = self.run_kiln("artifact", "pull", "core", self.repository, cache=self.cache)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("' not found in '127.0.0.1", done.stderr)

    def test_4_pushes_and_pulls(self):
        pushed = self.run_kiln("artifact", "push", "core", self.repository, "--json")
        self.assertEqual(pushed.returncode, 0, pushed.stderr)
        told = json.loads(pushed.stdout)
        print(f"compressed: {told['bytes'] / 2**20:.1f} MiB")
        self.assertLess(told["bytes"], 45 << 20)
        again = self.run_kiln("artifact", "push", "core", self.repository, "--json")
        self.assertEqual(json.loads(again.stdout), told)
        pulled = self.run_kiln(
            "artifact", "pull", "core", f"{self.repository}@{told['digest']}", cache=self.cache)
        self.assertEqual(pulled.returncode, 0, pulled.stderr)
        self.assertEqual(artifacts(self.cache)["core"], self.artifact)
        self.assertEqual(
            (tree_of(self.artifact, self.cache).parent / "manifest").read_bytes(),
            (tree_of(self.artifact).parent / "manifest").read_bytes())

    def test_5_refuses_another_bundle(self):
        told = json.loads(self.run_kiln("artifact", "push", "core", self.repository, "--json").stdout)
        path = base_bundle("another", ["libtry-tiny-perl"])
        world.succeed("artifact", "lock", path)
        done = self.run_kiln("artifact", "pull", path, f"{self.repository}@{told['digest']}")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("has no tree digest for bundle 'another'", done.stderr)
        self.assertIn("another.yaml' to build it and record the digest", done.stderr)

    def test_6_refuses_changed_content(self):
        told = json.loads(self.run_kiln("artifact", "push", "core", self.repository, "--json").stdout)
        blobs = [p for p in (self.registry.folder / "data").rglob("data") if p.stat().st_size == told["bytes"]]
        self.assertEqual(len(blobs), 1)
        content = blobs[0].read_bytes()
        blobs[0].write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        try:
            shutil.rmtree(self.cache / "stages", ignore_errors=True)
            done = self.run_kiln("artifact", "pull", "core", self.repository, cache=self.cache)
            self.assertEqual(done.returncode, 5, done.stderr)
            self.assertIn("with digest sha256:", done.stderr)
            self.assertNotIn("core", artifacts(self.cache))
        finally:
            blobs[0].write_bytes(content)

    def test_7_a_bake_pulls_and_compiles_nothing(self):
        (FOLDER / "recipes").mkdir()
        recipe = FOLDER / "recipes/web.yaml"
        recipe.write_text(f"""\
kiln: 1
name: web
extends: {world.WORK}/recipes/debian-minimal.yaml
artifacts:
  perl: {{bundle: {CORE}, registry: {self.repository}}}
stages:
  - {{stage: packages, name: libraries, install: [{", ".join(LIBRARIES.split())}]}}
  - {{stage: artifact, artifact: perl}}
lint:
  - allow: private-key
    file: /opt/pause-perl/lib/site_perl/5.40.1/Mojo/IOLoop/resources/server.key
    reason: the example key of Mojolicious
images: [{world.WORK}/images/oci.yaml]
""")
        shutil.rmtree(self.cache / "stages", ignore_errors=True)
        shutil.copytree(world.CACHE / "pool", self.cache / "pool", copy_function=os.link, dirs_exist_ok=True)
        lock = CORE.with_suffix(".lock")
        before = lock.read_bytes()
        done = self.run_kiln("bake", recipe, "--refresh", "--out", FOLDER / "out", cache=self.cache)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("pull core done", done.stderr)
        self.assertEqual(lock.read_bytes(), before, "what can be pulled is locked anew")
        self.assertNotIn("build-root", done.stderr)
        self.assertIn(" /opt/pause-perl/bin/starman", (FOLDER / "out/oci.manifest").read_text())

    def test_8_a_bake_goes_on_without_the_registry(self):
        shutil.rmtree(self.cache / "stages", ignore_errors=True)
        (self.cache / "stages").mkdir()
        for folder in (world.CACHE / "stages").iterdir():
            if not is_finished(folder):
                subprocess.run(["cp", "-a", folder, self.cache / "stages"], check=True)
        done = self.run_kiln(
            "bake", FOLDER / "recipes/web.yaml", "--out", FOLDER / "out", cache=self.cache,
            password="wrong")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("bundle 'core' cannot be pulled from", done.stderr)
        self.assertIn("assemble the bundle done", done.stderr)


def is_finished(folder):
    """Whether a folder of the store is a finished artifact, or of the recipe that places one."""
    stage = json.loads((folder / "stage.json").read_text())
    return stage["kind"] == "artifact-tree" or stage["recipe"] == "web"


class DarkPan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pan = darkpan.DarkPan(FOLDER / "darkpan")
        cls.pan.add("Toy-Greeting", more="sub hello { 'hello' }")
        cls.fast = cls.pan.add("Toy-Fast", needs=["Toy::Greeting"], xs=True)
        cls.pan.add("Toy-Lonely", needs=["Toy::Nowhere"])
        cls.pan.add("Toy-Chicken", needs=["Toy::Egg"])
        cls.pan.add("Toy-Egg", needs=["Toy::Chicken"])
        cls.pan.add("Toy-Broken", xs="this is no C\n")
        cls.pan.add("Toy-User", needs=["Toy::Broken"])
        cls.pan.add("Toy-Absent", makefile="print qq(no, thanks\\n); exit 0;\n")
        cls.pan.add("Toy-Astray", makefile="use ExtUtils::MakeMaker;\nWriteMakefile(NAME => 'Toy::Astray',"
                    " PM => {'lib/Toy/Astray.pm' => '$(INST_LIB)/Toy/Astray.pm'});\n"
                    "sub MY::postamble { 'pure_install ::'.qq(\\n\\t).'for i in a b c d e f g h i j k l;"
                    " do install -D Makefile.PL $(DESTDIR)/etc/astray/$$i; done'.qq(\\n) }\n")
        cls.pan.add("Toy-Slow", needs=["Toy::Hidden"], makefile="use Toy::Hidden;\n")
        cls.pan.publish()

    def lock(self, name, *modules, head="", args=()):
        path = base_bundle(name, [f"module: {m}" for m in modules], head)
        return path, world.kiln("artifact", "lock", path, "--cpan", self.pan.folder, *args)

    def check(self, done, code, *texts):
        self.assertEqual(done.returncode, code, done.stderr[-3000:])
        for text in texts:
            self.assertIn(text, done.stderr)

    def test_is_locked_built_and_used(self):
        path, done = self.lock("toys", "Toy::Fast")
        self.check(done, 0)
        lock = json.loads(path.with_suffix(".lock").read_text())
        self.assertEqual(
            [(d["name"], d["needs"]) for d in lock["distributions"]],
            [("Toy-Greeting", []), ("Toy-Fast", ["Toy-Greeting-1.0.tar.gz"])])
        world.succeed("artifact", "build", path, "--offline")
        prefix = tree_of(artifacts()["toys"]) / "opt/pause-perl"
        self.assertTrue(list(prefix.rglob("auto/Toy/Fast/Fast.so")))
        recipe = FOLDER / "toys-recipe.yaml"
        recipe.write_text(f"""\
kiln: 1
name: toys
extends: {world.WORK}/recipes/debian-minimal.yaml
artifacts:
  perl: {{bundle: {path}}}
stages:
  - {{stage: artifact, artifact: perl}}
  - stage: run
    name: use
    why: the test looks whether it works
    script: /opt/pause-perl/bin/perl -MToy::Fast -e 'print Toy::Greeting::hello(), Toy::Fast::add(2, 3)' > /toys
images: [{world.WORK}/images/oci.yaml]
""")
        world.succeed("bake", recipe, "--refresh", "--out", FOLDER / "toys-out")
        said = world.stage_folder(world.load_record(FOLDER / "toys-out"), "use") / "tree/toys"
        self.assertEqual(said.read_text(), "hello5")

    def test_image_without_the_libraries(self):
        recipe = FOLDER / "less.yaml"
        recipe.write_text(f"""\
kiln: 1
name: less
extends: {world.WORK}/recipes/debian-minimal.yaml
artifacts:
  perl: {{bundle: {CORE}}}
stages:
  - {{stage: artifact, artifact: perl}}
images: [{world.WORK}/images/oci.yaml]
""")
        done = world.kiln("bake", recipe, "--refresh", "--out", FOLDER / "less-out")
        self.check(done, 3, "libraries not installed in the image",
                   "libmariadb.so.3, of package libmariadb3", "install libexpat1, libmariadb3, ",
                   "in a packages stage before stage 'artifact'")

    def test_missing_dependency(self):
        path, done = self.lock("lonely", "Toy::Lonely")
        self.check(done, 3, "1 prerequisite not satisfied",
                   "Toy-Lonely-1.0.tar.gz requires Toy::Nowhere to run, which no distribution")
        self.assertFalse(path.with_suffix(".lock").exists())

    def test_a_distribution_that_is_there_twice(self):
        pan = darkpan.DarkPan(FOLDER / "twice")
        tarball = pan.add("Try-Tiny", version="9.0")
        pan.publish()
        release = (f"cpan: {tarball.relative_to(pan.folder)},"
                   f" sha256: {hashlib.sha256(tarball.read_bytes()).hexdigest()}")
        base_bundle("under", [
            "libtry-tiny-perl", "{source: libregexp-ipv6-perl, needs: [libtry-tiny-perl]}"])
        path = FOLDER / "over.yaml"
        text = "kiln: 1\nbundle: over\nextends: under.yaml\ndistributions:\n"
        path.write_text(text + f"  - {{{release}}}\n")
        lock = ("artifact", "lock", path, "--cpan", pan.folder)
        self.check(world.kiln(*lock), 3, "1 distribution is in the bundle more than once", "  Try-Tiny: 0.3",
                   "of libtry-tiny-perl and 9.0 of Try-Tiny-9.0.tar.gz", "or use 'replaces' to override a distribution of an extended bundle")
        self.assertFalse(path.with_suffix(".lock").exists())
        path.write_text(text + f"  - {{{release}, replaces: libtry-tiny-perl}}\n")
        world.succeed(*lock)
        locked = json.loads(path.with_suffix(".lock").read_text())["distributions"]
        self.assertEqual(
            [(d["source"], d["needs"]) for d in locked],
            [("Try-Tiny-9.0.tar.gz", []), ("libregexp-ipv6-perl", ["Try-Tiny-9.0.tar.gz"])])

    def test_circle(self):
        _, done = self.lock("circle", "Toy::Chicken")
        self.check(done, 3, "circular dependency between distributions: Toy-",
                   "Toy-Egg-1.0.tar.gz -> Toy-Chicken-1.0.tar.gz")

    def test_failing_compile(self):
        path, done = self.lock("broken", "Toy::User", "Toy::Greeting")
        self.check(done, 0)
        done = world.kiln("artifact", "build", path)
        self.check(done, 1, "phase 'build' of Toy-Broken-1.0.tar.gz (Toy-Broken 1.0) failed with exit code 2",
                   "needed by: Toy-User-1.0.tar.gz", "full log: ")
        log = re.search(r"full log: (\S+)", done.stderr)[1]
        self.assertIn("this is no C", pathlib.Path(log).read_text())
        self.assertNotIn("broken", artifacts())
        # What does not need it is built, and not again the next time.
        self.assertIn("build Toy-Greeting 1.0", done.stderr)
        self.assertNotIn("build Toy-Greeting 1.0", world.kiln("artifact", "build", path).stderr)
        self.assertEqual(world.kiln_mounts(), [])

    def test_makefile_pl_that_makes_nothing(self):
        path, done = self.lock("absent", "Toy::Absent")
        self.check(done, 0)
        self.check(world.kiln("artifact", "build", path), 1,
                   "phase 'configure' of Toy-Absent-1.0.tar.gz (Toy-Absent 1.0) did not create Makefile",
                   "no, thanks")

    def test_files_outside_of_the_prefix(self):
        path, done = self.lock("astray", "Toy::Astray")
        self.check(done, 0)
        self.check(world.kiln("artifact", "build", path), 1,
                   "Toy-Astray-1.0.tar.gz (Toy-Astray 1.0) installs files outside of '/opt/pause-perl'",
                   "/etc/astray/a\n", "/etc/astray/j\n", "and 2 more")
        self.assertNotIn("astray", artifacts())

    def test_undeclared_prerequisite_is_stated(self):
        self.pan.add("Toy-Hidden")
        self.pan.add("Toy-Careless", makefile="use Toy::Hidden; use ExtUtils::MakeMaker;\n"
                     "WriteMakefile(NAME => 'Toy::Careless', VERSION_FROM => 'lib/Toy/Careless.pm');\n")
        self.pan.publish()
        path, done = self.lock("careless", "Toy::Careless", "Toy::Hidden")
        self.check(done, 0)
        self.check(world.kiln("artifact", "build", path), 1, "Can't locate Toy/Hidden.pm")
        path.write_text(path.read_text().replace(
            "  - module: Toy::Careless\n", "  - {module: Toy::Careless, needs: ['Toy::Hidden']}\n"))
        world.succeed("artifact", "lock", path, "--cpan", self.pan.folder)
        world.succeed("artifact", "build", path)

    def test_cpanfile(self):
        (FOLDER / "cpanfile").write_text("requires 'Toy::Fast', '0.5';\non test => sub {\n  requires 'X';\n};\n")
        path, done = self.lock("fromfile", "Toy::Greeting", head="cpanfile: cpanfile\n")
        self.check(done, 0)
        self.assertIn('"name": "Toy-Fast"', path.with_suffix(".lock").read_text())
        (FOLDER / "cpanfile").write_text("requires 'Toy::Fast', '2';\n")
        _, done = self.lock("fromfile", "Toy::Greeting", head="cpanfile: cpanfile\n")
        self.check(done, 3, "cpanfile requires Toy::Fast 2 to run, but Toy-Fast-1.0.tar.gz has 1.0")

    def test_tampered_tarball(self):
        pan = darkpan.DarkPan(FOLDER / "tampered")
        tarball = pan.add("Toy-Changing", more="sub one { 1 }")
        pan.publish()
        path = base_bundle("changing", ["module: Toy::Changing"])
        world.succeed("artifact", "lock", path, "--cpan", pan.folder)
        digest = next(s["sha256"] for s in json.loads(path.with_suffix(".lock").read_text())["sources"]
                      if s["kind"] == "cpan")
        (world.CACHE / "pool/sha256" / digest[:2] / digest).unlink()
        content = tarball.read_bytes()
        tarball.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        done = world.kiln("artifact", "build", path, "--cpan", pan.folder)
        self.check(done, 1, "Toy-Changing-1.0.tar.gz", digest)
        tarball.unlink()
        done = world.kiln("artifact", "build", path, "--cpan", pan.folder)
        self.check(done, 1, "1 of 1 inputs could not be downloaded", "Toy-Changing-1.0.tar.gz",
                   "'kiln artifact lock changing'")

    def test_checksums(self):
        pan = darkpan.DarkPan(FOLDER / "signed")
        tarball = pan.add("Toy-Signed")
        pan.publish()
        home = FOLDER / "gnupg"
        home.mkdir(mode=0o700)
        keyring = pan.sign(home)
        path = base_bundle("signed", ["module: Toy::Signed"])
        args = ["artifact", "lock", path, "--cpan", pan.folder, "--cpan-keyring", keyring]
        world.succeed(*args)
        content = tarball.read_bytes()
        tarball.write_bytes(content + b"x")
        self.check(world.kiln(*args), 1, "the author's CHECKSUMS has")
        tarball.write_bytes(content)
        checksums = pan.author / "CHECKSUMS"
        checksums.write_text(checksums.read_text().replace("# CHECKSUMS file", "# another file"))
        self.check(world.kiln(*args), 1, "CHECKSUMS' is not signed by any key in")

    def test_lock_that_does_not_fit(self):
        path, done = self.lock("fitting", "Toy::Greeting")
        self.check(done, 0)
        path.write_text(path.read_text() + "  - libtry-tiny-perl\n")
        self.check(world.kiln("artifact", "build", path, "--offline"), 3,
                   "is out of date: bundle 'fitting' changed",
                   "distributions: distribution 'libtry-tiny-perl' was added",
                   "fitting.yaml' to update it")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    unittest.main(verbosity=2)

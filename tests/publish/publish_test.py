#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`kiln publish registry` and `kiln pull` against docker-registry, with skopeo as the judge.
Environment: KILN, KILN_MAKE_SAMPLE and KILN_PROBE (programs of the build)."""

import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

import layouts
import registry_server
from registry_server import PASSWORD, USER, Registry, faulty

KILN = os.environ["KILN"]
SECRETS = (PASSWORD, registry_server.BASIC.partition(" ")[2])


def skopeo(registry, *words, check=True):
    return subprocess.run(
        ["skopeo", *words], env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"}, check=check,
        capture_output=True, text=True)


class WithRegistry(unittest.TestCase):
    """A folder, a registry, and kiln in that folder with its cache there."""

    auth, tls, options = "basic", True, {}

    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.TemporaryDirectory(prefix="kiln-publish")
        cls.folder = pathlib.Path(cls.top.name)
        cls.registry = Registry(cls.folder / "registry", cls.auth, cls.tls, **cls.options)
        cls.addClassCleanup(cls.top.cleanup)
        cls.addClassCleanup(cls.registry.stop)
        cls.count = 0

    def new_folder(self):
        type(self).count += 1
        folder = self.folder / f"case-{self.count}"
        folder.mkdir()
        return folder

    def environment(self):
        return self.registry.environment()

    def kiln(self, *words, code=0, env=None, cwd=None):
        result = subprocess.run(
            [KILN, *map(str, words)], cwd=cwd or self.folder, capture_output=True, text=True,
            timeout=300, env={"PATH": os.environ["PATH"], "HOME": str(self.folder),
                              "KILN_CACHE": str(self.folder / "cache"), **self.environment(),
                              **(env or {})})
        self.assertEqual(result.returncode, code, f"{words}\n{result.stdout}{result.stderr}")
        for secret in SECRETS:
            self.assertNotIn(secret, result.stdout + result.stderr)
        return result

    def publish(self, *words, **options):
        return json.loads(self.kiln("publish", "registry", *words, "--json", **options).stdout)

    def skopeo_options(self, side):
        folder = self.folder / "certificates"
        if not folder.exists():
            folder.mkdir()
            shutil.copy(self.registry.certificate, folder / "ca.crt")
        name = f"--{side}-" if side else "--"
        return [f"{name}cert-dir", str(folder), f"{name}creds", f"{USER}:{PASSWORD}"]

    def inspect(self, reference):
        out = skopeo(self.registry, "inspect", "--raw", *self.skopeo_options(""),
                     f"docker://{self.registry.host}/{reference}").stdout
        return json.loads(out), "sha256:" + hashlib.sha256(out.encode()).hexdigest()


class Push(WithRegistry):
    def test_skopeo_reads_what_kiln_pushed(self):
        layout = self.sample()
        report = self.publish(layout, f"{self.registry.host}/a/sample:1", "--tag", "2")
        self.assertEqual(report["tags"], ["1", "2"])
        self.assertEqual(report["blobs"], {"present": 0, "mounted": 0, "uploaded": 3})
        index = json.loads((layout / "index.json").read_text())
        for tag in ("1", "2"):
            manifest, digest = self.inspect(f"a/sample:{tag}")
            self.assertEqual(digest, index["manifests"][0]["digest"])
        self.assertEqual(digest, report["digest"])
        copy = self.new_folder() / "copy"
        skopeo(self.registry, "copy", *self.skopeo_options("src"),
               f"docker://{self.registry.host}/a/sample:1", f"oci:{copy}:1")
        for blob in [manifest["config"], *manifest["layers"]]:
            name = blob["digest"].partition(":")[2]
            self.assertEqual((copy / "blobs/sha256" / name).read_bytes(),
                             (layout / "blobs/sha256" / name).read_bytes())

    def sample(self):
        """The sample image of kiln's own tests, as a bake writes it."""
        folder = self.new_folder()
        archive = folder / "sample.docker.tar"
        subprocess.run([os.environ["KILN_MAKE_SAMPLE"], os.environ["KILN_PROBE"], archive],
                       check=True, capture_output=True)
        with tarfile.open(archive) as tar:
            tar.extractall(folder / "sample.oci")
        return folder / "sample.oci"

    def test_pushing_again_moves_no_blob(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", seed="again")
        reference = f"{self.registry.host}/again:1"
        self.assertEqual(self.publish(layout, reference)["blobs"]["uploaded"], 3)
        report = self.publish(layout, reference)
        self.assertEqual(report["blobs"], {"present": 3, "mounted": 0, "uploaded": 0})
        self.assertEqual(report["bytes_sent"], 0)

    def test_pushing_what_skopeo_pushed_moves_no_blob(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", seed="skopeo")
        skopeo(self.registry, "copy", *self.skopeo_options("dest"), f"oci:{layout}:latest",
               f"docker://{self.registry.host}/other:1")
        report = self.publish(layout, f"{self.registry.host}/other:1")
        self.assertEqual(report["bytes_sent"], 0)
        self.assertEqual(self.inspect("other:1")[1], report["digest"])

    def test_archives_and_folders_of_results(self):
        folder = self.new_folder()
        results = folder / "out/shop"
        results.mkdir(parents=True)
        layout = layouts.make_layout(results / "shop.oci", seed="shop")
        disk = layouts.make_qcow2(results / "shop.qcow2")
        archive = folder / "shop.docker.tar"
        with tarfile.open(archive, "w") as tar:
            for path in sorted(layout.rglob("*")):
                tar.add(path, str(path.relative_to(layout)), recursive=False)
        by_name = self.publish("shop", f"{self.registry.host}/shop:name", cwd=folder)
        by_folder = self.publish(results, f"{self.registry.host}/shop:folder")
        by_archive = self.publish(archive, f"{self.registry.host}/shop:archive")
        self.assertEqual(by_name["digest"], by_folder["digest"])
        self.assertEqual(by_name["digest"], by_archive["digest"])
        only_disk = self.publish("shop", f"{self.registry.host}/shop:disk", "--format", "qcow2",
                                 cwd=folder)
        manifest, digest = self.inspect("shop:disk")
        self.assertEqual(digest, only_disk["digest"])
        self.assertEqual(manifest["artifactType"], "application/vnd.kiln.disk.v1")
        layer, = manifest["layers"]
        self.assertEqual(layer["mediaType"], "application/vnd.kiln.disk.v1.qcow2")
        self.assertEqual(layer["digest"], layouts.sha256(disk.read_bytes()))
        self.assertEqual(layer["annotations"]["org.opencontainers.image.title"], "shop.qcow2")

    def test_index_with_platforms(self):
        layout = layouts.Layout(self.new_folder() / "x.oci")
        amd64 = layout.image([1000], "amd", "amd64", platform=True)
        arm64 = layout.image([1000], "arm", "arm64", platform=True)
        report = self.publish(layout.write(), f"{self.registry.host}/multi:1")
        index, digest = self.inspect("multi:1")
        self.assertEqual(digest, report["digest"])
        self.assertEqual(index["mediaType"], layouts.INDEX)
        self.assertEqual([each["digest"] for each in index["manifests"]],
                         [amd64["digest"], arm64["digest"]])
        for architecture in ("amd64", "arm64"):
            out = skopeo(self.registry, "--override-arch", architecture, "inspect",
                         *self.skopeo_options(""), f"docker://{self.registry.host}/multi:1").stdout
            self.assertEqual(json.loads(out)["Architecture"], architecture)

    def test_mount(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", seed="mount")
        self.publish(layout, f"{self.registry.host}/first:1")
        report = self.publish(layout, f"{self.registry.host}/second:1", "--mount-from", "none",
                              "--mount-from", f"{self.registry.host}/first")
        self.assertEqual(report["blobs"], {"present": 0, "mounted": 3, "uploaded": 0})
        self.assertEqual(self.inspect("second:1")[1], report["digest"])

    def test_chunks(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", [300_000, 65_536], "chunks")
        report = self.publish(layout, f"{self.registry.host}/chunks:1", "--chunk-size", "64KiB")
        self.assertEqual(report["blobs"]["uploaded"], 3)
        manifest, _ = self.inspect("chunks:1")
        for layer in manifest["layers"]:
            self.assertEqual(layouts.sha256(self.registry.blob_file(layer["digest"]).read_bytes()),
                             layer["digest"])

    def test_dry_run_sends_nothing_that_changes_the_registry(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", seed="dry")
        result = self.kiln("publish", "registry", layout, f"{self.registry.host}/dry:1", "--dry-run")
        lines = result.stdout.splitlines()
        url = f"https://{self.registry.host}/v2/dry/"
        self.assertTrue(lines[-1].startswith(f"PUT {url}manifests/1 "), result.stdout)
        self.assertTrue(lines[-1].endswith("not sent"), result.stdout)
        uploads = [line for line in lines if line.startswith(f"PUT {url}blobs/uploads/")]
        self.assertEqual(len(uploads), 3)
        for line in uploads:
            self.assertRegex(line, r"\?digest=sha256%3A[0-9a-f]{64} .* -> not sent$")
        listed = self.publish(layout, f"{self.registry.host}/dry:1", "--dry-run")
        self.assertTrue(listed["dry_run"])
        self.assertEqual([each["method"] for each in listed["requests"] if not each["sent"]],
                         ["POST", "PUT"] * 3 + ["PUT"])
        tags = skopeo(self.registry, "list-tags", *self.skopeo_options(""),
                      f"docker://{self.registry.host}/dry", check=False)
        self.assertNotEqual(tags.returncode, 0)

    def test_wrong_password(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", seed="password")
        env = self.registry.environment("wrong")
        result = self.kiln("publish", "registry", layout, f"{self.registry.host}/p:1", code=5,
                           env=env)
        self.assertIn("rejected the login: status 401", result.stderr)

    def test_credential_helper(self):
        folder = self.new_folder()
        log = folder / "log"
        helper = folder / "docker-credential-toy"
        helper.write_text(
            "#!/usr/bin/python3\nimport json, os, sys\n"
            f"host = sys.stdin.read().strip()\n"
            f"with open({str(log)!r}, 'a') as log:\n"
            "    log.write(json.dumps([sys.argv[1:], host, sorted(os.environ)]) + '\\n')\n"
            f"print(json.dumps({{'Username': {USER!r}, 'Secret': {PASSWORD!r}}}))\n")
        helper.chmod(0o755)
        (folder / "config.json").write_text(
            json.dumps({"credHelpers": {self.registry.host: "toy"}}))
        layout = layouts.make_layout(folder / "x.oci", seed="helper")
        env = {"DOCKER_CONFIG": str(folder), "PATH": f"{folder}:{os.environ['PATH']}",
               "KILN_REGISTRY_PASSWORD": "not for helpers"}
        self.publish(layout, f"{self.registry.host}/helper:1", env=env)
        words, host, names = json.loads(log.read_text().splitlines()[0])
        self.assertEqual((words, host), (["get"], self.registry.host))
        self.assertIn("DOCKER_CONFIG", names)
        self.assertNotIn("KILN_REGISTRY_PASSWORD", names)

    def test_no_secret_at_the_highest_verbosity(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", seed="debug")
        env = {"DOCKER_CONFIG": "/nonexistent", "KILN_REGISTRY_HOST": self.registry.host,
               "KILN_REGISTRY_USER": USER, "KILN_REGISTRY_PASSWORD": PASSWORD}
        result = self.kiln("publish", "registry", layout, f"{self.registry.host}/debug:1", "--verbose",
                           "--debug", env=env)
        self.assertIn(f"PUT https://{self.registry.host}/v2/debug/manifests/1: 201", result.stderr)
        self.assertNotIn("_state=", result.stderr)

    def test_damaged_layout_leaves_no_tag(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", seed="damaged")
        blob = max((layout / "blobs/sha256").iterdir(), key=lambda each: each.stat().st_size)
        data = bytearray(blob.read_bytes())
        data[len(data) // 2] ^= 1
        blob.write_bytes(data)
        result = self.kiln("publish", "registry", layout, f"{self.registry.host}/damaged:1", code=1)
        self.assertIn("has another digest", result.stderr)
        self.kiln("pull", f"{self.registry.host}/damaged:1", code=5)


class Documentation(WithRegistry):
    """docs/publish.md up to DigitalOcean, command by command."""

    def test_its_commands(self):
        folder = self.new_folder()
        results = folder / "out/shop"
        results.mkdir(parents=True)
        layout = layouts.make_layout(results / "shop.oci", seed="docs")
        disk = layouts.make_qcow2(results / "shop.qcow2")
        page = (pathlib.Path(__file__).parents[2] / "docs/publish.md").read_text()
        page = page.partition("\n## DigitalOcean\n")[0]
        blocks = "".join(page.split("```")[1::2])
        commands = [line.split() for line in blocks.splitlines() if line.startswith("kiln ")]
        self.assertEqual(len(commands), 8)
        for _, *words in commands:
            words = [word.replace("registry.example", self.registry.host) for word in words]
            last = self.kiln(*words, cwd=folder)
        self.assertEqual((folder / "pulled/shop.qcow2").read_bytes(), disk.read_bytes())
        self.assertEqual(sorted(os.listdir(folder / "pulled")),
                         ["shop.docker.tar", "shop.oci", "shop.qcow2"])
        self.assertEqual(json.loads(last.stdout)["digest"],
                         json.loads((layout / "index.json").read_text())["manifests"][0]["digest"])


class Pull(WithRegistry):
    def assert_same_layout(self, pulled, layout):
        ours = {each.name: each.read_bytes() for each in (pulled / "blobs/sha256").iterdir()}
        theirs = {each.name: each.read_bytes() for each in (layout / "blobs/sha256").iterdir()}
        self.assertEqual(ours, theirs)

    def test_pull_gives_what_was_pushed(self):
        folder = self.new_folder()
        layout = layouts.make_layout(folder / "x.oci", seed="pull")
        reference = f"{self.registry.host}/deep/shop"
        digest = self.publish(layout, f"{reference}:1")["digest"]
        for words in ([f"{reference}:1"], [f"{reference}@{digest}", "--name", "exact"]):
            report = json.loads(self.kiln("pull", *words, "--json", cwd=folder).stdout)
            self.assertEqual(report["digest"], digest)
            self.assertFalse(report["was_there"])
            self.assert_same_layout(folder / report["path"], layout)
        self.assertEqual(os.listdir(folder / "out/shop"), ["shop.oci"])
        self.assertEqual(
            stat.S_IMODE((folder / "out/shop/shop.oci/index.json").stat().st_mode), 0o644)
        skopeo(self.registry, "inspect", f"oci:{folder}/out/shop/shop.oci:1")
        again = json.loads(self.kiln("pull", f"{reference}:1", "--json", cwd=folder).stdout)
        self.assertTrue(again["was_there"])
        people = self.kiln("pull", f"{reference}:1", cwd=folder)
        self.assertEqual(people.stdout, "out/shop/shop.oci\n")
        self.assertIn("kiln run shop --docker", people.stderr)
        self.kiln("inspect", "out/shop/shop.oci", cwd=folder)

    def test_another_image_is_not_replaced_by_itself(self):
        folder = self.new_folder()
        reference = f"{self.registry.host}/replace"
        self.publish(layouts.make_layout(folder / "1.oci", seed="one"), f"{reference}:1")
        second = layouts.make_layout(folder / "2.oci", seed="two")
        self.publish(second, f"{reference}:2")
        self.kiln("pull", f"{reference}:1", cwd=folder)
        result = self.kiln("pull", f"{reference}:2", cwd=folder, code=1)
        self.assertIn("is there already and is another image", result.stderr)
        self.kiln("pull", f"{reference}:2", "--replace", cwd=folder)
        self.assert_same_layout(folder / "out/replace/replace.oci", second)
        self.assertEqual(os.listdir(folder / "out/replace"), ["replace.oci"])

    def test_docker_archive(self):
        folder = self.new_folder()
        reference = f"{self.registry.host}/archive:7"
        self.publish(layouts.make_layout(folder / "x.oci", seed="archive"), reference)
        result = self.kiln("pull", reference, "--format", "docker", cwd=folder)
        path = folder / "out/archive/archive.docker.tar"
        self.assertEqual(os.listdir(path.parent), [path.name])
        self.assertIn(f"docker load -i {path.relative_to(folder)}", result.stderr)
        with tarfile.open(path) as tar:
            image, = json.load(tar.extractfile("manifest.json"))
        self.assertEqual(image["RepoTags"], [reference])

    def test_disk_under_the_same_name(self):
        folder = self.new_folder()
        results = folder / "out"
        results.mkdir()
        layout = layouts.make_layout(results / "shop.oci", seed="both")
        disk = layouts.make_qcow2(results / "shop.qcow2")
        reference = f"{self.registry.host}/both:1"
        for _ in range(2):  # the second changes nothing
            report = self.publish(results, reference, "--disk")
        self.assertEqual(report["disk"]["bytes_sent"], 0)
        # docker-registry keeps no list of referrers: the tag of distribution-spec has it.
        tag = report["digest"].replace(":", "-")
        index, _ = self.inspect(f"both:{tag}")
        self.assertEqual([each["digest"] for each in index["manifests"]],
                         [report["disk"]["digest"]])
        self.assertEqual(index["manifests"][0]["artifactType"], "application/vnd.kiln.disk.v1")
        self.kiln("pull", reference, "--disk", cwd=folder)
        pulled = folder / "out/both/both.qcow2"
        self.assertEqual(pulled.read_bytes(), disk.read_bytes())
        self.kiln("pull", reference, cwd=folder)
        self.assert_same_layout(folder / "out/both/both.oci", layout)
        alone = self.kiln("pull", f"{self.registry.host}/both@{report['disk']['digest']}", "--name",
                          "alone", cwd=folder)
        self.assertEqual(alone.stdout, "out/alone/alone.qcow2\n")

    def test_platforms(self):
        folder = self.new_folder()
        layout = layouts.Layout(folder / "x.oci")
        items = {each: layout.image([500], each, each, platform=True) for each in ("amd64", "arm64")}
        reference = f"{self.registry.host}/platforms:1"
        self.publish(layout.write(), reference)
        for name, words in (("amd64", []), ("arm64", ["--platform", "linux/arm64"])):
            report = json.loads(self.kiln(
                "pull", reference, "--name", name, "--json", *words, cwd=folder).stdout)
            self.assertEqual(report["digest"], items[name]["digest"])
        result = self.kiln("pull", reference, "--platform", "linux/s390x", "--name", "none", code=5,
                           cwd=folder)
        self.assertIn("platforms: linux/amd64, linux/arm64", result.stderr)
        self.kiln("pull", reference, "--all-platforms", "--name", "all", cwd=folder)
        skopeo(self.registry, "--override-arch", "arm64", "inspect",
               f"oci:{folder}/out/all/all.oci:1")

    def test_damaged_blob_is_refused_and_leaves_nothing(self):
        folder = self.new_folder()
        layout = layouts.make_layout(folder / "x.oci", seed="bad blob")
        reference = f"{self.registry.host}/bad:1"
        self.publish(layout, reference)
        manifest, _ = self.inspect("bad:1")
        file = self.registry.blob_file(manifest["layers"][1]["digest"])
        data = bytearray(file.read_bytes())
        data[100] ^= 1
        file.write_bytes(data)
        result = self.kiln("pull", reference, cwd=folder, code=5)
        self.assertIn("the registry sent", result.stderr)
        self.assertEqual(os.listdir(folder / "out/bad"), [])

    def test_missing_image(self):
        result = self.kiln("pull", f"{self.registry.host}/nowhere:1", code=5)
        self.assertIn("is not in the registry", result.stderr)


if __name__ == "__main__":
    for program in ("docker-registry", "skopeo", "openssl"):
        if not shutil.which(program):
            print(f"needs {program}")
            sys.exit(77)
    unittest.main(verbosity=2)

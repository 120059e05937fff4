#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`kiln publish digitalocean --space`: a disk of this host, by way of a real S3 service (OpenStack
Swift), to an image of the fake's account, and nothing left behind. Environment: KILN,
KILN_SPACES_PROBE."""

import gzip
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import digitalocean_test
import swift_server
from swift_server import ACCESS, REGION, SECRET

BUCKET = "kiln-images"
MIB = 1 << 20


class Spaces(digitalocean_test.WithCloud):
    @classmethod
    def setUpClass(cls):
        top = tempfile.TemporaryDirectory(prefix="kiln-swift")
        cls.addClassCleanup(top.cleanup)
        cls.store = pathlib.Path(top.name) / "swift"
        cls.swift = swift_server.Swift(cls.store)
        cls.addClassCleanup(cls.swift.stop)
        url = subprocess.run(
            [os.environ["KILN_SPACES_PROBE"], "sign-bucket", f"http://{cls.swift.host}", BUCKET, REGION,
             "/nonexistent"], check=True, capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin", **cls.keys()}).stdout.strip()
        urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=60)

    @staticmethod
    def keys():
        return {"SPACES_ACCESS_KEY_ID": ACCESS, "SPACES_SECRET_ACCESS_KEY": SECRET}

    def setUp(self):
        super().setUp()
        self.make_disk(3 * MIB)

    def make_disk(self, size):
        self.data = random.Random(self.id()).randbytes(size)
        self.disk.write_bytes(self.data)

    def environment(self):
        return {**super().environment(), **self.keys()}

    def words(self, *more):
        return ["publish", "digitalocean", "shop", "--space", f"{BUCKET}@{REGION}", "--space-endpoint",
                f"http://{self.swift.host}", "--no-check", "--api-url", self.api, *more]

    def kiln(self, *words, **options):
        result = super().kiln(*words, **options)
        for secret in (SECRET, "AWS4-HMAC", "Signature="):
            self.assertNotIn(secret, result.stdout + result.stderr)
        return result

    def objects(self):
        """Files of the store with the content of objects; deleted ones are markers."""
        return list((self.store / "srv").rglob("*.data"))

    def bytes_of_objects(self):
        return sum(each.stat().st_size for each in self.objects())

    def local_files(self):
        return [each.name for each in (self.folder / "state").rglob("*.gz")]

    def published(self):
        image, = self.cloud.living()
        self.assertEqual(self.objects_left(), [])
        self.assertEqual(self.local_files(), [])
        return image

    def objects_left(self):
        # What the service keeps of buckets and accounts is no object of ours.
        return [each for each in self.objects() if each.stat().st_size > 0]

    def test_a_disk_is_there_while_it_is_imported_and_no_longer(self):
        self.cloud.import_time = 300
        report = self.publish("--no-wait")
        stored, = self.objects_left()
        self.assertEqual(gzip.decompress(stored.read_bytes()), self.data)
        self.assertRegex(self.cloud.living()[0]["url"],
                         rf"^http://{self.swift.host}/{BUCKET}/[0-9a-f]{{32}}/shop\.img\.gz$")
        self.kiln("publish", "resume", report["publish"], "--verbose")
        self.published()

    def test_a_qcow2_becomes_a_raw_disk(self):
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", self.disk,
                        self.folder / "out/shop/shop.qcow2"], check=True)
        self.cloud.import_time = 10 ** 9
        report = self.publish("--no-wait")
        stored, = self.objects_left()
        self.assertEqual(gzip.decompress(stored.read_bytes()), self.data)
        self.cloud.import_time = 0
        self.kiln("publish", "resume", report["publish"])
        self.published()

    def test_an_import_that_fails_leaves_no_upload(self):
        self.cloud.error_message = "no boot sector"
        self.kiln(*self.words("--region", "nyc3"), code=5)
        self.assertEqual(self.objects_left(), [])
        self.assertEqual(self.cloud.living(), [])

    def test_killed_while_uploading(self):
        self.make_disk(80 * MIB)
        before = self.bytes_of_objects()
        process = self.start(*self.words("--region", "nyc3"))
        self.wait_for(lambda: self.bytes_of_objects() > before or process.poll() is not None)
        process.kill()
        process.wait()
        identifier = self.journals()[0]["publish"]
        self.assertEqual(self.cloud.images, {})
        self.kiln("publish", "resume", identifier)
        self.assertEqual(self.published()["name"], "shop")

    def test_killed_and_given_up(self):
        self.make_disk(40 * MIB)
        process = self.start(*self.words("--region", "nyc3"))
        self.wait_for(lambda: self.objects_left() or process.poll() is not None)
        process.kill()
        process.wait()
        self.kiln("publish", "cleanup", "--delete-image")
        self.assertEqual(self.objects_left(), [])
        self.assertEqual(self.cloud.living(), [])
        self.assertEqual(self.journals(), [])
        self.assertEqual(self.local_files(), [])

    def test_a_bucket_or_a_key_that_is_not_there(self):
        words = [word.replace(BUCKET, "other-bucket") for word in self.words("--region", "nyc3")]
        self.assertIn("other-bucket", self.kiln(*words, code=5).stderr)
        result = self.kiln(*self.words("--region", "nyc3"), code=2,
                           env={"SPACES_SECRET_ACCESS_KEY": ""})
        self.assertIn("SPACES_SECRET_ACCESS_KEY", result.stderr)
        self.assertEqual(self.journals(), [])

    def test_without_a_key_one_would_be_made(self):
        result = self.kiln(*self.words("--region", "nyc3", "--dry-run"),
                           env={"SPACES_ACCESS_KEY_ID": "", "SPACES_SECRET_ACCESS_KEY": ""})
        self.assertIn(f"GET {self.api}/v2/spaces/keys?per_page=1 -> 200\n", result.stdout)

    def test_a_dry_run_uploads_nothing(self):
        before = self.bytes_of_objects()
        result = self.kiln(*self.words("--region", "nyc3", "--dry-run"))
        self.assertRegex(result.stdout, r"POST \S+/v2/images \S+ B -> not sent\n")
        self.assertEqual(self.bytes_of_objects(), before)
        self.assertEqual(json.loads(self.kiln("publish", "list", "--json").stdout), [])

    def test_the_documentations_commands(self):
        page = (pathlib.Path(__file__).parents[2] / "docs/publish.md").read_text()
        section = page.partition("\n## DigitalOcean\n")[2].partition("\n## ")[0]
        blocks = "".join(section.split("```")[1::2])
        commands = [line.split() for line in blocks.splitlines() if line.startswith("kiln ")]
        self.assertEqual(len(commands), 9)
        for _, *words in commands:
            words = [word.replace("https://files.example/shop.img", self.url).replace(
                "my-bucket", BUCKET) for word in words]
            if words[:2] == ["publish", "digitalocean"]:
                words += ["--no-check", "--api-url", self.api]
                if "--space" in words:
                    words += ["--space-endpoint", f"http://{self.swift.host}"]
            if words[0] == "image":
                words += ["--api-url", self.api]
            if "3f9a1c04" in words:
                words[words.index("3f9a1c04")] = self.journals()[-1]["publish"]
            self.kiln(*words)
        self.assertEqual(self.cloud.regions_of(self.published()), ["nyc3", "ams3", "sgp1"])


if __name__ == "__main__":
    if why := swift_server.missing():
        print(f"skipped: {why}")
        sys.exit(77)
    sys.exit(unittest.main(verbosity=2))

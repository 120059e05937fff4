#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`kiln publish digitalocean`, `resume`, `cleanup`, `list` and `kiln image ...` with the real program
against a fake of DigitalOcean's API on loopback. Environment: KILN."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

from fake_digitalocean import TOKEN, Cloud, FakeDigitalOcean

KILN = os.environ["KILN"]


class WithCloud(unittest.TestCase):
    """A folder with a disk, an account, and the disk on a web server."""

    cloud_options = {}

    def setUp(self):
        top = tempfile.TemporaryDirectory(prefix="kiln-digitalocean")
        self.addCleanup(top.cleanup)
        self.folder = pathlib.Path(top.name)
        self.cloud = Cloud(**self.cloud_options)
        self.fake = FakeDigitalOcean(self.cloud)
        self.addCleanup(self.fake.stop)
        self.api = self.fake.url
        self.data = hashlib.sha256(self.id().encode()).digest() * 4096
        (self.folder / "out/shop").mkdir(parents=True)
        self.disk = self.folder / "out/shop/shop.raw"
        self.disk.write_bytes(self.data)
        self.url = self.fake.put_file("shop.img", self.data)
        self.tag = "kiln-" + hashlib.sha256(self.data).hexdigest()

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder),
                "KILN_CACHE": str(self.folder / "cache"), "KILN_STATE": str(self.folder / "state"),
                "DIGITALOCEAN_ACCESS_TOKEN": TOKEN}

    def words(self, *more):
        return ["publish", "digitalocean", "shop", "--url", self.url, "--no-check", "--api-url",
                self.api, *more]

    def kiln(self, *words, code=0, env=None):
        result = subprocess.run(
            [KILN, *map(str, words)], cwd=self.folder, capture_output=True, text=True, timeout=300,
            stdin=subprocess.DEVNULL, env={**self.environment(), **(env or {})})
        self.assertEqual(result.returncode, code, f"{words}\n{result.stdout}{result.stderr}")
        self.assertNotIn(TOKEN, result.stdout + result.stderr)
        return result

    def publish(self, *more, regions="nyc3", **options):
        return json.loads(
            self.kiln(*self.words("--region", regions, "--json", *more), **options).stdout)

    def start(self, *words):
        process = subprocess.Popen(
            [KILN, *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=self.environment())
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def journals(self):
        return json.loads(self.kiln("publish", "list", "--json").stdout)

    def wait_for(self, condition):
        for _ in range(600):
            if condition():
                return
            time.sleep(0.05)
        self.fail("it did not happen")

    def lines(self, method):
        return [path for each, path in self.cloud.requests if each == method]


class Publish(WithCloud):
    def test_from_a_file_to_an_image_in_three_regions(self):
        result = self.kiln(*self.words("--region", "nyc3,ams3", "--region", "sgp1", "--tag", "prod"))
        image, = self.cloud.living()
        self.assertEqual(result.stdout, f"{image['id']}\n")
        self.assertRegex(result.stderr, r"publish [0-9a-f]{8}\n")
        self.assertIn(f"image {image['id']} is available in nyc3, ams3, sgp1\n", result.stderr)
        self.assertIn("next: kiln image list", result.stderr)
        self.assertEqual(image["name"], "shop")
        self.assertEqual(image["url"], self.url)
        journal, = self.journals()
        self.assertEqual(image["tags"],
                         ["kiln", self.tag, "kiln-publish-" + journal["publish"], "prod"])
        self.assertEqual(journal["step"], "done")
        self.assertEqual(sorted(each["region"] for each in self.cloud.actions.values()),
                         ["ams3", "sgp1"])
        self.assertEqual(self.kiln("publish", "resume", journal["publish"]).stdout,
                         result.stdout)
        self.assertIn("cleaned up", self.kiln("publish", "cleanup").stdout)
        self.assertEqual(self.journals(), [])
        self.assertEqual(len(self.cloud.living()), 1)

    def test_the_same_disk_again_does_nothing_or_what_is_missing(self):
        first = self.publish()
        self.cloud.requests.clear()
        self.cloud.files.clear()  # nothing is fetched again
        second = self.publish()
        self.assertTrue(second["was_there"])
        self.assertEqual(second["id"], first["id"])
        self.assertEqual({method for method, _ in self.cloud.requests}, {"GET"})
        third = self.publish(regions="fra1,nyc3")
        self.assertEqual(third["id"], first["id"])
        self.assertEqual(third["regions"], ["nyc3", "fra1"])
        self.assertEqual(self.lines("POST"), [f"/v2/images/{first['id']}/actions"])

    def test_no_wait_and_resume(self):
        self.cloud.import_time = 200
        report = self.publish("--no-wait", regions="nyc3,ams3")
        self.assertTrue(report["waiting"])
        self.assertEqual(self.cloud.actions, {})
        text = self.kiln("publish", "list").stdout
        self.assertIn("being imported", text)
        done = json.loads(self.kiln("publish", "resume", report["publish"], "--json").stdout)
        self.assertFalse(done["waiting"])
        self.assertEqual(done["regions"], ["nyc3", "ams3"])
        self.assertEqual(len(self.cloud.living()), 1)

    def test_an_import_that_fails(self):
        self.cloud.error_message = "The disk has no \x1b[31mboot sector"
        result = self.kiln(*self.words("--region", "nyc3"), code=5)
        self.assertIn("could not import image", result.stderr)
        self.assertIn("The disk has no \\x1b[31mboot sector", result.stderr)
        self.assertEqual(self.journals()[0]["step"], "failed")
        self.assertEqual(self.cloud.living(), [])
        self.kiln("publish", "cleanup")
        self.assertEqual(self.journals(), [])

    def test_one_of_three_regions_fails(self):
        self.cloud.broken_regions = {"ams3"}
        result = self.kiln(*self.words("--region", "nyc3,ams3,sgp1"), code=5)
        self.assertIn("is not available in ams3\n", result.stderr)
        journal, = self.journals()
        self.assertIn(f"'kiln publish resume {journal['publish']}' tries again", result.stderr)
        self.assertEqual(self.cloud.regions_of(self.cloud.living()[0]), ["nyc3", "sgp1"])
        self.cloud.broken_regions = set()
        self.kiln("publish", "resume", journal["publish"])
        self.assertEqual(self.cloud.regions_of(self.cloud.living()[0]), ["nyc3", "sgp1", "ams3"])

    def test_an_import_that_never_ends(self):
        self.cloud.import_time = 10 ** 9
        result = self.kiln(*self.words("--region", "nyc3", "--timeout", "1s"), code=1)
        self.assertIn("has not ended within 1.0s", result.stderr)
        identifier = self.journals()[0]["publish"]
        self.assertIn(f"'kiln publish resume {identifier}' goes on waiting", result.stderr)
        result = self.kiln("publish", "cleanup", code=1)
        self.assertIn("is still being imported", result.stderr)
        self.kiln("publish", "cleanup", identifier, "--delete-image")
        self.assertEqual(self.cloud.living(), [])
        self.assertEqual(self.journals(), [])

    def test_a_dry_run_changes_nothing_and_shows_every_call(self):
        result = self.kiln(*self.words("--region", "nyc3,ams3", "--dry-run"))
        for line in ("GET " + self.api + "/v2/regions?per_page=200 -> 200\n",
                     "HEAD " + self.url + " -> 200\n",
                     "/v2/images -> not sent\n".replace("/v2", "/v2")):
            self.assertIn(line if "not sent" not in line else "-> not sent\n", result.stdout)
        self.assertRegex(result.stdout, r"POST \S+/v2/images \S+ B -> not sent\n")
        self.assertRegex(result.stdout, r"POST \S+/v2/images/1/actions \S+ B -> not sent\n")
        self.assertIn(f"GET {self.api}/v2/images?tag_name={self.tag}&per_page=200 -> 200\n",
                      result.stdout)
        self.assertEqual({method for method, _ in self.cloud.requests}, {"GET", "HEAD"})
        self.assertEqual(self.cloud.images, {})
        self.assertEqual(self.journals(), [])
        data = json.loads(
            self.kiln(*self.words("--region", "nyc3", "--dry-run", "--json")).stdout)
        self.assertTrue(data["dry_run"])
        self.assertIn("POST", [each["method"] for each in data["requests"] if not each["sent"]])


class Refused(WithCloud):
    """Before anything is changed."""

    def expect(self, code, message, *words, **options):
        result = self.kiln(*words, code=code, **options)
        self.assertIn(f"error: {message}", result.stderr)
        self.assertEqual(self.lines("POST"), [])
        self.assertEqual(self.journals(), [])

    def test_what_cannot_work(self):
        words = self.words
        self.expect(2, "no token for DigitalOcean's API", *words("--region", "nyc3"),
                    env={"DIGITALOCEAN_ACCESS_TOKEN": ""})
        self.expect(5, "cannot list the regions: Unable to authenticate you. (status 401, "
                    "unauthorized)", *words("--region", "nyc3"),
                    env={"DIGITALOCEAN_ACCESS_TOKEN": "wrong"})
        self.expect(2, "--region is missing", *words())
        self.expect(2, "DigitalOcean has no region 'nyc9'", *words("--region", "nyc3,nyc9"))
        self.cloud.regions["fra1"] = False
        self.expect(2, "region 'fra1' is not available now", *words("--region", "fra1"))
        self.expect(2, "'--region NYC3'", *words("--region", "NYC3"))
        self.expect(2, "'--tag a b'", *words("--region", "nyc3", "--tag", "a b"))
        self.expect(2, "'--timeout 3'", *words("--region", "nyc3", "--timeout", "3"))

    def test_urls_that_digitalocean_could_not_fetch(self):
        def expect(code, message, url, *more):
            self.expect(code, message, "publish", "digitalocean", "shop", "--no-check", "--region",
                        "nyc3", "--url", url, *(more or ("--api-url", self.api)))
        base = self.api + "/files"
        expect(2, f"'{base}/shop.img' cannot be used (--url): DigitalOcean takes no URL with",
               base + "/shop.img?signature=x")
        expect(2, f"'{base}/shop.raw' cannot be used (--url): it has to end in", base + "/shop.raw")
        expect(2, f"'{base}/shop.tar.gz' cannot be used", base + "/shop.tar.gz")
        expect(2, "'ftp://files.example/shop.img' cannot be used", "ftp://files.example/shop.img")
        expect(5, f"'{base}/gone.img' cannot be used (--url): the server answers HEAD with status",
               base + "/gone.img")
        other = self.fake.put_file("other.img", b"x" * 17)
        expect(5, f"'{other}' cannot be used (--url): the file there has 17 bytes", other)

    def test_an_api_that_is_not_https(self):
        self.expect(2, "cannot fetch 'http://api.example/': http: is only allowed for loopback",
                    "publish", "digitalocean", "shop", "--no-check", "--region", "nyc3", "--url",
                    "https://files.example/shop.img", "--api-url", "http://api.example")


class Images(WithCloud):
    def setUp(self):
        super().setUp()
        self.old = [self.cloud.add_image("shop", tags=["kiln"], age=1000 - i) for i in range(4)]
        self.other = self.cloud.add_image("shop", tags=["theirs"])
        self.blog = self.cloud.add_image("blog", tags=["kiln"])
        self.snapshot = self.cloud.add_image("shop", tags=["kiln"], kind="snapshot")

    def image(self, *words, **options):
        return self.kiln("image", *words, "--api-url", self.api, **options)

    def test_list(self):
        data = json.loads(self.image("list", "--json").stdout)
        self.assertEqual(len(data), 6)
        self.assertNotIn(self.snapshot["id"], [each["id"] for each in data])
        lines = self.image("list").stdout.splitlines()
        self.assertEqual(len(lines), 6)
        self.assertIn("available", lines[0])

    def test_prune_keeps_the_newest_and_what_is_not_kilns(self):
        result = self.image("prune", "--keep", "1", code=2)
        self.assertIn("delete 3 images for good? There is no terminal to ask at", result.stderr)
        self.assertEqual(self.lines("DELETE"), [])
        result = self.image("prune", "--keep", "1", "--yes")
        self.assertEqual(result.stdout, "".join(f"{each['id']} deleted\n" for each in self.old[:3]))
        self.assertIn("nothing to delete", self.image("prune", "--keep", "1", "--yes").stderr)
        self.assertEqual(len(self.cloud.living()), 4)
        self.image("prune", "--keep", "0", "--name", "blog", "--yes")
        self.assertEqual(
            sorted(each["id"] for each in self.cloud.living()),
            sorted(each["id"] for each in (self.old[3], self.other, self.snapshot)))

    def test_delete(self):
        first = self.old[0]["id"]
        self.assertIn("a snapshot, not a custom image",
                      self.image("delete", self.snapshot["id"], "--yes", code=2).stderr)
        self.assertIn("'x1' is not the id of an image",
                      self.image("delete", "x1", "--yes", code=2).stderr)
        self.assertEqual(self.image("delete", first, "--yes").stdout, f"{first} deleted\n")
        self.image("delete", first, "--yes")  # deleted already
        self.assertIn("image 77 is not there", self.image("delete", 77, "--yes").stderr)
        self.cloud.fail_once(r"DELETE /v2/images/\d+", "lost")
        self.image("delete", self.old[1]["id"], "--yes")
        self.assertEqual(len(self.cloud.living()), 5)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""DigitalOcean's own specification judges kiln's requests and the answers of the fake: Prism stands
between them and refuses what breaks it. Prism comes from the npm registry, into the build folder;
the specification is DigitalOcean's OpenAPI document, from the file that KILN_DIGITALOCEAN_SPEC names,
plain or as .xz. Without either the test is skipped. Environment: KILN, KILN_BUILD."""

import json
import lzma
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

import digitalocean_test
from fake_digitalocean import TOKEN
from registry_server import free_port

PRISM = "@stoplight/prism-cli@5.14.2"
BUILD = pathlib.Path(os.environ["KILN_BUILD"])
SPEC = os.environ.get("KILN_DIGITALOCEAN_SPEC")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def find_prism():
    """Prism's program, installed once for a build folder."""
    folder = BUILD / "prism"
    program = folder / "node_modules/.bin/prism"
    if program.exists() and (folder / "complete").exists():
        return program
    if not shutil.which("npm"):
        skip("npm is not installed (builder/tools/setup test installs it)")
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts",
               "--fetch-retries=1", "--fetch-timeout=30000", PRISM]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        skip(f"npm does not install {PRISM} within five minutes")
    if result.returncode:
        skip(f"npm cannot install {PRISM}: {result.stderr.strip().splitlines()[-1:]}")
    (folder / "complete").touch()
    return program


class Prism:
    """Between kiln and the fake, with --errors: what breaks the specification is an error."""

    def __init__(self, folder, upstream):
        self.url = f"http://127.0.0.1:{free_port()}"
        text = (lzma.open if SPEC.endswith(".xz") else open)(SPEC, "rb").read()
        (folder / "spec.json").write_bytes(text)
        self.log = open(folder / "prism.log", "w+")
        self.process = subprocess.Popen(
            [find_prism(), "proxy", "-h", "127.0.0.1", "-p", self.url.rpartition(":")[2],
             "--errors", folder / "spec.json", upstream], stdout=self.log, stderr=self.log)
        for _ in range(900):
            try:
                urllib.request.urlopen(self.url)
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise AssertionError((folder / "prism.log").read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.log.close()


class Specification(digitalocean_test.WithCloud):
    def setUp(self):
        super().setUp()
        self.fake.handler.pages = 200  # Prism does not change the links, which name the fake
        self.prism = Prism(self.folder, self.fake.url)
        self.addCleanup(self.prism.stop)
        self.api = self.prism.url

    def test_the_judge_judges(self):
        def status(path, data=None):
            request = urllib.request.Request(
                self.prism.url + path, data=data and json.dumps(data).encode(), headers={
                    "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
            try:
                return urllib.request.urlopen(request).status
            except urllib.error.HTTPError as error:
                return error.code
        self.assertEqual(status("/v2/images?per_page=500"), 422)
        self.assertEqual(status("/v2/images", {"name": "x"}), 422)
        self.assertEqual(status("/v2/regions"), 200)

    def test_a_whole_publish(self):
        report = self.publish("--tag", "prod", regions="nyc3,ams3,sgp1")
        self.assertEqual(report["regions"], ["nyc3", "ams3", "sgp1"])
        again = self.publish(regions="nyc3,fra1")
        self.assertTrue(again["was_there"])
        self.cloud.fail_once("POST /v2/images$", "lost")
        self.data = b"other" * 4096
        self.disk.write_bytes(self.data)
        self.url = self.fake.put_file("shop.img", self.data)
        second = self.publish(regions="nyc3")
        self.assertEqual(len(self.cloud.living()), 2)
        images = json.loads(self.kiln("image", "list", "--json", "--api-url", self.api).stdout)
        self.assertEqual([each["id"] for each in images], [report["id"], second["id"]])
        self.kiln("image", "prune", "--keep", "1", "--yes", "--api-url", self.api)
        self.kiln("image", "delete", second["id"], "--yes", "--api-url", self.api)
        self.assertEqual(self.cloud.living(), [])

    def test_a_publish_that_fails(self):
        self.cloud.error_message = "no boot sector"
        result = self.kiln(*self.words("--region", "nyc3"), code=5)
        self.assertIn("no boot sector", result.stderr)
        result = self.kiln(*self.words("--region", "nyc3"), code=5,
                           env={"DIGITALOCEAN_ACCESS_TOKEN": "wrong"})
        self.assertIn("Unable to authenticate you", result.stderr)


if __name__ == "__main__":
    if not SPEC:
        skip("KILN_DIGITALOCEAN_SPEC does not name DigitalOcean's specification")
    find_prism()
    unittest.main(verbosity=2)

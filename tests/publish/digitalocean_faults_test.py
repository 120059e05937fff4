#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`kiln publish digitalocean` when things go wrong: each kind of request failing once, kiln killed
and interrupted, and tokens that must not be seen. Environment: KILN."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

from digitalocean_test import KILN, WithCloud
from fake_digitalocean import TOKEN


# Retries wait for real. The unit tests have every fault at every request; here two stand for them, all
# with KILN_ALL.
FAULTS = ("504", "lost") + (("429", "500", "reset", "lost-504") if os.environ.get("KILN_ALL") else ())


class Faults(WithCloud):
    """Every kind of request fails once; time-outs are one case."""

    cloud_options = {"transfer_time": 300}  # a lost look at an action is one, and moves the clock

    def test_every_request_failing_once(self):
        requests = ("GET /v2/regions", "GET /v2/images$", "HEAD /files", "POST /v2/images$",
                    r"GET /v2/images/\d+$", r"POST /v2/images/\d+/actions",
                    r"GET /v2/images/\d+/actions/")
        for count, fault in enumerate(FAULTS):
            with self.subTest(fault=fault):
                for pattern in requests:
                    self.cloud.fail_once(pattern, fault)
                self.data = bytes([count]) * 65536
                self.disk.write_bytes(self.data)
                self.url = self.fake.put_file("shop.img", self.data)
                report = self.publish(regions="nyc3,ams3")
                self.assertEqual(self.cloud.faults, [])
                self.assertEqual(report["regions"], ["nyc3", "ams3"])
        self.assertEqual(len(self.cloud.living()), len(FAULTS))
        self.assertEqual(len(self.cloud.actions), len(FAULTS))

    def test_a_server_that_does_not_answer(self):
        self.cloud.fail_once("POST /v2/images$", "timeout")
        report = self.publish()
        self.assertEqual(len(self.cloud.living()), 1)
        self.assertEqual(report["regions"], ["nyc3"])


class Killed(WithCloud):
    cloud_options = {"import_time": 240, "transfer_time": 2 * 3600, "step": 60}

    def test_killed_and_resumed_through_two_hours_of_transfer(self):
        process = self.start(*self.words("--region", "nyc3,ams3"))
        self.wait_for(lambda: self.cloud.images)
        process.kill()
        process.wait()
        self.wait_for(lambda: len(self.journals()) == 1)
        identifier = self.journals()[0]["publish"]
        process = self.start("publish", "resume", identifier)
        self.wait_for(lambda: self.cloud.actions)
        other = self.kiln("publish", "resume", identifier, code=1)
        self.assertIn(f"another kiln process is working on publish '{identifier}'", other.stderr)
        process.kill()
        process.wait()
        self.cloud.step = 1800
        report = json.loads(self.kiln("publish", "resume", identifier, "--json").stdout)
        self.assertEqual(report["regions"], ["nyc3", "ams3"])
        self.assertEqual(len(self.cloud.images), 1)
        self.assertEqual(len(self.cloud.actions), 1)
        self.assertGreater(self.cloud.now, 2 * 3600)

    def test_interrupted(self):
        process = self.start(*self.words("--region", "nyc3"))
        self.wait_for(lambda: self.cloud.images)
        self.wait_for(lambda: self.journals() and self.journals()[0]["image"])
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        identifier = self.journals()[0]["publish"]
        self.assertIn(f"publish {identifier}: being imported\n", errors)
        self.assertIn(f"next: kiln publish resume {identifier}\n", errors)
        self.kiln("publish", "cleanup", identifier, "--delete-image")
        self.assertEqual(self.cloud.living(), [])


class Secrets(WithCloud):
    """Planted tokens are in no output, no argument, no file."""

    def test_nothing_shows_the_token(self):
        secret = self.folder / "token"
        secret.write_text(TOKEN + "\n")
        show = self.folder / "show-token"
        show.write_text(f"#!/bin/sh\ncat {secret}\n")
        show.chmod(0o755)
        places = ({"DIGITALOCEAN_ACCESS_TOKEN": TOKEN},
                  {"DIGITALOCEAN_TOKEN": TOKEN},
                  {"DIGITALOCEAN_TOKEN_FILE": str(secret)},
                  {"DIGITALOCEAN_TOKEN_COMMAND": str(show)})
        self.cloud.import_time = 10 ** 9
        for place in places:
            env = {**self.environment(), "DIGITALOCEAN_ACCESS_TOKEN": "", **place}
            self.cloud.requests.clear()
            process = subprocess.Popen(
                [KILN, *self.words("--region", "nyc3", "--debug", "--verbose")], cwd=self.folder,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
            self.wait_for(lambda: any("/v2/images/" in path for _, path in self.cloud.requests))
            arguments = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130, errors)
            self.assertIn("GET " + self.api + "/v2/regions?per_page=200: 200", errors)
            self.assertNotIn(TOKEN, out + errors)
            self.assertNotIn(TOKEN.encode(), arguments)
            self.kiln("publish", "cleanup", "--delete-image")
        for path in (self.folder / "state").rglob("*"):
            if path.is_file():
                self.assertNotIn(TOKEN, path.read_text())


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Uploads to a real S3 service (OpenStack Swift): content, what is sent again after a kill or a fault,
what is left afterwards, and what is said when the service refuses. Environment: KILN_SPACES_PROBE."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import swift_server
from registry_server import Background, FaultHandler, faulty, make_certificate
from swift_server import ACCESS, REGION, SECRET

PROBE = os.environ.get("KILN_SPACES_PROBE", "")
MIB = 1 << 20
BUCKET = "kiln-uploads"
PART = 16 * MIB


def make_file(path, size, seed):
    """Bytes that do not compress; prints the SHA-256."""
    path.write_bytes(random.Random(seed).randbytes(size))
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Requests:
    """What the probe traced: [(method, url, bytes, status)]."""

    def __init__(self, text):
        self.all = [(each[1], each[2], int(each[3]), int(each[4])) for each in re.finditer(
            r"^(GET|HEAD|PUT|POST|DELETE) (\S+) \((\d+) bytes\): (\d+)$", text, re.M)]

    def count(self, method, word=""):
        return sum(each[0] == method and word in each[1] for each in self.all)

    def sent(self):
        """Bytes of objects and parts that arrived."""
        return sum(each[2] for each in self.all if each[0] == "PUT" and each[3] == 200)


class SpacesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-spaces-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.swift = swift_server.Swift(cls.folder / "swift")
        cls.addClassCleanup(cls.swift.stop)
        cls.small = cls.folder / "shop.qcow2"
        cls.large = cls.folder / "shop.qcow2.gz"
        cls.middle = cls.folder / "shop.raw.gz"
        cls.sums = {cls.small: make_file(cls.small, 3 * MIB + 17, 1),
                    cls.middle: make_file(cls.middle, 11 * MIB + 1, 4),
                    cls.large: make_file(cls.large, 80 * MIB + 4711, 2)}
        cls.make_bucket(cls.swift)

    @classmethod
    def make_bucket(cls, swift):
        url = subprocess.run(
            [PROBE, "sign-bucket", f"http://{swift.host}", BUCKET, REGION, "/nonexistent"],
            env=cls.environment(), check=True, capture_output=True, text=True).stdout.strip()
        urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=60)

    @staticmethod
    def environment(**more):
        out = {"PATH": "/usr/bin:/bin", "SPACES_ACCESS_KEY_ID": ACCESS,
               "SPACES_SECRET_ACCESS_KEY": SECRET, **more}
        return {key: value for key, value in out.items() if value is not None}

    def setUp(self):
        self.state = self.folder / f"{self.id()}.json"

    def command(self, command, file=None, host=None, bucket=BUCKET, region=REGION):
        endpoint = host if host and "://" in host else f"http://{host or self.swift.host}"
        words = [PROBE, command, endpoint, bucket, region, self.state]
        return [*words, file] if file else words

    def probe(self, command, file=None, code=0, env=None, **where):
        result = subprocess.run(
            self.command(command, file, **where), env=env or self.environment(),
            capture_output=True, text=True, timeout=300)
        self.assertEqual(result.returncode, code, result.stderr)
        self.no_secret(result.stdout + result.stderr)
        return result.stdout.split(), result.stderr

    def no_secret(self, text):
        self.assertNotIn(SECRET, text)
        self.assertNotIn("Signature=", text)
        self.assertNotIn("AWS4-HMAC", text)

    def saved(self):
        return json.loads(self.state.read_text())

    def move_state_to(self, host):
        """The proxy in front is another endpoint of the same service."""
        state = self.saved()
        state["endpoint"] = f"http://{host}"
        self.state.write_text(json.dumps(state))

    def assert_there(self, file):
        self.move_state_to(self.swift.host)
        out, _ = self.probe("get")
        self.assertEqual(out, [self.sums[file]])

    def assert_nothing_left(self):
        out, _ = self.probe("left")
        self.assertEqual(out, ["0", "0"])  # objects, uploads

    def remove(self):
        self.move_state_to(self.swift.host)
        self.probe("remove")
        self.assert_nothing_left()


class Uploads(SpacesTest):
    def test_a_small_file_in_one_request(self):
        out, log = self.probe("put", self.small)
        requests = Requests(log)
        self.assertEqual(out[1:], ["1", "0", str(self.small.stat().st_size)])
        self.assertEqual([each[0] for each in requests.all], ["PUT"])
        key = urllib.parse.urlparse(out[0]).path
        self.assertRegex(key, rf"^/{BUCKET}/[0-9a-f]{{32}}/shop\.qcow2$")
        self.assert_there(self.small)
        self.remove()
        self.probe("remove")  # what is gone is fine

    def test_a_large_file_in_parts(self):
        out, log = self.probe("put", self.large)
        requests = Requests(log)
        self.assertEqual(out[1:], ["6", "0", str(self.large.stat().st_size)])
        self.assertEqual(requests.count("PUT", "partNumber="), 6)
        self.assertEqual(requests.sent(), self.large.stat().st_size)
        self.assert_there(self.large)
        # Once more, as a resumed publish does: nothing is sent.
        again, log = self.probe("put", self.large)
        self.assertEqual(again, [out[0], "0", "6", "0"])
        self.assertEqual(Requests(log).sent(), 0)
        self.remove()

    def test_two_uploads_have_different_keys(self):
        urls = set()
        for _ in range(2):
            urls.add(self.probe("put", self.small)[0][0])
            self.remove()
            self.state.unlink()
        self.assertEqual(len(urls), 2)

    def test_a_presigned_url(self):
        self.probe("put", self.small)
        url = subprocess.run(self.command("sign"), env=self.environment(), check=True,
                             capture_output=True, text=True).stdout.strip()
        data = urllib.request.urlopen(url, timeout=60).read()
        self.assertEqual(hashlib.sha256(data).hexdigest(), self.sums[self.small])
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url[:-1] + ("0" if url[-1] != "0" else "1"), timeout=60)
        self.assertEqual(refused.exception.code, 403)
        self.remove()

    def test_the_bucket_as_a_host_over_tls(self):
        key, certificate = make_certificate(self.folder, "spaces")
        subprocess.run(
            ["openssl", "req", "-x509", "-key", key, "-days", "2", "-subj", "/CN=spaces", "-addext",
             f"subjectAltName=DNS:{BUCKET}.s3.localhost,DNS:s3.localhost", "-out", certificate],
            check=True, capture_output=True)
        swift = swift_server.Swift(self.folder / "swift-hosts", storage_domain="s3.localhost")
        self.addCleanup(swift.stop)
        proxy = Background(FaultHandler, tls=(key, certificate), upstream=swift.host,
                           fault=staticmethod(lambda _: None), seen=[])
        self.addCleanup(proxy.stop)
        port = proxy.host.rpartition(":")[2]
        self.make_bucket(swift)
        where = {"host": f"https://s3.localhost:{port}",
                 "env": self.environment(SSL_CERT_FILE=str(certificate))}
        out, log = self.probe("put", self.large, **where)
        self.assertRegex(
            out[0],
            rf"^https://{BUCKET}\.s3\.localhost:{port}/[0-9a-f]{{32}}/shop\.qcow2\.gz$")
        self.assertEqual(Requests(log).sent(), self.large.stat().st_size)
        self.assertEqual(self.probe("get", **where)[0], [self.sums[self.large]])
        self.probe("remove", **where)
        self.assertEqual(self.probe("left", **where)[0], ["0", "0"])
        # Without its certificate it is not talked to.
        self.state.unlink()
        _, log = self.probe("put", self.small, code=1, host=where["host"])
        self.assertIn("SSL certificate problem", log)


class Interruptions(SpacesTest):
    def start_slowly(self, proxied):
        return subprocess.Popen(self.command("put", self.large, host=proxied),
                                env=self.environment(), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def broken_off(self, number, parts):
        """The upload gets `parts` parts through, and is ended by signal `number` while others wait."""
        passed, waiting, go_on = [], threading.Event(), threading.Event()
        lock = threading.Lock()

        def fault(handler):
            if handler.command != "PUT":
                return None
            with lock:
                if len(passed) < parts:
                    passed.append(handler.path)
                    return None
            waiting.set()
            go_on.wait(60)
            return "reset"
        with faulty(self.swift.host, fault) as (host, _):
            process = self.start_slowly(host)
            self.assertTrue(waiting.wait(120))
            deadline = time.monotonic() + 60
            while self.parts_there(parts) < parts and time.monotonic() < deadline:
                time.sleep(0.1)
            process.send_signal(number)
            if number == signal.SIGKILL:
                process.wait(30)
            go_on.set()
            _, log = process.communicate(timeout=60)
        self.move_state_to(self.swift.host)
        return process.returncode, log

    def parts_there(self, _):
        """Asked of Swift itself."""
        state = self.state.with_suffix(".look")
        data = self.saved()
        data["endpoint"] = f"http://{self.swift.host}"
        state.write_text(json.dumps(data))
        words = self.command("parts")
        words[5] = state
        return int(subprocess.run(words, env=self.environment(), check=True, capture_output=True,
                                  text=True).stdout)

    def test_a_killed_upload_goes_on(self):
        code, _ = self.broken_off(signal.SIGKILL, 3)
        self.assertEqual(code, -signal.SIGKILL)
        out, log = self.probe("put", self.large)
        requests = Requests(log)
        size = self.large.stat().st_size
        self.assertEqual(out[1:3], ["3", "3"])
        self.assertEqual(requests.count("POST", "uploads="), 0)
        # The three that arrived are not sent again: all but 3 x 16 MiB, or but two and the short one.
        self.assertIn(size - requests.sent(), [3 * PART, 2 * PART + size % PART])
        self.assertEqual(int(out[3]), requests.sent())
        self.assert_there(self.large)
        self.remove()

    def test_an_interrupted_upload_is_removed(self):
        code, log = self.broken_off(signal.SIGINT, 2)
        self.assertEqual(code, 130, log)
        self.remove()

    def test_a_killed_upload_is_removed(self):
        self.broken_off(signal.SIGKILL, 1)
        self.remove()

    def test_another_file_does_not_go_on(self):
        self.broken_off(signal.SIGKILL, 1)
        other = self.folder / "other" / self.large.name
        other.parent.mkdir()
        make_file(other, self.large.stat().st_size, 3)
        _, log = self.probe("put", other, code=1)
        self.assertIn(f"error: the upload is of another file than '{other}'", log)
        self.remove()


class Faults(SpacesTest):
    def in_small_parts(self, host):
        """A state that was saved before anything was sent: three parts instead of six large ones."""
        size = self.middle.stat().st_size
        self.state.write_text(json.dumps(
            {"endpoint": f"http://{host}", "region": REGION, "bucket": BUCKET,
             "object": {"key": f"{os.urandom(16).hex()}/{self.middle.name}", "size": size,
                        "sha256": self.sums[self.middle], "part_size": 5 * MIB, "upload": ""}}))
        return self.middle

    def test_each_request_fails_once(self):
        for what in (500, 504, "reset", "lost"):
            number = 0
            while True:
                lock, count = threading.Lock(), [0]

                def fault(_):
                    with lock:
                        count[0] += 1
                        return what if count[0] == number + 1 else None
                with faulty(self.swift.host, fault) as (host, seen):
                    with self.subTest(what=what, number=number):
                        # The whole way only for the hardest: it takes a while.
                        file = self.large if what == "lost" else self.in_small_parts(host)
                        self.probe("put", file, host=host)
                        self.assert_there(file)
                        self.remove()
                        self.state.unlink()
                number += 1
                if number >= len(seen):
                    break
            self.assertGreaterEqual(number, 8)

    def test_slow_down(self):
        body = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>slower</Message></Error>"
        lock, count = threading.Lock(), [0]

        def fault(handler):
            with lock:
                count[0] += 1
                if count[0] > 5:
                    return None
            handler.answer(503, [("Content-Type", "application/xml")], body)
            return "answered"
        with faulty(self.swift.host, fault) as (host, seen):
            self.probe("put", self.large, host=host)
            self.assertGreater(len(seen), 12)
        self.assert_there(self.large)
        self.remove()

    def test_a_completion_that_fails_with_status_200(self):
        body = b"  <?xml version='1.0'?><Error><Code>InternalError</Code><Message>x</Message></Error>"
        failed = []

        def fault(handler):
            if handler.command == "POST" and "uploadId" in handler.path and not failed:
                failed.append(1)
                handler.answer(200, [("Content-Type", "application/xml")], body)
                return "answered"
            return None
        with faulty(self.swift.host, fault) as (host, _):
            self.probe("put", self.large, host=host)
        self.assertEqual(failed, [1])
        self.assert_there(self.large)
        self.remove()

    def test_a_service_that_is_gone(self):
        with faulty(self.swift.host, lambda handler: 504 if handler.command == "PUT" else None) as (
                host, _):
            _, log = self.probe("put", self.large, host=host, code=5)
        self.assertRegex(
            log, r"error: cannot upload part \d of '\w+/shop\.qcow2\.gz' at '[\d.:]+': status 504 "
                 r"with an HTML page, not an answer of S3")
        self.remove()

    def test_a_part_that_changes_on_its_way(self):
        """The service finds out by the digest that is signed."""
        class Changing(FaultHandler):
            def handle_any(self):
                if self.command == "PUT":
                    self.rfile = Flipped(self.rfile)
                super().handle_any()
            do_PUT = handle_any

        class Flipped:
            def __init__(self, below):
                self.below = below

            def read(self, size):
                data = bytearray(self.below.read(size))
                if data:
                    data[len(data) // 2] ^= 1
                return bytes(data)

            def __getattr__(self, name):
                return getattr(self.below, name)
        proxy = Background(Changing, upstream=self.swift.host, fault=staticmethod(lambda _: None),
                           seen=[])
        self.addCleanup(proxy.stop)
        _, log = self.probe("put", self.small, host=proxy.host, code=5)
        self.assertRegex(log, r"error: cannot upload '\w+/shop\.qcow2' at '[\d.:]+': status 400, "
                              r"(BadDigest|XAmzContentSHA256Mismatch): ")
        self.remove()


class Refusals(SpacesTest):
    def test_a_wrong_secret(self):
        _, log = self.probe("check", self.small, code=5,
                            env=self.environment(SPACES_SECRET_ACCESS_KEY="wrong"))
        self.assertIn(f"error: cannot use bucket '{BUCKET}' at '{self.swift.host}': status 403, "
                      "SignatureDoesNotMatch: ", log)
        self.assertIn("hint: check the access key and its secret", log)

    def test_a_wrong_key(self):
        _, log = self.probe("check", self.small, code=5,
                            env=self.environment(SPACES_ACCESS_KEY_ID="nobody"))
        self.assertIn("status 403, SignatureDoesNotMatch: ", log)  # S3 has InvalidAccessKeyId for it
        self.assertIn("hint: check the access key and its secret", log)

    def test_a_wrong_region(self):
        _, log = self.probe("check", self.small, code=5, region="ams3")
        self.assertIn("status 400, AuthorizationHeaderMalformed: ", log)
        self.assertIn("hint: check the region", log)

    def test_a_wrong_clock(self):
        for offset, word in ((-3600, "behind"), (3600, "ahead of")):
            _, log = self.probe("check", self.small, code=5,
                                env=self.environment(CLOCK_OFFSET=str(offset)))
            self.assertIn("status 403, RequestTimeTooSkewed: ", log)
            self.assertRegex(
                log, rf"hint: set the clock of this machine: it is (59m\d\ds|1h00m) {word} the service's")

    def test_a_bucket_that_is_missing(self):
        _, log = self.probe("check", self.small, code=5, bucket="nobodys-bucket")
        self.assertIn("error: cannot use bucket 'nobodys-bucket' at", log)
        self.assertIn("status 404, NoSuchBucket: ", log)
        self.assertIn("hint: create the bucket in this region, or name another one", log)
        _, log = self.probe("put", self.large, code=5, bucket="nobodys-bucket")
        self.assertIn("status 404, NoSuchBucket: ", log)

    def test_the_right_ones(self):
        self.probe("check", self.small)

    def test_a_page_of_something_between(self):
        def fault(handler):
            handler.answer(200, [("Content-Type", "text/html")], b"<html><p>log in</html>")
            return "answered"
        with faulty(self.swift.host, fault) as (host, _):
            _, log = self.probe("check", self.small, host=host, code=5)
        self.assertIn("status 200 with an HTML page, not an answer of S3", log)

    def test_no_tls(self):
        _, log = self.probe("check", self.small, host="http://s3.example", code=2)
        self.assertIn("error: the S3 endpoint 'http://s3.example' is not an https: URL", log)


if __name__ == "__main__":
    reason = swift_server.missing()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    with contextlib.suppress(ProcessLookupError):
        unittest.main(verbosity=2)

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`kiln publish registry` and `kiln pull` while requests fail, tokens expire and blobs vanish, and
what is on the wire and in argv. Environment: KILN."""

import base64
import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import unittest

import layouts
import publish_test
from registry_server import BASIC, PASSWORD, USER, faulty

FAULTS = [429, 500, 504, "reset", "lost"]


class WithFaults(publish_test.WithRegistry):
    """The registry has no TLS, and a proxy stands before it."""

    auth, tls = "none", False

    def skopeo_options(self, side):
        return [f"--{side}-tls-verify=false" if side else "--tls-verify=false"]

    def assert_whole(self, name, layout):
        manifest, digest = self.inspect(name)
        index = json.loads((layout / "index.json").read_text())
        self.assertEqual(digest, index["manifests"][0]["digest"])
        for blob in [manifest["config"], *manifest["layers"]]:
            data = self.registry.blob_file(blob["digest"]).read_bytes()
            self.assertEqual(layouts.sha256(data), blob["digest"])

    def once(self, number, what):
        """A fault of the request with that number."""
        lock, count = threading.Lock(), [0]

        def fault(_):
            with lock:
                count[0] += 1
                return what if count[0] == number + 1 else None
        return fault


class EachRequestFailsOnce(WithFaults):
    def check_push(self, what, *words):
        number = 0
        while True:
            repository = f"push-{str(what)}-{len(words)}-{number}"
            layout = layouts.make_layout(
                self.new_folder() / "x.oci", [70_000], f"{what}{words}{number}")
            with faulty(self.registry.host, self.once(number, what)) as (host, seen):
                self.publish(layout, f"{host}/{repository}:1", "--jobs", "1", *words)
                count = len(seen)
            self.assert_whole(f"{repository}:1", layout)
            number += 1
            if number >= count:
                break
        self.assertGreaterEqual(number, 8)

    def check_pull(self, what):
        folder = self.new_folder()
        layout = layouts.make_layout(folder / "x.oci", [70_000], f"pull {what}")
        self.publish(layout, f"{self.registry.host}/pull-{what}:1")
        number = 0
        while True:
            with faulty(self.registry.host, self.once(number, what)) as (host, seen):
                self.kiln("pull", f"{host}/pull-{what}:1", "--out", f"out-{number}", "--jobs", "1",
                          cwd=folder)
                count = len(seen)
            name, = os.listdir(folder / f"out-{number}")
            for blob in (layout / "blobs/sha256").iterdir():
                self.assertEqual(
                    (folder / f"out-{number}" / name / "blobs/sha256" / blob.name).read_bytes(),
                    blob.read_bytes())
            number += 1
            if number >= count:
                break
        self.assertGreaterEqual(number, 4)

    def test_pull_cut(self):
        self.check_pull("cut")


for fault in FAULTS:
    setattr(EachRequestFailsOnce, f"test_push_{fault}",
            lambda self, fault=fault: self.check_push(fault))
    setattr(EachRequestFailsOnce, f"test_pull_{fault}",
            lambda self, fault=fault: self.check_pull(fault))
for fault in (504, "lost"):
    setattr(EachRequestFailsOnce, f"test_push_chunks_{fault}",
            lambda self, fault=fault: self.check_push(fault, "--chunk-size", "64KiB"))


class OtherFaults(WithFaults):
    def test_a_cut_download_is_resumed(self):
        folder = self.new_folder()
        layout = layouts.make_layout(folder / "x.oci", [400_000], "resume")
        self.publish(layout, f"{self.registry.host}/resume:1")
        largest = max((layout / "blobs/sha256").iterdir(), key=lambda each: each.stat().st_size)
        ranges = []

        def fault(handler):
            if not handler.path.endswith(largest.name):
                return None
            ranges.append(handler.headers.get("Range"))
            return "cut" if len(ranges) < 4 else None
        with faulty(self.registry.host, fault) as (host, _):
            self.kiln("pull", f"{host}/resume:1", "--jobs", "1", cwd=folder)
        starts = [int((each or "bytes=0-").removeprefix("bytes=").rstrip("-")) for each in ranges]
        self.assertEqual(len(starts), 4)
        self.assertEqual(starts, sorted(set(starts)))
        self.assertGreater(starts[3], 300_000)

    def test_always_failing_ends_and_leaves_no_tag(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", [1000], "always")
        with faulty(self.registry.host,
                    lambda handler: 504 if handler.command == "PUT" else None) as (host, _):
            result = self.kiln("publish", "registry", layout, f"{host}/always:1", code=5)
        self.assertIn("status 504", result.stderr)
        self.assertNotIn("<html>", result.stderr)
        self.kiln("pull", f"{self.registry.host}/always:1", code=5)

    def test_retry_after_is_waited_for(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", [1000], "later")
        once = self.once(2, 429)

        def fault(handler):
            what = once(handler)
            if what:
                handler.answer(429, [("Retry-After", "3")], b"")
                return "answered"
            return None
        start = time.monotonic()
        with faulty(self.registry.host, fault) as (host, _):
            self.publish(layout, f"{host}/later:1")
        self.assertGreaterEqual(time.monotonic() - start, 3)

    def test_manifest_refused_for_a_blob_that_the_registry_lost(self):
        """The registry's answer to HEAD is 200, and the blob is gone."""
        layout = layouts.make_layout(self.new_folder() / "x.oci", [50_000], "lost blob")
        there = []

        def fault(handler):
            if handler.command == "HEAD" and not there:
                # As if it had all of them: a wrong answer for each blob of the push.
                size = (layout / "blobs/sha256" / handler.path.rpartition(":")[2]).stat().st_size
                handler.answer(200, [], b"", str(size))
                return "answered"
            if handler.command == "POST":
                there.append(1)
            return None
        with faulty(self.registry.host, fault) as (host, seen):
            result = self.kiln("publish", "registry", layout, f"{host}/lost:1")
        self.assertIn("uploading its blobs once more", result.stderr)
        self.assert_whole("lost:1", layout)
        self.assertEqual(
            len([1 for method, path, *_ in seen if (method, path[-12:]) == ("PUT", "/manifests/1")]),
            2)

    def test_too_large_for_one_request(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", [9_000_000], "large")

        def fault(handler):
            return 413 if int(handler.headers.get("Content-Length") or 0) > 8 << 20 else None
        with faulty(self.registry.host, fault) as (host, seen):
            self.publish(layout, f"{host}/large:1")
        self.assert_whole("large:1", layout)
        self.assertEqual(sum(1 for method, *_ in seen if method == "PATCH"), 2)

    def test_a_redirect_gets_no_login(self):
        folder = self.new_folder()
        layout = layouts.make_layout(folder / "x.oci", [1000], "redirect")
        self.publish(layout, f"{self.registry.host}/redirect:1")
        with faulty(self.registry.host, lambda handler: None) as (storage, seen):
            def challenge(handler):
                if not handler.headers.get("Authorization"):
                    handler.answer(401, [("WWW-Authenticate", 'Basic realm="x"')], b"")
                    return "answered"
                if handler.command == "GET" and "/blobs/" in handler.path:
                    handler.answer(307, [("Location", f"http://{storage}{handler.path}")], b"")
                    return "answered"
                return None
            with faulty(self.registry.host, challenge) as (host, _):
                env = self.registry.environment(hosts=[host])
                self.kiln("pull", f"{host}/redirect:1", cwd=folder, env=env)
        self.assertTrue(seen)
        self.assertEqual({authorization for *_, authorization in seen}, {None})

    def test_pull_that_is_killed_leaves_nothing_that_counts(self):
        folder = self.new_folder()
        layout = layouts.make_layout(folder / "x.oci", [400_000], "killed")
        self.publish(layout, f"{self.registry.host}/killed:1")
        process = []

        def fault(handler):
            if "/blobs/" in handler.path and process:
                process[0].kill()
                time.sleep(0.2)
            return None
        with faulty(self.registry.host, fault) as (host, _):
            process.append(subprocess.Popen(
                [publish_test.KILN, "pull", f"{host}/killed:1"], cwd=folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder),
                     "KILN_CACHE": str(self.folder / "cache")},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            self.assertEqual(process[0].wait(timeout=60), -9)
        out = folder / "out/killed"
        self.assertFalse((out / "killed.oci").exists())
        self.kiln("pull", f"{self.registry.host}/killed:1", cwd=folder)
        self.assertEqual(os.listdir(out), ["killed.oci"])


class Tokens(publish_test.WithRegistry):
    """TLS and tokens of five seconds, which clients are told."""

    auth, options = "bearer", {"expires": 5, "stated": 5}

    def test_push_and_pull(self):
        folder = self.new_folder()
        layout = layouts.make_layout(folder / "x.oci", seed="bearer")
        reference = f"{self.registry.host}/a/bearer:1"
        self.registry.tokens.server.RequestHandlerClass.asked.clear()
        report = self.publish(layout, reference)
        asked = self.registry.tokens.server.RequestHandlerClass.asked
        self.assertEqual(asked, [["repository:a/bearer:pull,push"]])  # one token for all of it
        self.assertEqual(self.publish(layout, reference)["bytes_sent"], 0)
        self.kiln("pull", reference, cwd=folder)
        self.assertEqual(self.inspect("a/bearer:1")[1], report["digest"])
        mounted = self.publish(layout, f"{self.registry.host}/a/second:1", "--mount-from", "a/bearer")
        self.assertEqual(mounted["blobs"], {"present": 0, "mounted": 3, "uploaded": 0})

    def test_anonymous(self):
        folder = self.new_folder()
        reference = f"{self.registry.host}/anonymous:1"
        layout = layouts.make_layout(folder / "x.oci", seed="anonymous")
        self.publish(layout, reference)
        env = {"DOCKER_CONFIG": "/nonexistent"}
        self.kiln("pull", reference, cwd=folder, env=env)
        other = layouts.make_layout(folder / "y.oci", seed="anonymous 2")
        result = self.kiln("publish", "registry", other, reference, code=5, env=env)
        self.assertIn("rejected the login: status 401", result.stderr)


class TokensThatEndInTheMiddle(WithFaults):
    """Clients are told that a token holds for five minutes, and it ends after five seconds."""

    auth, options = "bearer", {"expires": 5, "stated": 300}

    def skopeo_options(self, side):
        name = f"--{side}-" if side else "--"
        return [f"{name}tls-verify=false", f"{name}creds", f"{USER}:{PASSWORD}"]

    def test_push(self):
        layout = layouts.make_layout(self.new_folder() / "x.oci", [500_000], "expiry")
        def fault(handler):
            if handler.command == "PATCH":
                time.sleep(1)
            return None
        with faulty(self.registry.host, fault) as (host, seen):
            env = self.registry.environment(hosts=[host])
            asked = self.registry.tokens.server.RequestHandlerClass.asked
            asked.clear()
            self.publish(layout, f"{host}/expiry:1", "--chunk-size", "64KiB", env=env)
            self.assertGreaterEqual(len(asked), 2)
            self.assertGreaterEqual(len({each[3] for each in seen if each[0] == "PATCH"}), 2)
        self.assert_whole("expiry:1", layout)


class Secrets(WithFaults):
    auth = "basic"

    def skopeo_options(self, side):
        name = f"--{side}-" if side else "--"
        return [f"{name}tls-verify=false", f"{name}creds", f"{USER}:{PASSWORD}"]

    def test_nothing_in_argv(self):
        """argv of kiln and of all its children, while a helper and a push are at work."""
        folder = self.new_folder()
        helper = folder / "docker-credential-toy"
        helper.write_text(
            "#!/bin/sh\nsleep 1\ncat > /dev/null\n"
            f"echo '{json.dumps({'Username': USER, 'Secret': PASSWORD})}'\n")
        helper.chmod(0o755)
        layout = layouts.make_layout(folder / "x.oci", seed="argv")
        with faulty(self.registry.host, lambda handler: time.sleep(0.1)) as (host, seen):
            (folder / "config.json").write_text(json.dumps({"credHelpers": {host: "toy"}}))
            env = {"DOCKER_CONFIG": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}
            lines, done = set(), threading.Event()

            def watch():
                while not done.is_set():
                    for each in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                        with contextlib.suppress(OSError):
                            text = each.read_bytes()
                            if str(folder).encode() in text:
                                lines.add(text)
                    time.sleep(0.05)
            thread = threading.Thread(target=watch)
            thread.start()
            try:
                self.publish(layout, f"{host}/argv:1", env=env)
            finally:
                done.set()
                thread.join()
        self.assertTrue(any(b"docker-credential-toy" in line for line in lines), lines)
        for secret in (PASSWORD, BASIC.partition(" ")[2],
                       base64.b64encode(PASSWORD.encode()).decode()):
            self.assertFalse([line for line in lines if secret.encode() in line])
        self.assertIn(BASIC, {each[3] for each in seen})


if __name__ == "__main__":
    for program in ("docker-registry", "skopeo", "openssl"):
        if not shutil.which(program):
            print(f"needs {program}")
            sys.exit(77)
    if not importlib.util.find_spec("cryptography"):  # signs the tokens
        print("needs python3-cryptography")
        sys.exit(77)
    unittest.main(verbosity=2)

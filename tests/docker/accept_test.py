#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`kiln run` and `kiln accept` with a real Docker daemon: a toy image, checks of every outcome, nothing
left behind. The daemon has its own socket, storage and bridge; exit status 77: it cannot be had here."""

import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import urllib.request
import xml.etree.ElementTree as tree

KILN = os.environ["KILN"]
BRIDGE = "kilntest0"
BUSYBOX = "/bin/busybox"
APPLETS = ["cat", "echo", "httpd", "sh", "sleep", "sync", "test", "touch"]
START = """\
#!/bin/sh
trap 'echo asked to end; exit 0' TERM
echo "started with $GREETING"
echo "$GREETING" >/www/greeting
httpd -p 80 -h /www
while :; do sleep 1 & wait; done
"""
SUITE = """\
kiln: 1
suite: toy
variables: {greeting: hello}
ports: {http: 80}
ready: {port: http, path: /greeting, within: 60s}
container:
  volume: /data
  environment: {GREETING: "${greeting} world"}
  stop: 20s
source: inside cat /etc/source
login: echo "no login, say $GREETING"
setup:
  - {setup: written, run: "inside sh -c 'echo kept >/data/file && touch /in-the-root'"}
  - {setup: broken, run: "echo it breaks; exit 9"}
checks:
  - check: page
    title: the page is served on 127.0.0.1
    run: test "$(curl -sf "http://$HOST:$PORT_HTTP/greeting")" = "hello world"
  - check: words
    title: words reach the inside whole
    run: |
      test "$(inside echo "two  words" "it's")" = "two  words it's"
      test "$(echo in | inside cat)" = in
      status=0; inside sh -c 'exit 5' || status=$?
      test "$status" = 5
  - check: bad
    title: this one fails
    run: |
      echo "what it said"
      exit 3
  - check: elsewhere
    title: this one looks and does not apply
    run: |
      echo "nothing to see"
      exit 77
  - {check: slow, title: this one takes too long, timeout: 2s, run: sleep 1000}
  - {check: needs, title: this one needs what breaks, after: [broken], run: "true"}
  - {check: vm, title: this one is for machines, only: [vm], run: "true"}
  - {check: real, title: this one is for another source, source: [real], run: "true"}
  - {check: toy, title: this one is for this source, source: [toy], run: test "$SOURCE" = toy}
  - check: restart
    title: root and data outlive a restart
    after: [written]
    run: |
      instance restart
      inside test -e /in-the-root
      test "$(inside cat /data/file)" = kept
      instance log | grep 'asked to end'
  - check: power
    title: it comes back after a power cut, on the same port
    run: |
      instance kill
      if curl -sf "http://$HOST:$PORT_HTTP/greeting"; then exit 1; fi
      instance start
      instance ready
      curl -sf "http://$HOST:$PORT_HTTP/greeting"
  - check: renew
    title: the data outlives the root
    after: [written]
    run: |
      instance renew "$IMAGE"
      if inside test -e /in-the-root; then exit 1; fi
      test "$(inside cat /data/file)" = kept
"""
OUTCOMES = {
    "page": "passed", "words": "passed", "bad": "failed", "elsewhere": "skipped", "slow": "failed",
    "needs": "failed", "vm": "skipped", "real": "skipped", "toy": "passed", "restart": "passed",
    "power": "passed", "renew": "passed",
}


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


class Daemon:
    """dockerd on a bridge of its own; nothing of the host's is touched."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-docker-"))
        self.env = {
            **os.environ, "DOCKER_HOST": f"unix://{self.folder}/d.sock",
            "DOCKER_CONFIG": f"{self.folder}/config", "TMPDIR": str(self.folder / "tmp")}
        (self.folder / "tmp").mkdir()
        self.process = None

    def start(self):
        made = subprocess.run(
            ["ip", "link", "add", BRIDGE, "type", "bridge"], capture_output=True, text=True)
        if made.returncode != 0:
            self.end()
            skip(f"no network bridge can be made here: {made.stderr.strip()}")
        for command in (["address", "add", "10.213.71.1/24", "dev", BRIDGE], ["link", "set", BRIDGE, "up"]):
            subprocess.run(["ip", *command], check=True)
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["dockerd", "--data-root", self.folder / "root", "--exec-root", self.folder / "exec",
                 "-H", self.env["DOCKER_HOST"], "--pidfile", self.folder / "d.pid",
                 f"--bridge={BRIDGE}", "--iptables=false", "--ip6tables=false", "--ip-forward=false",
                 "--ip-masq=false"],
                stdout=log, stderr=log)
        for _ in range(300):
            if self("version", check=False).returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        log = (self.folder / "log").read_text()[-2000:]
        self.end()
        skip(f"dockerd does not start here:\n{log}")

    def __call__(self, *args, check=True, **options):
        return subprocess.run(
            ["docker", *args], env=self.env, check=check, capture_output=True, timeout=120, **options)

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        subprocess.run(["ip", "link", "del", BRIDGE], capture_output=True)
        lines = pathlib.Path("/proc/self/mounts").read_text().splitlines()
        mounts = [line.split()[1] for line in lines if f"{self.folder}/" in line]
        for mount in sorted(mounts, reverse=True):
            subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def toy_root():
    """A root file system of one program, as a tar."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for folder in ("bin", "data", "dev", "etc", "proc", "sys", "tmp", "www"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        tar.add(BUSYBOX, "bin/busybox")
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
        for name, text, mode in (("start", START, 0o755), ("etc/source", "toy\n", 0o644)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), mode
            tar.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


class Accept(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.addClassCleanup(cls.daemon.end)
        cls.daemon.start()
        cls.image = cls.daemon.folder / "toy.docker.tar"
        cls.daemon(
            "import", "-c", 'CMD ["/start"]', "-c", "EXPOSE 80", "-c", "VOLUME /data", "-", "toy:latest",
            input=toy_root())
        cls.daemon("save", "-o", cls.image, "toy:latest")
        cls.suite = cls.daemon.folder / "toy.yaml"
        cls.suite.write_text(SUITE)

    def tearDown(self):
        self.assertEqual(self.daemon("ps", "-aq").stdout, b"", "a container is left")
        volumes = self.daemon("volume", "ls", "-q", "--filter", "label=kiln.instance").stdout
        self.assertEqual(volumes, b"", "a volume is left")
        self.assertEqual(os.listdir(self.daemon.env["TMPDIR"]), [], "temporary files are left")

    def kiln(self, *args, **options):
        return subprocess.run(
            [KILN, *map(str, args)], env=self.daemon.env, cwd=self.daemon.folder, capture_output=True,
            text=True, timeout=240, **options)

    def begin(self, *args):
        """Starts kiln and leaves it running; its messages go to a file."""
        errors = open(self.daemon.folder / "messages", "w+", encoding="utf-8")
        self.addCleanup(errors.close)
        process = subprocess.Popen(
            [KILN, *map(str, args)], env=self.daemon.env, cwd=self.daemon.folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        self.addCleanup(process.stdout.close)
        return process

    def wait_for_message(self, text):
        for _ in range(600):
            if text in (self.daemon.folder / "messages").read_text():
                return
            time.sleep(0.1)
        self.fail((self.daemon.folder / "messages").read_text())

    def test_judges_every_check(self):
        junit = self.daemon.folder / "junit.xml"
        done = self.kiln("accept", self.image, "--suite", self.suite, "--json", "--junit", junit)
        self.assertEqual(done.returncode, 1, done.stderr)
        report = json.loads(done.stdout)
        found = {check["check"]: check["outcome"] for check in report["checks"]}
        self.assertEqual(found, OUTCOMES, json.dumps(report, indent=1))
        messages = {check["check"]: check["message"] for check in report["checks"]}
        self.assertEqual(messages["bad"], "exit code 3")
        self.assertEqual(messages["elsewhere"], "nothing to see")
        self.assertEqual(messages["slow"], "timed out after 2.0s")
        self.assertEqual(messages["needs"], "setup 'broken' failed: exit code 9")
        self.assertEqual(messages["vm"], "only for vm")
        self.assertEqual(messages["real"], "only for source real, not 'toy'")
        self.assertIn("6 passed, 3 failed, 3 skipped", done.stderr)
        totals = tree.parse(junit).getroot().find("testsuite").attrib
        self.assertEqual((totals["tests"], totals["failures"], totals["skipped"]), ("12", "3", "3"))

    def test_writes_tap_as_it_goes(self):
        done = self.kiln(
            "accept", self.image, "--suite", self.suite, "--check", "bad", "--check", "page")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            re.sub(r"seconds: [0-9.]+", "seconds: N", done.stdout),
            "TAP version 14\n1..2\n"
            "ok 1 - page: the page is served on 127.0.0.1\n"
            "not ok 2 - bad: this one fails\n"
            "  ---\n  message: 'exit code 3'\n  seconds: N\n  output: |2\n    what it said\n  ...\n")

    def test_says_why_an_instance_is_not_ready(self):
        suite = self.daemon.folder / "never.yaml"
        suite.write_text(SUITE.replace("/greeting, within: 60s", "/nowhere, within: 2s"))
        done = self.kiln("accept", self.image, "--suite", suite)
        self.assertEqual(done.returncode, 1)
        self.assertIn("\nBail out! the container was not ready within 2.0s", done.stdout)
        self.assertIn("started with hello world", done.stderr)
        self.assertIn("last status: 404", done.stderr)

    def test_says_why_a_container_ended(self):
        suite = self.daemon.folder / "ends.yaml"
        suite.write_text(
            "kiln: 1\nsuite: ends\ncontainer: {command: [sh, -c, 'echo it is over; exit 1']}\n"
            "ready: {run: 'false'}\nchecks: [{check: 1, title: x, run: 'true'}]\n")
        done = self.kiln("accept", self.image, "--suite", suite)
        self.assertEqual(done.returncode, 1)
        self.assertIn("error: the container exited before it was ready\n  it is over", done.stderr)

    def test_cleans_up_when_interrupted(self):
        suite = self.daemon.folder / "long.yaml"
        suite.write_text(SUITE.replace("timeout: 2s, run: sleep 1000", "timeout: 1h, run: sleep 1000"))
        process = self.begin("accept", self.image, "--suite", suite, "--check", "slow")
        self.wait_for_message("check slow ...")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 130)

    def test_runs_until_it_is_interrupted(self):
        process = self.begin("run", self.image, "--suite", self.suite)
        address = process.stdout.readline().split()
        self.assertEqual(address[0], "http")
        with urllib.request.urlopen(address[1], timeout=10) as answer:
            self.assertEqual(answer.read(), b"hello world\n")
        self.assertEqual(process.stdout.readline(), "no login, say hello\n")
        self.wait_for_message("Ctrl-C")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 0)

    def test_runs_without_a_suite(self):
        process = self.begin("run", self.image, "--json", "--port", "80=41980")
        self.wait_for_message("Ctrl-C")
        process.send_signal(signal.SIGINT)
        out = process.stdout.read()
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(json.loads(out)["ports"][0]["address"], "http://127.0.0.1:41980")
        self.assertIn("therefore no readiness check", (self.daemon.folder / "messages").read_text())

    def test_detaches_and_keeps_data(self):
        args = ("--suite", self.suite, "--data", "toy-data", "--json")
        done = self.kiln("run", self.image, *args, "--detach")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.addCleanup(self.daemon, "volume", "rm", "-f", "toy-data")
        name = json.loads(done.stdout)["name"]
        try:
            self.assertIn(f"rm -f -v {name}", done.stderr)
            self.daemon("exec", name, "sh", "-c", "echo mine >/data/mine")
        finally:
            self.daemon("rm", "-f", name)
        suite = self.daemon.folder / "again.yaml"
        suite.write_text(
            SUITE[:SUITE.index("checks:")] +
            "checks: [{check: data, title: it is there, run: 'inside test -s /data/mine'}]\n")
        again = self.kiln("accept", self.image, "--suite", suite, "--data", "toy-data")
        self.assertEqual(again.returncode, 0, again.stdout + again.stderr)


if __name__ == "__main__":
    if os.geteuid() != 0:
        skip("a private Docker daemon needs root")
    for program in ("docker", "dockerd", "runc", "ip", "curl", BUSYBOX):
        if shutil.which(program) is None:
            skip(f"needs {program}")
    unittest.main(verbosity=2)

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`kiln droplet create`, `list`, `show` and `destroy` with the real program against a fake of
DigitalOcean's API on loopback, whose droplet is this host: an ssh banner and a site on ports of the
test's. Environment: KILN."""

import http.server
import json
import os
import pathlib
import signal
import socketserver
import subprocess
import tempfile
import threading
import time
import unittest

from fake_digitalocean import TOKEN
from fake_droplets import DropletCloud, FakeDroplets

KILN = os.environ["KILN"]
SECRETS = {"admin_password": "planted-password-1", "mail_password": "planted-password-2"}
ANSWERS = """pause:
  hostname: www.example.org
  mail: relay
  mail_host: mail.example.org
  mail_user: me
  mail_password: planted-password-2
  mail_admin: a@example.org
  mail_upload: a@example.org
  mail_testers: a@example.org
  mail_reply: a@example.org
  mail_p5p: a@example.org
  mail_cron: a@example.org
"""


class Banner(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"SSH-2.0-Test\r\n")


class Site(http.server.BaseHTTPRequestHandler):
    answers = []  # statuses, the last one for good

    def do_GET(self):
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.send_response(status if self.path == "/status" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class WithDroplets(unittest.TestCase):
    def serve(self, server):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1]

    def setUp(self):
        top = tempfile.TemporaryDirectory(prefix="kiln-droplet")
        self.addCleanup(top.cleanup)
        self.folder = pathlib.Path(top.name)
        self.cloud = DropletCloud()
        self.fake = FakeDroplets(self.cloud)
        self.addCleanup(self.fake.stop)
        self.api = self.fake.url
        self.ssh = self.serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Banner))
        self.site = type("Site", (Site,), {"answers": [200]})
        port = self.serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.site))
        self.url = f"http://127.0.0.1:{port}/status"
        (self.folder / "answers.yaml").write_text(ANSWERS)
        (self.folder / "password").write_text(SECRETS["admin_password"] + "\n")

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder),
                "KILN_CACHE": str(self.folder / "cache"), "KILN_STATE": str(self.folder / "state"),
                "DIGITALOCEAN_ACCESS_TOKEN": TOKEN}

    def require_no_secret(self, text):
        for secret in (TOKEN, *SECRETS.values()):
            self.assertNotIn(secret, text)

    def kiln(self, *words, code=0, **options):
        result = subprocess.run(
            [KILN, *map(str, words), "--api-url", self.api], cwd=self.folder, capture_output=True,
            text=True, timeout=600, env=self.environment(),
            **{"stdin": subprocess.DEVNULL, **options})
        self.assertEqual(result.returncode, code, f"{words}\n{result.stdout}{result.stderr}")
        self.require_no_secret(result.stdout + result.stderr)
        return result

    def words(self, *more, name="www.example.org"):
        return ["droplet", "create", name, "--image", "pause", "--region", "nyc3", "--size",
                "s-1vcpu-2gb", "--ssh-key", "laptop", "--ssh-port", str(self.ssh), *more]

    def whole(self, *more):
        return self.words(
            "--volume", "pause-data:50", "--domain", "www.example.org", "--project", "shop",
            "--tag", "prod", "--answers", "answers.yaml", "--answer", "admin_password=password",
            "--wait-for", self.url, *more)

    def create(self, *more, **options):
        return json.loads(self.kiln(*self.whole("--json", *more), **options).stdout)

    def state(self):
        return [path for path in (self.folder / "state").rglob("*.json")]

    def require_whole(self):
        self.assertEqual(len(self.cloud.droplets), 1)
        self.assertEqual(len(self.cloud.volumes), 1)
        [droplet] = self.cloud.droplets.values()
        [volume] = self.cloud.volumes.values()
        self.assertEqual(volume["droplets"], [droplet["id"]])
        self.assertEqual(self.cloud.addresses("www"), ["127.0.0.1"])
        self.assertIn(f"do:droplet:{droplet['id']}", self.cloud.assigned)
        self.assertEqual(self.state(), [])
        return droplet

    def writes(self):
        return [line for line in self.cloud.requests if line[0] != "GET"]


class Droplets(WithDroplets):
    def test_create_list_show_destroy(self):
        self.cloud.add_record("A", "www", "198.51.100.1")
        self.cloud.add_record("A", "www", "198.51.100.2")
        other = self.cloud.add_record("A", "mail", "198.51.100.1")
        self.site.answers = [502, 200]
        report = self.create()
        droplet = self.require_whole()
        request = droplet["request"]
        self.assertEqual(report["id"], droplet["id"])
        self.assertEqual(report["address"], "127.0.0.1")
        self.assertEqual(report["url"], self.url)
        self.assertTrue(report["finished"])
        self.assertEqual(request["ssh_keys"], [11])
        self.assertEqual(request["image"], self.cloud.image["id"])
        self.assertEqual(request["tags"][0], "kiln")
        self.assertRegex(request["tags"][1], "^kiln-droplet-[0-9a-f]{16}$")
        self.assertEqual(request["tags"][2:], ["prod"])
        self.assertTrue(request["user_data"].startswith("#cloud-config\npause:\n"))
        for secret in SECRETS.values():
            self.assertIn(secret, request["user_data"])

        again = self.kiln(*self.words(), code=2)
        self.assertIn("a droplet of that name exists: ", again.stderr)
        listed = json.loads(self.kiln("droplet", "list", "--json").stdout)
        self.assertEqual([each["id"] for each in listed], [droplet["id"]])
        self.assertEqual(self.kiln("droplet", "list", "--tag", "other").stdout, "")
        shown = self.kiln("droplet", "show", "www.example.org").stdout
        self.assertRegex(shown, r"(?m)^address +127\.0\.0\.1$")

        refused = self.kiln("droplet", "destroy", "www.example.org", code=2)
        self.assertIn("delete record A www.example.org 127.0.0.1\n", refused.stderr)
        self.assertIn("--yes answers it", refused.stderr)
        self.require_whole()
        result = self.kiln("droplet", "destroy", "www.example.org", "--yes")
        self.assertEqual(result.stdout, f"{droplet['id']} destroyed\n")
        self.assertIn("volume 'pause-data' was kept", result.stderr)
        self.assertEqual(self.cloud.droplets, {})
        self.assertEqual(self.cloud.addresses("www"), [])
        self.assertIn(other, self.cloud.records)
        self.assertEqual(len(self.cloud.volumes), 1)

        self.create()
        self.require_whole()
        self.kiln("droplet", "destroy", "www.example.org", "--with-volumes", "--yes")
        self.assertEqual((self.cloud.droplets, self.cloud.volumes), ({}, {}))

    def test_all_pages(self):
        for name in ("a", "b", "c", "d", "e"):
            self.kiln(*self.words("--no-wait", name=name))
        listed = json.loads(self.kiln("droplet", "list", "--json").stdout)
        self.assertEqual([each["name"] for each in listed], ["a", "b", "c", "d", "e"])

    def test_a_dry_run_changes_nothing_and_shows_no_secret(self):
        result = self.kiln(*self.whole("--dry-run", "--verbose"))
        self.assertEqual(self.writes(), [])
        self.assertEqual(self.state(), [])
        for line in (r"POST \S+/v2/volumes .* -> not sent", r"POST \S+/v2/droplets .* -> not sent",
                     r"POST \S+/v2/domains/example.org/records .* -> not sent"):
            self.assertRegex(result.stdout, line)
        self.assertNotIn("actions", result.stdout)
        self.assertIn("would create and attach volume 'pause-data' (50 GB)\n", result.stderr)
        droplet = self.create()
        count = len(self.writes())
        shown = self.kiln("droplet", "destroy", droplet["id"], "--with-volumes", "--dry-run").stdout
        self.assertRegex(shown, rf"DELETE \S+/v2/droplets/{droplet['id']} -> not sent")
        self.assertEqual(len(self.writes()), count)

    def test_answers_are_checked_before_anything_is_asked(self):
        (self.folder / "answers.yaml").write_text("pause:\n  hostnam: x.example.org\n")
        (self.folder / "password").write_text(SECRETS["admin_password"] * 9)
        result = self.kiln(*self.whole(), code=3)
        self.assertIn("answers.yaml:2:3: unknown key 'hostnam' (did you mean 'hostname'?)",
                      result.stderr)
        self.assertIn("password: admin_password ", result.stderr)
        self.assertEqual(self.cloud.requests, [])

    def test_a_secret_from_standard_input(self):
        self.kiln(*self.words("--answer", "admin_password=-", "--wait-for", self.url),
                  stdin=None, input=SECRETS["admin_password"])
        [droplet] = self.cloud.droplets.values()
        self.assertEqual(droplet["request"]["user_data"],
                         '#cloud-config\npause:\n  admin_password: "planted-password-1"\n')

    def test_no_secret_anywhere(self):
        self.site.answers = [502]
        process = subprocess.Popen(
            [KILN, *self.whole("--verbose", "--debug"), "--api-url", self.api], cwd=self.folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment())
        self.wait_for(lambda: self.cloud.addresses("www"))
        self.require_no_secret(pathlib.Path(f"/proc/{process.pid}/cmdline").read_text())
        [journal] = self.state()
        self.require_no_secret(journal.read_text())
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn("'kiln droplet destroy www.example.org' undoes it", errors)
        self.require_no_secret(out + errors)
        self.site.answers = [200]
        self.create()
        self.require_whole()

    def test_killed_and_run_again(self):
        self.cloud.boot_time = 100000
        process = subprocess.Popen(
            [KILN, *self.whole(), "--api-url", self.api], cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment())
        self.wait_for(lambda: self.cloud.droplets)
        other = self.kiln(*self.whole(), code=1)
        self.assertIn("another kiln process is creating the droplet 'www.example.org'", other.stderr)
        process.kill()
        process.wait()
        self.cloud.boot_time = 0
        changed = self.kiln(*[each.replace("s-1vcpu-2gb", "s-2vcpu-4gb") for each in self.whole()],
                            code=2)
        self.assertIn("an unfinished create of 'www.example.org' asked for the size 's-1vcpu-2gb'",
                      changed.stderr)
        self.create()
        self.require_whole()

    def test_killed_and_undone(self):
        self.cloud.fail_once("POST /v2/droplets", "500")
        self.cloud.boot_time = 100000
        process = subprocess.Popen(
            [KILN, *self.whole(), "--api-url", self.api], cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment())
        self.wait_for(lambda: self.cloud.volumes and not self.cloud.faults)
        process.kill()
        process.wait()
        self.kiln("droplet", "destroy", "www.example.org", "--yes")
        self.assertEqual(self.cloud.droplets, {})
        self.assertEqual(self.cloud.volumes, {})
        self.assertEqual(self.state(), [])

    def wait_for(self, condition):
        for _ in range(1200):
            if condition():
                return
            time.sleep(0.05)
        self.fail("it did not happen")


class Faults(WithDroplets):
    REQUESTS = ("GET /v2/regions", "GET /v2/images", "GET /v2/sizes", "GET /v2/account/keys",
                "GET /v2/projects", "GET /v2/domains$", "GET /v2/volumes", "POST /v2/volumes$",
                "GET /v2/droplets$", "POST /v2/droplets$", r"GET /v2/droplets/\d+$",
                "GET /v2/domains/example.org/records", "POST /v2/domains/example.org/records",
                "POST /v2/projects/")

    # Two stand for all, as in digitalocean_faults_test.py.
    FAULTS = ("504", "lost") + (("429", "reset") if os.environ.get("KILN_ALL") else ())

    def test_every_request_failing_once(self):
        for fault in self.FAULTS:
            with self.subTest(fault=fault):
                for pattern in self.REQUESTS:
                    self.cloud.fail_once(pattern, fault)
                self.create()
                self.assertEqual(self.cloud.faults, [])
                self.require_whole()
                for pattern in ("DELETE /v2/domains/", "DELETE /v2/droplets/", "DELETE /v2/volumes/"):
                    self.cloud.fail_once(pattern, fault)
                self.kiln("droplet", "destroy", "www.example.org", "--with-volumes", "--yes")
                self.assertEqual(self.cloud.faults, [])
                self.assertEqual((self.cloud.droplets, self.cloud.volumes), ({}, {}))
                self.assertEqual(self.cloud.addresses("www"), [])


class Documentation(WithDroplets):
    """The section on droplets of docs/publish.md, command by command."""

    def test_its_commands(self):
        page = (pathlib.Path(__file__).parents[2] / "docs/publish.md").read_text()
        section = page.partition("\n## Droplets\n")[2]
        blocks = "".join(section.split("```")[1::2])
        commands = [line.split() for line in blocks.splitlines() if line.startswith("kiln ")]
        self.assertEqual(len(commands), 6)
        for _, *words in commands:
            if words[1] == "create":
                words += ["--ssh-port", self.ssh, "--wait-for", self.url]
            self.kiln(*words)
        [droplet] = self.cloud.droplets.values()
        self.assertEqual(droplet["request"]["name"], "pause.example.org")
        self.assertEqual([each["droplets"] for each in self.cloud.volumes.values()],
                         [[droplet["id"]]])


if __name__ == "__main__":
    unittest.main(verbosity=2)

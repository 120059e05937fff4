# SPDX-License-Identifier: MIT
"""PAUSE's container, run by a real Docker daemon: what the acceptance suite cannot see from one run.
Certificates from a real ACME server, two copies, read-only roots, moving house."""

import base64
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

import acme_server
import docker_daemon
import world

UNVERIFIED = ssl._create_unverified_context()  # certificates of one's own, on loopback
PASSWORD = "only-for-this-test-93"
SECRETS = ("find /data/state/private /data/state/tls /data/state/gnupg -type f "
           "\\( -name '*.pm' -o -name '*.pem' -o -name '*.key' \\) -exec sha256sum {} +")


def setUpModule():
    setUpModule.context = docker_daemon.running()
    global daemon
    daemon = setUpModule.context.__enter__()
    daemon.docker("load", "-i", world.WORK / "pause/pause.docker.tar")


def tearDownModule():
    setUpModule.context.__exit__(None, None, None)


class Pause:
    """One container that was just started."""

    def __init__(self, name):
        self.name = name
        self.started = time.monotonic()

    @classmethod
    def run(cls, name, *options, **answers):
        env = [f"--env=PAUSE_{key.upper()}={value}" for key, value in answers.items()]
        pause = cls(name)
        daemon.docker("run", "-d", "--name", name, "-p", "127.0.0.1::443", *env, *options, "pause:latest")
        return pause

    @property
    def port(self):
        return daemon.docker("port", self.name, "443").stdout.split(":")[-1].strip()

    def get(self, path, login=None):
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}")
        if login:
            request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
        try:
            return urllib.request.urlopen(request, context=UNVERIFIED, timeout=10).status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def ready(self, seconds=60):
        while self.get("/status") != 200:
            if time.monotonic() - self.started > seconds:
                raise AssertionError(f"{self.name} does not answer:\n{self.log()[-3000:]}")
            time.sleep(0.2)
        return time.monotonic() - self.started

    def settle(self):
        """Until it is healthy: services that were just started may still wait for each other."""
        self.inside("timeout", "90", "sh", "-c", "until pause-health; do sleep 1; done")

    def log(self):
        done = daemon.docker("logs", self.name)
        return done.stdout + done.stderr

    def inside(self, *command, check=True):
        return daemon.docker("exec", self.name, *command, check=check)

    def sql(self, statement):
        return self.inside("mariadb", "-N", "-B", "-e", statement).stdout.strip()

    def issuer(self):
        pem = ssl.get_server_certificate(("127.0.0.1", int(self.port)))
        return subprocess.run(["openssl", "x509", "-noout", "-issuer", "-serial"], input=pem,
                              capture_output=True, text=True, check=True).stdout

    def issuer_after(self, serial):
        """The certificate once it is another one: nginx takes it up a moment after it was told to."""
        for _ in range(150):
            if self.issuer() != serial:
                break
            time.sleep(0.2)
        return self.issuer()

    def remove(self):
        daemon.docker("rm", "-fv", self.name, check=False)


class Relay(Controller):
    """A mail server that takes mail only after STARTTLS and a login."""

    def __init__(self, address, folder):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.mails = []
        super().__init__(self, hostname=address, port=2587)

    def factory(self):
        return SMTP(self, tls_context=self.context, require_starttls=True, auth_required=True,
                    authenticator=self.check)

    def check(self, server, session, envelope, mechanism, login):
        return AuthResult(success=(login.login, login.password) == (b"pause", b"relay-password"))

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(envelope)
        return "250 taken"

    def wait_for(self, text, seconds=60):
        for _ in range(seconds * 5):
            for mail in self.mails:
                if text in mail.content:
                    return mail
            time.sleep(0.2)
        raise AssertionError(f"no mail with {text}: {[mail.content for mail in self.mails]}")


class Container(unittest.TestCase):
    def start(self, name, *options, **answers):
        pause = Pause.run(name, *options, **{"admin_password": PASSWORD, **answers})
        self.addCleanup(pause.remove)
        print(f"{name} answers after {pause.ready():.1f} s")
        return pause

    def volume(self, name):
        daemon.docker("volume", "create", name)
        self.addCleanup(daemon.docker, "volume", "rm", "-f", name, check=False)
        return f"{name}:/data"

    def test_read_only_root(self):
        pause = self.start("read-only", "--read-only", "--tmpfs", "/run", "--tmpfs", "/tmp")
        self.assertEqual(pause.get("/pause/authenquery", f"ADMIN:{PASSWORD}"), 200)
        pause.settle()
        # Debian's daily jobs find nothing to complain about, and logs are rotated.
        pause.inside("sh", "-c", "echo old >> /data/home/log/paused.log")
        pause.inside("run-parts", "--exit-on-error", "/etc/cron.daily")
        pause.inside("logrotate", "--force", "--state", "/data/state/logrotate", "/etc/logrotate.d/pause")
        pause.inside("test", "-s", "/data/home/log/paused.log.1")

    def test_health_sees_what_keeps_restarting(self):
        pause = self.start("restarting")
        self.assertIn("warning: the answer 'hostname' is not set", pause.log())
        # It begins with the first index.
        pause.inside("sh", "-c", "timeout 60 sh -c 'until pgrep -x cron; do sleep 0.2; done'")
        # One that ends soon after it began.
        pause.inside("sh", "-c", "rm /usr/sbin/cron; printf '#!/bin/sh\\nsleep 2\\n' >/usr/sbin/cron; "
                                 "chmod 755 /usr/sbin/cron")
        pause.inside("pkill", "-KILL", "-x", "cron")
        # It is down for a moment each time; on a busy host that is what is seen mostly.
        said = []
        while len(said) < 6 or ("cron keeps restarting" not in said and len(said) < 60):
            done = pause.inside("pause-health", check=False)
            self.assertEqual(done.returncode, 1, done.stdout)
            said.append(done.stdout.strip())
        self.assertIn("cron keeps restarting", said)
        self.assertLessEqual(set(said), {"cron keeps restarting", "cron is down"})

    def test_health_sees_every_service(self):
        pause = self.start("health")
        for service in ("cron", "mariadb", "nginx", "pause-web", "paused", "rsync", "syslog"):
            pause.settle()
            pause.inside("sv", "-w", "20", "stop", service)
            done = pause.inside("pause-health", check=False)
            self.assertEqual((done.returncode, done.stdout.strip()), (1, f"{service} is down"))
            pause.inside("sv", "-w", "20", "start", service)
        pause.settle()

    def test_health_sees_a_full_volume(self):
        pause = self.start("full", "--tmpfs", "/data:size=640m")
        pause.settle()
        pause.inside("fallocate", "--length", "300MiB", "/data/filler")
        done = pause.inside("pause-health", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, "^the data volume is full: [0-9]+ MiB free, 256 needed$")
        pause.inside("rm", "/data/filler")
        pause.settle()

    def test_two_copies_share_no_secret(self):
        found = [self.start(name).inside("sh", "-c", SECRETS).stdout.split()[::2] for name in ("one", "two")]
        self.assertGreaterEqual(len(found[0]), 4)
        self.assertEqual(set(found[0]) & set(found[1]), set())

    def test_generated_password_is_in_no_log(self):
        pause = Pause.run("generated")
        self.addCleanup(pause.remove)
        pause.ready()
        password = pause.inside("first-run", "admin-password").stdout.strip()
        self.assertGreaterEqual(len(password), 16)
        self.assertEqual(pause.get("/pause/authenquery", f"ADMIN:{password}"), 200)
        self.assertNotIn(password, pause.log())
        pause.sql("UPDATE authen_pause.usertable SET password='$2a$12$changed' WHERE user='ADMIN'")
        done = pause.inside("first-run", "admin-password", check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("the generated one is no longer valid", done.stderr)

    def test_answers_that_are_wrong_stop_it(self):
        pause = Pause.run("wrong", admin_user="lower case")
        self.addCleanup(pause.remove)
        code = daemon.docker("wait", "wrong").stdout.strip()
        self.assertEqual(code, "3", pause.log())
        self.assertIn("PAUSE_ADMIN_USER", pause.log())

    def test_certificate_from_an_acme_server(self):
        gateway = daemon.gateway()
        pause = self.start("acme", "-v", self.volume("acme-data"),
                           hostname="pause.test", certificate="acme", acme_email="admin@pause.test",
                           acme_directory=f"https://{gateway}:14000/dir",
                           acme_ca="/data/state/acme-ca.pem")
        address = pause.inside("hostname", "-i").stdout.split()[0]
        self_signed = pause.issuer()
        self.assertIn("pause.test", self_signed)
        with acme_server.running(gateway, address) as server:
            daemon.docker("cp", server.ca, "acme:/data/state/acme-ca.pem")
            pause.inside("first-run", "acme")
            first = pause.issuer_after(self_signed)
            self.assertIn("Pebble", first)
            # It is good for ten days only: certbot renews what has less than a month left.
            pause.inside("first-run", "acme")
            renewed = pause.issuer_after(first)
            self.assertIn("Pebble", renewed)
            self.assertNotEqual(renewed, first)
            server.stop()
            done = pause.inside("first-run", "acme", check=False)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertEqual(pause.issuer(), renewed)
            self.assertEqual(pause.get("/status"), 200)

    def test_mail_by_a_server_that_wants_a_login(self):
        gateway = daemon.gateway()
        folder = pathlib.Path(tempfile.mkdtemp(dir=world.WORK))
        acme_server.make_certificate(folder, gateway)
        relay = Relay(gateway, folder)
        relay.start()
        self.addCleanup(relay.stop)
        addresses = {f"mail_{who}": f"{who}@pause.test"
                     for who in ("admin", "upload", "testers", "reply", "p5p", "cron")}
        answers = {**addresses, "mail": "smtp", "mail_host": gateway, "mail_port": "2587", "mail_user": "pause",
                   "admin_email": "chief@pause.test"}
        authority = ("-v", f"{folder / 'ca.pem'}:/etc/ssl/certs/ca-certificates.crt:ro",
                     "-e", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt")
        refused = Pause.run("refused", *authority, **answers, mail_password="wrong-password")
        self.addCleanup(refused.remove)
        self.assertEqual(daemon.docker("wait", "refused").stdout.strip(), "1", refused.log())
        self.assertIn(f"the mail server '{gateway}' port 2587 did not accept a test message", refused.log())
        self.assertNotIn("wrong-password", refused.log())
        self.assertEqual(relay.mails, [])

        pause = self.start("mails", *authority, **answers, mail_password="relay-password")
        self.assertEqual(relay.wait_for(b"can send mail").rcpt_tos, ["admin@pause.test"])
        page = pause.inside("curl", "-sk", "-c", "/tmp/jar", "https://localhost/pause/query?ACTION=mailpw").stdout
        token = re.search('name="csrf_token"[^>]*value="([^"]*)"', page)[1]
        pause.inside("curl", "-skf", "-b", "/tmp/jar", "--data-urlencode", f"csrf_token={token}",
                     "-d", "pause99_mailpw_1=ADMIN", "-d", "pause99_mailpw_sub=x",
                     "https://localhost/pause/query?ACTION=mailpw")
        self.assertEqual(relay.wait_for(b"ABRA=").rcpt_tos, ["chief@pause.test"])
        # What jobs of cron's print, though the image has no sendmail.
        pause.inside("runuser", "-u", "pause", "--", "/usr/local/lib/pause/job", "probe", "echo", "some words")
        mail = relay.wait_for(b"some words")
        self.assertEqual(mail.rcpt_tos, ["cron@pause.test"])
        self.assertIn(b": probe", mail.content)

    def test_compose(self):
        def compose(*words):
            command = ["docker-compose", "--project-name", "kiln", "--file", world.WORK / "images/compose.yaml", *words]
            return subprocess.run(command, env=daemon.env, check=True, capture_output=True, text=True, timeout=120)

        for port in (8080, 8443, 8873):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    self.skipTest(f"port {port} of this host, which compose.yaml publishes, is taken")
        compose("up", "--detach")
        self.addCleanup(compose, "down", "--volumes")
        composed = Pause("kiln_pause_1")
        composed.ready()
        password = compose("exec", "-T", "pause", "first-run", "admin-password").stdout.strip()
        self.assertEqual(composed.get("/pause/authenquery", f"ADMIN:{password}"), 200)
        [config] = json.loads(daemon.docker("inspect", "kiln_pause_1").stdout)
        self.assertEqual(config["HostConfig"]["CapDrop"], ["ALL"])
        self.assertEqual(config["HostConfig"]["SecurityOpt"], ["no-new-privileges:true"])
        # With these rights only: jobs of cron's, mirrors, a stop in order.
        composed.settle()
        compose("exec", "-T", "pause", "runuser", "-u", "pause", "--", "/usr/local/lib/pause/first-index")
        compose("exec", "-T", "pause", "rsync", "rsync://localhost/modules/")
        with socket.create_connection(("127.0.0.1", 8080)) as plain:
            plain.sendall(b"GET /pause/query HTTP/1.0\r\nHost: localhost:8080\r\n\r\n")
            self.assertIn(b"Location: https://localhost:8443/pause/query", plain.recv(4096))
        compose("restart")
        composed.started = time.monotonic()
        composed.ready()
        log = composed.log()
        self.assertNotIn("crash recovery", log.lower())

    def test_a_checkout_instead_of_the_code(self):
        checkout = pathlib.Path(tempfile.mkdtemp(dir=world.WORK)) / "checkout"
        shutil.copytree(world.SOURCE / "overlays/pause-standin", checkout)
        checkout.parent.chmod(0o755)
        pause = self.start("develop", "-v", f"{checkout}:/home/pause/pause:ro")
        self.assertEqual(pause.get("/pause/authenquery", f"ADMIN:{PASSWORD}"), 200)
        with open(checkout / "lib/PAUSE/Standin/Web/Pages.pm", "a") as changed:
            changed.write("\ndie 'as changed';\n")
        pause.inside("sv", "restart", "pause-web")
        for _ in range(150):
            if "as changed" in pause.log():
                return
            time.sleep(0.2)
        self.fail(pause.log()[-2000:])

    def test_moving_house(self):
        old = self.start("old", "-v", self.volume("move"))
        old.sql("UPDATE `mod`.users SET fullname='Moved House' WHERE userid='ADMIN'")
        old.inside("sh", "-c", "echo kept > /data/pause/pub/PAUSE/authors/id/kept && "
                   "chown pause:pause /data/pause/pub/PAUSE/authors/id/kept")
        key = "cat /data/state/signing-key.json; cat /data/state/private/local.pl; ls /data/pause/incoming"
        old.inside("sh", "-c", "echo '1;' > /data/state/private/local.pl && echo waits > /data/pause/incoming/waits && "
                   "chown pause: /data/state/private/local.pl /data/pause/incoming/waits")
        old.inside("pause-export", "/data/tmp/export")
        modes = old.inside("find", "/data/tmp/export/state", "-type", "f", "-perm", "/077").stdout
        self.assertEqual(modes, "")
        new = self.start("new", "-v", self.volume("moved"),
                         admin_password="another-password-11")
        daemon.docker("exec", "new", "mkdir", "-p", "/data/tmp/import")
        archive = subprocess.run(["docker", "cp", "old:/data/tmp/export", "-"], env=daemon.env,
                                 capture_output=True, check=True).stdout
        subprocess.run(["docker", "cp", "-", "new:/data/tmp/import"], env=daemon.env, input=archive, check=True)
        address = old.inside("hostname", "-i").stdout.split()[0]
        done = new.inside("pause-import", "--dumps", "/data/tmp/import/export",
                          "--archive", f"rsync://{address}/PAUSE/")
        self.assertIn("to-chk=0/", done.stdout)
        self.assertEqual(new.inside("sh", "-c", key).stdout, old.inside("sh", "-c", key).stdout)
        # An indexer's first run on this host, after an import.
        new.inside("runuser", "-u", "pause", "--", "/home/pause/pause/cron/mldistwatch")
        self.assertEqual(new.inside("stat", "-c", "%U", "/data/home/pid/mldistwatch.pid").stdout, "pause\n")
        self.assertIn("distributions and", done.stdout)
        self.assertEqual(new.sql("SELECT fullname FROM `mod`.users WHERE userid='ADMIN'"), "Moved House")
        self.assertEqual(new.inside("cat", "/data/pause/pub/PAUSE/authors/id/kept").stdout, "kept\n")
        new.started = time.monotonic()
        new.ready()
        self.assertEqual(new.get("/pause/authenquery", f"ADMIN:{PASSWORD}"), 200)
        for service in ("paused", "cron", "pause-web"):
            self.assertTrue(new.inside("sv", "status", service).stdout.startswith("run:"))

    def test_an_import_that_fails_stays_closed_and_goes_on(self):
        pause = self.start("broken", "-v", self.volume("broken"))
        pause.inside("pause-export", "/data/tmp/export")
        pause.inside("sh", "-c", "cd /data/tmp/export && bunzip2 -k authen_pausedump.current.bz2 && "
                     "mv authen_pausedump.current.bz2 good.bz2 && "
                     "{ echo '\\\\! touch /data/tmp/was-run'; "
                     "sed 's/^CREATE TABLE/CREATE TABEL/' authen_pausedump.current; } | bzip2 > authen_pausedump.current.bz2")
        done = pause.inside("pause-import", "--dumps", "/data/tmp/export", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("PAUSE stays closed", done.stderr + done.stdout)
        self.assertNotEqual(pause.inside("test", "-e", "/data/tmp/was-run", check=False).returncode, 0)
        pause.inside("test", "-e", "/etc/PAUSE.CLOSED")
        self.assertEqual(pause.sql("SELECT @@innodb_flush_log_at_trx_commit"), "1")
        pause.inside("sh", "-c", "cd /data/tmp/export && mv good.bz2 authen_pausedump.current.bz2")
        pause.inside("pause-import", "--dumps", "/data/tmp/export")
        self.assertNotEqual(pause.inside("test", "-e", "/etc/PAUSE.CLOSED", check=False).returncode, 0)

    def test_an_import_that_is_killed_can_be_given_up(self):
        pause = self.start("killed", "-v", self.volume("killed"))
        pause.inside("pause-export", "/data/tmp/export")
        # An indexer at work, for which the import waits.
        detached = ["exec", "--detach", "killed"]
        daemon.docker(*detached, "runuser", "-u", "pause", "--", "flock", "/home/pause/pid/mldistwatch.pid", "sleep", "600")
        pause.inside("timeout", "60", "sh", "-c", "until pgrep -x sleep -u pause; do sleep 0.2; done")
        daemon.docker(*detached, "pause-import", "--dumps", "/data/tmp/export")
        waits = "flock .*mldistwatch.pid true"
        pause.inside("timeout", "60", "sh", "-c", f"until pgrep -u pause -f '^{waits}'; do sleep 0.2; done")
        done = pause.inside("pause-open", check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("an import is running", done.stderr)
        # Healthy though paused and cron are down, once what was started with the container has settled.
        pause.settle()
        pause.inside("pkill", "-KILL", "-x", "pause-import")
        pause.inside("pkill", "-KILL", "-f", f"^(runuser.*)?{waits}")
        pause.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2")  # as while a database is loaded
        pause.inside("test", "-e", "/etc/PAUSE.CLOSED")
        self.assertTrue(pause.inside("sv", "status", "paused").stdout.startswith("down:"))
        self.assertEqual(pause.inside("pause-health", check=False).stdout, "cron is down\n")
        self.assertEqual(pause.inside("pause-open").stdout, "PAUSE is open\n")
        self.assertEqual(pause.sql("SELECT @@innodb_flush_log_at_trx_commit"), "1")
        for service in ("paused", "cron"):
            self.assertTrue(pause.inside("sv", "status", service).stdout.startswith("run:"))
        self.assertNotEqual(pause.inside("test", "-e", "/etc/PAUSE.CLOSED", check=False).returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)

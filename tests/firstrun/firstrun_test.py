#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The real first-run against a real MariaDB, gpg, git and openssl, as a container.

    tests/firstrun/firstrun_test.py PROGRAM [unittest arguments]

KILN_ALL=yes kills it before every one of its operations instead of a sample. Exit status 77: this
machine cannot run the test (the reason is printed).
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import world

PROGRAM = None
ALL = os.environ.get("KILN_ALL") == "yes"
EVERY = 1 if ALL else 4
TRACED = "execve fsync syncfs symlink rename renameat renameat2".split()
SQL = """
select count(*) from information_schema.tables where table_schema in ('mod', 'authen_pause');
select column_type from information_schema.columns where table_name = 'auth_log' and column_name = 'ip';
select count(*) from mysql.global_priv where user in ('moduser', 'authuser') and host = 'localhost';
select count(*) from information_schema.schemata where schema_name like 'first_run%';
select userid, email from `mod`.users;
select user, ugroup from authen_pause.grouptable;
select user, left(password, 7), length(password) from authen_pause.usertable;
"""
ROWS = [["22"], ["varchar(45)"], ["2"], ["0"], ["ADMIN", "root@localhost"], ["ADMIN", "admin"],
        ["ADMIN", "$2a$12$", "60"]]


def passwords(machine):
    text = machine.read("/data/state/private/PrivatePAUSE.pm")
    return dict(re.findall(r"(\w+_PW) => '(\w+)'", text))


def signing_key(machine):
    return json.loads(machine.read("/data/state/signing-key.json"))["id"]


def secret_texts(machine):
    """Everything that nobody but its owner may see, by name."""
    out = dict(passwords(machine))
    out["admin"] = machine.read("/data/state/admin-password").strip()
    out["tls key"] = machine.read("/data/state/tls/key.pem").splitlines()[1]
    return out


def openly_readable(machine):
    """Files below the volume and the root's changes that others may read."""
    for top in [machine.data, machine.upper]:
        for folder, _, files in os.walk(top):
            for name in files:
                path = pathlib.Path(folder, name)
                if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o004:
                    yield path


def gpg(machine, *args):
    return machine.shell(
        f"setpriv --reuid pause --regid pause --clear-groups gpg --homedir /data/state/gnupg --batch {' '.join(args)}",
        env={"HOME": "/home/pause"})


class FirstApply(unittest.TestCase):
    """One volume, looked at from all sides; the tests only read, but for their own worlds."""

    @classmethod
    def setUpClass(cls):
        cls.machine = world.World(PROGRAM)
        strace = f"strace -f -qq -s 100000 -v -e trace={','.join(TRACED)} -o /tmp/calls" if cls.has_strace() else ""
        cls.done = cls.machine.apply(
            wrapper=strace, after="cp /tmp/calls /data/calls 2>/dev/null; cp /run/pause/first-run.json /data/status")
        cls.calls = cls.machine.data / "calls"

    @classmethod
    def tearDownClass(cls):
        cls.machine.close()

    @staticmethod
    def has_strace():
        return world.shutil.which("strace") is not None

    def test_is_done(self):
        self.assertEqual(self.done.code, 0, self.done)
        self.assertIn("first-run: PAUSE is ready: https://localhost/pause/query, administrator ADMIN, "
                      "password from 'first-run admin-password'", self.done.err)

    def test_makes_the_databases(self):
        self.assertEqual(self.machine.sql(SQL), ROWS)

    def test_accounts_log_in_and_may_no_more_than_they_need(self):
        for user, key, database in [("moduser", "MOD_DATA_SOURCE_PW", "mod"),
                                    ("authuser", "AUTHEN_DATA_SOURCE_PW", "authen_pause")]:
            rows = self.machine.sql(f"show grants; select count(*) from information_schema.tables where "
                                    f"table_schema = '{database}';", user, passwords(self.machine)[key])
            grants = "\n".join(" ".join(row) for row in rows)
            self.assertIn("GRANT RELOAD, BINLOG MONITOR ON *.*", grants)
            self.assertIn(f"GRANT SELECT, INSERT, UPDATE, DELETE, INDEX, LOCK TABLES ON `{database}`.*", grants)
            self.assertEqual(len(rows), 3, rows)

    def test_signs(self):
        listing = gpg(self.machine, "-K", "--with-colons").out
        keys = [line.split(":") for line in listing.splitlines() if line.startswith("sec:")]
        self.assertEqual([key[4] for key in keys], [signing_key(self.machine)], listing)
        self.assertNotEqual(keys[0][1], "e")
        config = self.machine.read("/data/state/private/PrivatePAUSE.pm")
        self.assertIn(f"CHECKSUMS_SIGNING_KEY => '{keys[0][4]}'", config)
        self.assertEqual(self.machine.first_run("check-key").code, 0)

    def test_private_config_is_perl_that_fills_the_table(self):
        script = ("$PAUSE::Config = {ADMIN => 'a@perl.org', KEPT => 1}; require "
                  "'/home/pause/pause-private/lib/PrivatePAUSE.pm' or die; print join ' ', $PAUSE::Config->{ADMIN}, "
                  "$PAUSE::Config->{KEPT}, $PAUSE::Config->{ADMINS}[0], $PAUSE::USE_RECENTFILE_HOOKS, "
                  "$ENV{EMAIL_SENDER_TRANSPORT}, $PAUSE::Config->{ML_MIN_FILES}, $PAUSE::Config->{UPLOAD}")
        done = self.machine.shell(
            f"setpriv --reuid pause --regid pause --clear-groups perl -we \"{script.replace('$', chr(92) + '$')}\"")
        self.assertEqual(done.out, "root@localhost 1 root@localhost 1 Maildir 0 pause@localhost", done)

    def test_owners_and_modes(self):
        tree = self.machine.tree()
        pause, mysql = world.USERS["pause"], world.USERS["mysql"]
        for path, mode, owner in [
            ("state", "0o40711", 0), ("state/journal.jsonl", "0o100600", 0), ("state/answers.yaml", "0o100600", 0),
            ("state/admin-password", "0o100600", 0), ("state/private", "0o40750", pause),
            ("state/private/PrivatePAUSE.pm", "0o100640", pause), ("state/gnupg", "0o40700", pause),
            ("state/tls/key.pem", "0o100600", 0), ("state/tls/cert.pem", "0o100644", 0),
            ("state/nginx/server.conf", "0o100644", 0), ("state/closed", "0o40755", 0),
            ("state/git-origin.git", "0o40755", pause), ("state/deploy-key", "0o40700", pause),
            ("mysql", "0o40755", 0), ("mysql/mysql", "0o40755", mysql), ("pause", "0o40755", pause),
            ("pause/pub/PAUSE/authors/id", "0o40755", pause), ("pause/pub/PAUSE/scripts/new", "0o40755", pause),
            ("pause/pub/PAUSE/authors/08pumpkings.txt.gz", "0o100664", pause),
            ("home/log/paused.log", "0o100644", pause), ("home/db-backup", "0o40700", pause),
        ]:
            self.assertEqual(tree[path][:2], (mode, owner), path)
        self.assertEqual([path for path in tree if "/." in path and "/.git" not in path], [])

    def test_certificate_serves_the_names(self):
        self.assertIn("server_name localhost;", self.machine.read("/data/state/nginx/server.conf"))
        self.assertIn("set $public_host $http_host;\nset $secure_host $host;\n",
                      self.machine.read("/data/state/nginx/server.conf"))
        self.assertIn("warning: the answer 'hostname' is not set", self.done.err)
        text = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in",
                               self.machine.data / "state/tls/cert.pem"], capture_output=True, text=True).stdout
        self.assertIn("DNS:localhost", text)

    def test_git_has_an_origin_that_takes_a_push(self):
        done = self.machine.shell(
            "setpriv --reuid pause --regid pause --clear-groups sh -c 'cd /data/pause/pub/PAUSE/PAUSE-git && "
            "cp -r . /tmp/copy && cd /tmp/copy && git commit -q --allow-empty -m x && git push -q --dry-run origin "
            "master && git log --format=%an:%ae'", env={"HOME": "/tmp"})
        self.assertEqual(done.out, "PAUSE:pause@localhost\n", done)

    def test_no_secret_on_a_command_line(self):
        if not self.has_strace():
            self.skipTest("no strace on this machine")
        text = self.calls.read_text(errors="replace")
        self.assertIn("mariadb-install-db", text)
        for name, secret in secret_texts(self.machine).items():
            self.assertNotIn(secret, text, name)

    def test_nothing_gets_its_name_before_it_is_on_the_disk(self):
        # Else a power cut can leave the name with an empty file behind it. A symbolic link's text is in its inode.
        if not self.has_strace():
            self.skipTest("no strace on this machine")
        lines = self.calls.read_text(errors="replace").splitlines()
        process = lines[0].split()[0]
        own = [line.split(None, 1)[1] for line in lines if line.split()[0] == process and " --- " not in line]
        renamed = 0
        for before, call in zip(own, own[1:]):
            if call.startswith("rename") and not before.startswith("symlink"):
                self.assertRegex(before, r"^(fsync|syncfs)\(.*= 0$", call)
                renamed += 1
        for name in ["signing-key.json", "PrivatePAUSE.pm", "/data/state/gnupg", "/data/mysql/mysql"]:
            self.assertTrue(any(call.startswith("rename") and name in call for call in own), name)
        self.assertGreater(renamed, 10)

    def test_no_secret_in_what_is_printed_or_readable_by_others(self):
        secrets = secret_texts(self.machine)
        for name, secret in secrets.items():
            self.assertNotIn(secret, self.done.err + self.done.out, name)
        for path in openly_readable(self.machine):
            if path.name == "calls":
                continue
            data = path.read_bytes()
            for name, secret in secrets.items():
                self.assertNotIn(secret.encode(), data, f"{name} in {path}")

    def test_status_tells_the_sources(self):
        status = json.loads((self.machine.data / "status").read_text())
        self.assertEqual(status["result"], "done")
        self.assertEqual(status["answers"]["hostname"], {"source": "default", "value": "localhost"})
        self.assertEqual(status["answers"]["admin_password"], {"source": "default", "set": False})
        text = self.machine.first_run("status").out
        self.assertIn(signing_key(self.machine), text)
        self.assertIn("end   database", text)
        json.loads(self.machine.first_run("status", "--json").out)

    def test_admin_password_is_printed(self):
        done = self.machine.first_run("admin-password")
        self.assertEqual((done.code, done.out), (0, self.machine.read("/data/state/admin-password")))


class SecondApply(unittest.TestCase):
    def setUp(self):
        self.machine = world.World(PROGRAM)
        self.addCleanup(self.machine.close)

    def apply(self, env=None, **rest):
        done = self.machine.apply(env=env, **rest)
        self.assertEqual(done.code, 0, done)
        return done

    def content(self):
        return {path: (self.machine.data / path).read_bytes() for path in self.machine.tree()
                if (self.machine.data / path).is_file()}

    def test_changes_nothing(self):
        self.apply()
        before, tree = self.content(), self.machine.tree()
        done = self.apply(env={"FIRST_RUN_TRACE": "1"})
        self.assertEqual(self.content(), before)
        self.assertEqual(self.machine.tree(), tree)
        self.assertIn("operation 3: ", done.err)
        self.assertNotIn("operation 4: ", done.err)
        plan = self.machine.first_run("plan", "--container")
        self.assertEqual({line.split(": ", 1)[1] for line in plan.out.splitlines()}, {"nothing to do"}, plan)

    def test_adopts_the_volume_of_another_image(self):
        self.apply(env={"PAUSE_HOSTNAME": "pause.example.org", "PAUSE_HTTPS_PORT": "8443",
                        "PAUSE_ADMIN_PASSWORD": "open sesame"})
        secrets, key = passwords(self.machine), signing_key(self.machine)
        uploaded = self.machine.data / "pause/pub/PAUSE/authors/id/kept"
        uploaded.write_text("kept")
        self.machine.new_root("2222")
        done = self.apply()  # the answers come from the volume
        self.assertIn("the volume was written by another image", done.err)
        self.assertEqual((passwords(self.machine), signing_key(self.machine)), (secrets, key))
        self.assertEqual(self.machine.sql(SQL)[0], ["22"])
        self.assertIn("set $public_host pause.example.org:8443;\nset $secure_host pause.example.org:8443;\n",
                      self.machine.read("/data/state/nginx/server.conf"))
        self.assertEqual(json.loads(self.machine.read("/data/state/image.json"))["id"], "2222")
        self.assertTrue(uploaded.exists())

    def test_given_password_is_not_stored(self):
        secret = "open sesame, it's \"me\" \\"
        done = self.apply(env={"PAUSE_ADMIN_PASSWORD": secret, "PAUSE_ADMIN_USER": "ANDK"})
        self.assertFalse((self.machine.data / "state/admin-password").exists())
        self.assertNotIn(secret, done.err)
        for folder, _, files in os.walk(self.machine.data):
            for name in files:
                self.assertNotIn(secret.encode(), pathlib.Path(folder, name).read_bytes(), name)
        self.assertEqual(self.machine.sql(SQL)[-1][0], "ANDK")
        done = self.machine.first_run("admin-password")
        self.assertEqual(done.code, 1)
        self.assertIn("no generated password is stored", done.err)
        done = self.machine.shell(
            "perl -e 'print crypt($ENV{P}, $ENV{H}) eq $ENV{H} ? 1 : 0'",
            env={"P": secret, "H": self.machine.sql("select password from authen_pause.usertable")[0][0]})
        self.assertEqual(done.out, "1")

    def test_lost_private_config_gets_new_passwords_that_log_in(self):
        self.apply()
        before = passwords(self.machine)
        (self.machine.data / "state/private/PrivatePAUSE.pm").unlink()
        self.apply()
        after = passwords(self.machine)
        self.assertNotEqual(before, after)
        self.machine.sql("select 1", "moduser", after["MOD_DATA_SOURCE_PW"])

    def test_newer_database_is_refused(self):
        self.apply()
        self.machine.new_root("3333")
        (self.machine.data / "mysql/mysql/mysql_upgrade_info").write_text("99.1.2-MariaDB")
        done = self.machine.apply()
        self.assertEqual(done.code, 1)
        self.assertIn("the databases were last used by MariaDB 99.1", done.err)
        self.assertIn("in step 'database'", done.err)

    def test_recover_breaks_locks_and_releases_rows(self):
        self.apply()
        authors = self.machine.data / "pause/pub/PAUSE/authors"
        (authors / "RECENT-1h.yaml.lock").mkdir()
        (authors / "RECENT-1h.yaml.lock/process").write_text("1")
        (authors / "02STAMP").write_text("x")
        script = f"""
mkdir -p /run/mysqld; chown mysql:mysql /run/mysqld
mariadbd --user=mysql --datadir=/data/mysql/mysql --socket=/run/mysqld/mysqld.sock --skip-networking \\
    --log-error=/tmp/log --tmpdir=/tmp >/dev/null 2>&1 &
server=$!
until mariadb --no-defaults --socket=/run/mysqld/mysqld.sock -e 'select 1' >/dev/null 2>&1; do sleep 0.1; done
q() {{ mariadb --no-defaults --socket=/run/mysqld/mysqld.sock -N -e "$1"; }}
q "insert into \\`mod\\`.distmtimes (dist, indexing_at) values ('cut', now()), ('skipped', now() - interval 1 day)"
{PROGRAM} recover; echo code $?
q "select dist from \\`mod\\`.distmtimes"
q "insert into \\`mod\\`.uris (uriid, dverified, nosuccesscount) values ('a', '', 0), ('b', 'Y', 0), ('c', '', 16)"
{PROGRAM} status | grep waiting
{PROGRAM} admin-password > /dev/null; echo code $?
q "update authen_pause.usertable set password = 'changed'"
{PROGRAM} admin-password; echo code $?
{PROGRAM} recover; echo code $?
new=$({PROGRAM} new-password admin); echo code $? ${{#new}}
q "select left(password, 7) from authen_pause.usertable"
{PROGRAM} new-password NOBODY; echo code $?
kill $server; wait $server"""
        done = self.machine.shell(script, files=[PROGRAM])
        self.assertEqual(
            done.out, "code 0\nskipped\nuploads:      1 waiting\ncode 0\ncode 1\ncode 0\n"
            "code 0 20\n$2a$12$\ncode 1\n", done)
        self.assertIn("PAUSE has no user 'NOBODY'", done.err)
        self.assertIn("the generated one is no longer valid", done.err)
        self.assertIn("removed the stale lock", done.err)
        self.assertIn("cut will be indexed again", done.err)
        self.assertIn("removed the generated one", done.err)
        self.assertFalse((authors / "RECENT-1h.yaml.lock").exists())
        self.assertFalse((self.machine.data / "state/admin-password").exists())

    def test_read_only_root(self):
        self.machine.read_only = True
        self.apply()

    def test_no_volume_is_said_aloud(self):
        self.machine.mount_data = False
        self.assertIn("all data will be lost with this container", self.apply().err)


class TwoCopies(unittest.TestCase):
    def test_differ_in_all_secrets(self):
        seen = {}
        for _ in range(2):
            machine = world.World(PROGRAM)
            try:
                self.assertEqual(machine.apply().code, 0)
                for name, secret in {**secret_texts(machine), "key": signing_key(machine)}.items():
                    self.assertNotEqual(seen.get(name), secret, name)
                    seen[name] = secret
            finally:
                machine.close()


class Keys(unittest.TestCase):
    """Given and expired signing keys, given certificates."""

    def setUp(self):
        self.machine = world.World(PROGRAM)
        self.addCleanup(self.machine.close)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def make_key(self, expires, faked="", passphrase=""):
        home = tempfile.mkdtemp(dir=self.folder.name)
        base = ["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase]
        subprocess.run([*base, *(["--faked-system-time", faked] if faked else []), "--quick-generate-key",
                        "Test <t@example.org>", "ed25519", "sign", expires], check=True, capture_output=True)
        text = subprocess.run([*base, "--armor", "--export-secret-keys"], check=True, capture_output=True, text=True)
        listing = subprocess.run([*base, "--with-colons", "-K"], capture_output=True, text=True).stdout
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
        return text.stdout, listing.split("sec:")[1].split(":")[3]

    def test_given_key_is_used_and_replaces_another(self):
        first, first_id = self.make_key("2y")
        self.assertEqual(self.machine.apply(env={"PAUSE_SIGNING_KEY": first}).code, 0)
        self.assertEqual(signing_key(self.machine), first_id)
        second, second_id = self.make_key("2y")
        self.machine.put("/run-secrets-key", second, 0o600)
        done = self.machine.apply(env={"PAUSE_SIGNING_KEY_FILE": "/run-secrets-key"})
        self.assertEqual(done.code, 0, done)
        self.assertEqual(signing_key(self.machine), second_id)
        self.assertIn(second_id, self.machine.read("/data/state/private/PrivatePAUSE.pm"))
        kept = [name for name in os.listdir(self.machine.data / "state") if name.startswith("gnupg.before-")]
        self.assertEqual(len(kept), 1)
        self.assertIn("nothing to do", self.machine.first_run(
            "plan", "--container", env={"PAUSE_SIGNING_KEY": second}).out.split("signing-key: ")[1].split("\n")[0])

    def test_expired_and_protected_keys_are_refused(self):
        expired, key_id = self.make_key("1d", faked="20200101T000000")
        done = self.machine.apply(env={"PAUSE_SIGNING_KEY": expired})
        self.assertEqual(done.code, 1)
        self.assertIn(f"the signing key {key_id} expired on 2020-01-02T", done.err)
        protected, key_id = self.make_key("2y", passphrase="secret")
        done = self.machine.apply(env={"PAUSE_SIGNING_KEY": protected})
        self.assertEqual(done.code, 1)
        self.assertIn("must be able to sign and have no passphrase", done.err)
        done = self.machine.apply()
        self.assertEqual(done.code, 0, done)

    def certificate(self, name, days="30"):
        key, cert = f"{self.folder.name}/{name}.key", f"{self.folder.name}/{name}.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
                        "-days", days, "-subj", f"/CN={name}", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
        return pathlib.Path(cert).read_text(), pathlib.Path(key).read_text()

    def test_given_certificate_must_fit_its_key(self):
        cert, key = self.certificate("one")
        _, other = self.certificate("two")
        done = self.machine.apply(env={"PAUSE_CERTIFICATE": "files", "PAUSE_CERTIFICATE_FILE": cert,
                                       "PAUSE_CERTIFICATE_KEY": other})
        self.assertEqual(done.code, 1)
        self.assertIn("certificate 'files': the private key does not match the certificate", done.err)
        done = self.machine.apply(env={"PAUSE_CERTIFICATE": "files", "PAUSE_CERTIFICATE_FILE": cert,
                                       "PAUSE_CERTIFICATE_KEY": key})
        self.assertEqual(done.code, 0, done)
        self.assertEqual(self.machine.read("/data/state/tls/cert.pem"), cert)
        self.assertNotIn(key.splitlines()[1], done.err)
        self.assertNotIn("does not cover", done.err)
        self.assertRegex(self.machine.first_run("status").out,
                         r"data volume:  [0-9.]+ [KMGT]iB free\n[^$]*certificate:  files, CN=one, expires 20")

    def test_running_web_server_reads_the_new_certificate(self):
        self.assertEqual(self.machine.apply().code, 0)
        self.machine.put("/usr/local/bin/sv", '#!/bin/sh\necho "run: $2: (pid 7) 9s"\necho "$@" >>/data/called\n', 0o755)
        self.machine.put("/usr/local/bin/nginx", '#!/bin/sh\necho nginx "$@" >>/data/called\n', 0o755)
        cert, key = self.certificate("one")
        done = self.machine.apply(env={"PAUSE_CERTIFICATE": "files", "PAUSE_CERTIFICATE_FILE": cert,
                                       "PAUSE_CERTIFICATE_KEY": key, "PAUSE_HOSTNAME": "one",
                                       "PAUSE_CERTIFICATE_NAMES": "two,192.0.2.1"})
        self.assertEqual(done.code, 0, done)
        self.assertIn("warning: the certificate does not cover two, 192.0.2.1:", done.err)
        self.assertEqual(self.machine.read("/data/called").splitlines(),
                         ["status /etc/pause/sv/nginx", "nginx -t -q", "hup /etc/pause/sv/nginx"])


class BadAnswers(unittest.TestCase):
    def setUp(self):
        self.machine = world.World(PROGRAM)
        self.addCleanup(self.machine.close)

    def refused(self, env, *messages):
        done = self.machine.apply(env=env)
        self.assertEqual(done.code, 3, done)
        for message in messages:
            self.assertIn(message, done.err)
        self.assertEqual(os.listdir(self.machine.data), [])
        return done

    def test_environment(self):
        self.refused({"PAUSE_HOSTNAM": "x"}, "environment PAUSE_HOSTNAM: unknown key 'hostnam'",
                     "did you mean 'hostname'?")
        self.refused({"PAUSE_ADMIN_USER": "andk"},
                     "environment PAUSE_ADMIN_USER: admin_user 'andk' is not a valid PAUSE id")
        self.refused({"PAUSE_ADMIN_PASSWORD_FILE": "/nowhere"},
                     "environment PAUSE_ADMIN_PASSWORD_FILE: file '/nowhere' not found")
        self.refused({"PAUSE_VOLUME": "/dev/vdb"}, "'volume' is for VMs only")
        done = self.refused({"PAUSE_ADMIN_PASSWORD": "x" * 73}, "admin_password is longer than 72 bytes")
        self.assertNotIn("x" * 73, done.err)

    def test_yaml_with_line_and_column(self):
        self.machine.put("/etc/pause/first-run.yaml", "pause:\n  hostname: a.b\n  mial: smtp\n  mail_port: 99999\n")
        self.refused({}, "/etc/pause/first-run.yaml:3:3: unknown key 'mial'",
                     "/etc/pause/first-run.yaml:4:14: mail_port '99999' is not a valid port", "2 answers are not valid")
        self.machine.put("/etc/pause/first-run.yaml", "pause:\n  hostname: [\n")
        self.refused({}, "/etc/pause/first-run.yaml:3:1: is not valid YAML")

    def test_mail_needs_its_addresses(self):
        self.refused({"PAUSE_MAIL": "smtp", "PAUSE_MAIL_HOST": "localhost"},
                     "environment PAUSE_MAIL: mail 'smtp' needs the answer 'mail_admin'",
                     "needs the answer 'mail_cron'")

    def test_mail_transport_that_refuses(self):
        address = "a@example.org"
        env = {"PAUSE_MAIL_" + key: address for key in ["ADMIN", "UPLOAD", "TESTERS", "REPLY", "P5P", "CRON"]}
        env.update(PAUSE_MAIL="smtp", PAUSE_MAIL_HOST="127.0.0.1", PAUSE_MAIL_PORT="1",
                   PAUSE_MAIL_USER="u", PAUSE_MAIL_PASSWORD="swordfish")
        done = self.machine.apply(env=env)
        self.assertEqual(done.code, 1, done)
        self.assertIn("the mail server '127.0.0.1' port 1 did not accept a test message to a@example.org", done.err)
        self.assertNotIn("swordfish", done.err)
        self.assertFalse((self.machine.data / "mysql/mysql").exists())

    def test_command_line(self):
        for args in [[], ["aply"], ["apply", "--contaner"]]:
            self.assertEqual(self.machine.first_run(*args).code, 2, args)
        self.assertEqual(self.machine.first_run("--help").code, 0)

    def test_volume_that_is_not_ours(self):
        (self.machine.data / "photos").mkdir()
        done = self.machine.apply()
        self.assertEqual(done.code, 1)
        self.assertIn("the data volume contains files that do not belong to PAUSE: photos", done.err)

    def test_volume_with_other_numbers(self):
        (self.machine.data / "pause/pub").mkdir(parents=True)
        os.chown(self.machine.data / "pause", 5555, 5555)
        done = self.machine.apply()
        self.assertEqual(done.code, 1)
        self.assertIn("'/data/pause' on the data volume is owned by 5555, expected pause (1100)", done.err)


class Killed(unittest.TestCase):
    """A run killed before any of its operations, and one after it, end where an undisturbed one ends."""

    def stable(self, machine):
        return {path: info for path, info in machine.tree().items() if not path.startswith("state/gnupg/")}

    def check_kill(self, number):
        machine = world.World(PROGRAM)
        try:
            killed = machine.apply(env={"FIRST_RUN_KILL_AT": str(number)})
            # How often the database is asked whether it is up differs from run to run.
            ended_before = killed.code == 0 and number > 0.9 * self.count
            if killed.code != 137 and not ended_before:
                return f"operation {number}: was not killed: {killed}"
            done = machine.apply()
            if done.code != 0:
                return f"operation {number}: the run after it failed: {done}"
            if self.stable(machine) != self.expected:
                extra = set(self.stable(machine).items()) ^ set(self.expected.items())
                return f"operation {number}: another tree: {sorted(extra)}"
            rows = machine.sql(SQL)
            if rows != ROWS:
                return f"operation {number}: another database: {rows}"
            keys = gpg(machine, "-K", "--with-colons").out
            if keys.count("sec:") != 1 or signing_key(machine) not in keys:
                return f"operation {number}: keys: {keys}"
            machine.sql("select 1", "moduser", passwords(machine)["MOD_DATA_SOURCE_PW"])
            again = machine.apply(env={"FIRST_RUN_TRACE": "1"})
            if "operation 4:" in again.err:
                return f"operation {number}: not settled: {again}"
            return None
        finally:
            machine.close()

    def test_at_any_operation(self):
        machine = world.World(PROGRAM)
        try:
            done = machine.apply(env={"FIRST_RUN_TRACE": "1"})
            self.expected = self.stable(machine)
        finally:
            machine.close()
        self.count = count = len(re.findall(r"^operation \d+:", done.err, re.M))
        self.assertGreater(count, 80)
        numbers = list(range(1, count + 1, EVERY))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            faults = [fault for fault in pool.map(self.check_kill, numbers) if fault]
        print(f"killed before {len(numbers)} of {count} operations", file=sys.stderr)
        self.assertEqual(faults, [])


if __name__ == "__main__":
    lacks = world.missing()
    if lacks:
        print(f"skipped: this machine lacks {', '.join(lacks)}")
        sys.exit(77)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()

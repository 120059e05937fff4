#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The stand-in of PAUSE, alone: its routes, daemon, indexer and cron programs, on a scratch machine
whose root is read-only.

KILN_STANDIN_PERL names the perl to use (/usr/bin/perl). One below opt/pause-perl, such as that of a
built bundle, is mounted at /opt/pause-perl."""

import fcntl
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import time
import unittest

import standin_world as world
from standin_world import DATA, HOME, PUB, CHECKOUT, cron, distribution, mails, paused_log, wait_for

ADMIN = ("ANDY", "secret")
USER = ("PLAIN", "word")
QUERY = "/pause/query"
AUTHEN = "/pause/authenquery"
PUBLIC = ["pause_04about", "pause_04imprint", "pause_05news", "pause_06history", "pause_namingmodules",
          "pause_operating_model", "pause_privacy_policy", "request_id", "mailpw", "who_admin",
          "perl_releasers"]
OF_USER = ["add_uri", "show_files", "edit_uris", "delete_files", "tail_logfile", "change_passwd",
           "edit_cred", "reindex", "reset_version", "share_perms", "peek_perms", "list_tokens", "new_token"]
OF_ADMIN = ["add_user", "manage_id_requests", "select_user", "change_user_status"]
FULL_IPV6 = "2001:0db8:85a3:0000:0000:8a2e:0370:7334"

db = private = web = syslog = None


def setUpModule():
    global db, private, web, syslog
    world.prepare_machine()
    world.prepare_home()
    world.prepare_data()
    db = world.Database()
    db.load()
    db.add_user(*ADMIN, groups=["admin", "pumpking"])
    db.add_user(*USER)
    private = world.Private()
    private.settings["CHECKSUMS_SIGNING_KEY"] = world.make_key()
    private.write()
    web = world.Web()


def tearDownModule():
    if web:
        web.stop()
    if db:
        db.stop()


def author_path(user, name):
    return PUB / "authors/id" / user[0] / user[:2] / user / name


def is_indexed(package):
    return lambda: db.rows(f"SELECT version, dist, status FROM packages WHERE package = '{package}'")


def count_uris(name):
    return int(db.rows(f"SELECT COUNT(*) FROM uris WHERE basename = '{name}'")[0][0])


class EmptyBox(unittest.TestCase):
    """Before the first upload, and without a listener for the log."""

    def test_jobs_have_nothing_to_do(self):
        for name in ("mldistwatch", "update-checksums.pl", "cleanup-incoming.pl", "gmls-lR.pl",
                     "rm_stale_links", "sync-04pause.pl", "cron-p6daily.pl", "cron-daily.pl",
                     "recentfile-aggregate", "mysql-dump.pl"):
            with self.subTest(name):
                done = cron(name)
                self.assertEqual(done.stdout + done.stderr, "")
        self.assertFalse((PUB / "modules/02packages.details.txt").exists())
        self.assertFalse((PUB / "modules/06perms.txt").exists())
        self.assertTrue((PUB / "modules/01modules.index.html").exists())
        self.assertTrue((PUB / "modules/03modlist.data.gz").exists())

    def test_tables(self):
        query = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{}'"
        self.assertEqual(db.rows(query.format("mod")), [["17"]])
        self.assertEqual(db.rows(query.format("authen_pause")), [["5"]])

    def test_too_few_files(self):
        private.write(ML_MIN_FILES=1)
        self.addCleanup(private.write)
        done = cron("mldistwatch", check=False)
        self.assertEqual(done.returncode, 255)
        self.assertIn("unusual small number of files", done.stderr)

    def test_what_must_not_be_there(self):
        self.assertFalse((CHECKOUT / "bootstrap").exists())

    def test_user_for_unpacking_is_missing(self):
        passwd = pathlib.Path("/etc/passwd")
        before = passwd.read_text()
        self.addCleanup(passwd.write_text, before)
        passwd.write_text(before.replace("unsafe:", "other:"))
        done = cron("mldistwatch", check=False)
        self.assertEqual(done.returncode, 255)
        self.assertIn("user 'unsafe' is missing", done.stderr)


class Routes(unittest.TestCase):
    def check(self, path, status, location=None, **options):
        answer = web.get(path, **options)
        self.assertEqual((answer.status, answer.location), (status, location), path)
        return answer

    def test_redirects(self):
        forwarded = {"X-Forwarded-Host": "pause.example:8080"}
        for headers, host in (({"Host": "one.example"}, "one.example"), (forwarded, "pause.example")):
            self.check("/", 301, f"https://{host}/pause/query", headers=headers)
            self.check("/?ACTION=x", 301, f"https://{host}/pause/query?ACTION=x", headers=headers)
        self.check("/index.html", 301, "/pause/query?ACTION=pause_05news")
        self.check("/pause", 301, QUERY)
        self.check("/pause/", 301, QUERY)
        self.check(f"{QUERY}?ACTION=who_pumpkin", 302, "/pause/query?ACTION=perl_releasers")

    def test_status(self):
        first = self.check("/status", 200)
        self.assertTrue(first.headers["Content-Type"].startswith("text/plain"))
        counts = [int(re.search(r"access: (\d+)", a.body)[1]) for a in (first, web.get("/status"))]
        self.assertEqual(counts[1], counts[0] + 1)
        self.assertRegex(first.body, r"uptime: \d+")

    def test_public_pages(self):
        front = self.check(QUERY, 200)
        self.assertTrue(front.title.startswith("PAUSE:"))
        self.assertIn("stand-in of PAUSE", front.body)
        for name in PUBLIC:
            self.check(f"{QUERY}?ACTION={name}", 200)

    def test_refused(self):
        for path in ("/nothing", "/pause/other", "/api/upload", "/pub", "/pub/PAUSE2"):
            self.check(path, 404)
        for name in ["nothing", "menu", *OF_USER, *OF_ADMIN]:
            self.check(f"{QUERY}?ACTION={name}", 403)

    def test_login(self):
        answer = self.check(AUTHEN, 401)
        self.assertEqual(answer.headers["WWW-Authenticate"], 'Basic realm="PAUSE"')
        for login in ((ADMIN[0], "wrong"), ("NOBODY", "secret"), (ADMIN[0], "")):
            self.check(AUTHEN, 401, login=login)
        self.assertIn("ACTION=add_user", self.check(AUTHEN, 200, login=ADMIN).body)
        self.assertIn("ACTION=add_user", self.check(AUTHEN, 200, login=("andy", "secret")).body)
        self.assertNotIn("ACTION=add_user", self.check(AUTHEN, 200, login=USER).body)

    def test_pages_of_users(self):
        for name in [*PUBLIC, *OF_USER, *OF_ADMIN]:
            self.check(f"{AUTHEN}?ACTION={name}", 200, login=ADMIN)
        for name in OF_ADMIN:
            self.check(f"{AUTHEN}?ACTION={name}", 403, login=USER)
        self.check(f"{AUTHEN}?ACTION=nothing", 403, login=ADMIN)

    def test_log_is_missing(self):
        log, away = HOME / "log/paused.log", HOME / "log/away"
        log.rename(away)
        self.addCleanup(away.rename, log)
        self.check(f"{AUTHEN}?ACTION=tail_logfile", 500, login=ADMIN)

    def test_trees(self):
        for path in ("/pub/PAUSE/", "/incoming/", "/pub/PAUSE/authors/"):
            self.check(path, 401)
            self.check(path, 200, login=USER)
        self.check("/pub/PAUSE/../../../../etc/passwd", 403, login=USER)
        self.check("/pub/PAUSE/nothing", 404, login=USER)


class Accounts(unittest.TestCase):
    def stored(self, user):
        query = f"SELECT password, lastvisit FROM usertable WHERE user = '{user}'"
        return db.rows(query, "authen_pause")[0]

    def test_old_hash_is_upgraded(self):
        db.add_user("OLDIE", "old", salt="ab")
        self.assertEqual(len(self.stored("OLDIE")[0]), 13)
        self.assertEqual(web.get(AUTHEN, login=("OLDIE", "bad")).status, 401)
        self.assertEqual(web.get(AUTHEN, login=("OLDIE", "old")).status, 200)
        password, visit = self.stored("OLDIE")
        self.assertRegex(password, r"^\$2a\$12\$.{53}$")
        self.assertRegex(visit, r"^\d{4}-")
        self.assertEqual(web.get(AUTHEN, login=("OLDIE", "old")).status, 200)

    def test_no_login(self):
        db.add_user("LOCKED", "word")
        db.call("UPDATE users SET ustatus = 'nologin' WHERE userid = 'LOCKED'", "mod")
        self.assertEqual(web.get(AUTHEN, login=("LOCKED", "word")).status, 401)

    def test_must_change(self):
        db.add_user("FORCED", "word")
        db.call("UPDATE usertable SET forcechange = 1 WHERE user = 'FORCED'", "authen_pause")
        answer = web.get(f"{AUTHEN}?ACTION=show_files", login=("FORCED", "word"))
        self.assertEqual(answer.title, "PAUSE: change password")
        fields = {f"pause99_change_passwd_pw{i}": "longer word" for i in (1, 2)}
        page = web.post_form(f"{AUTHEN}?ACTION=change_passwd", fields, login=("FORCED", "word"))
        self.assertIn("is changed", page.body)
        answer = web.get(f"{AUTHEN}?ACTION=show_files", login=("FORCED", "longer word"))
        self.assertEqual(answer.title, "PAUSE: files")

    def test_forgotten_password(self):
        db.add_user("LOST", "lost")
        page = web.post_form(f"{QUERY}?ACTION=mailpw", {"pause99_mailpw_1": "LOST"})
        self.assertEqual(page.status, 200)
        mail = next(m for m in mails() if "To: lost@localhost" in m)
        path = re.search(r"https://[^/\s]+(/\S+ABRA=\S+)", mail.replace("=\n", ""))[1]
        self.assertEqual(web.get(path).status, 200)
        self.assertEqual(web.get(path[:-1]).status, 403)
        fields = {f"pause99_change_passwd_pw{i}": "found again" for i in (1, 2)}
        secret = path.split("ABRA=")[1]
        self.assertEqual(web.post_form(path, {"ABRA": secret, **fields}).status, 200)
        self.assertEqual(web.get(AUTHEN, login=("LOST", "found again")).status, 200)
        self.assertEqual(web.get(path).status, 403)

    def test_new_user_and_status(self):
        fields = {"pause99_add_user_userid": "FRESH", "pause99_add_user_email": "fresh@localhost"}
        self.assertEqual(web.post(f"{AUTHEN}?ACTION=add_user", fields, login=ADMIN).status, 200)
        self.assertEqual(db.rows("SELECT ustatus FROM users WHERE userid = 'FRESH'"), [["unused"]])
        self.assertTrue([m for m in mails() if "To: fresh@localhost" in m])
        fields = {"pause99_change_user_status_user": "FRESH",
                  "pause99_change_user_status_new_ustatus": "nologin"}
        path = f"{AUTHEN}?ACTION=change_user_status"
        self.assertEqual(web.post(path, fields, login=ADMIN).status, 403)
        self.assertEqual(web.post_form(path, fields, login=ADMIN).status, 200)
        self.assertEqual(db.rows("SELECT ustatus FROM users WHERE userid = 'FRESH'"), [["nologin"]])


class FormTokens(unittest.TestCase):
    path = f"{QUERY}?ACTION=mailpw"

    def test_all_workers_know_them(self):
        for _ in range(20):
            self.assertEqual(web.post_form(self.path, {"pause99_mailpw_1": "NOBODY"}).status, 200)

    def test_missing_or_foreign(self):
        page, other = web.get(self.path), web.get(self.path)
        for cookie, token in ((None, None), (page.cookie, None), (None, page.token),
                              (other.cookie, page.token), (page.cookie, "0" * 64)):
            fields = {"pause99_mailpw_1": "NOBODY", **({"csrf_token": token} if token else {})}
            headers = {"Cookie": cookie} if cookie else {}
            self.assertEqual(web.post(self.path, fields, headers).status, 403)

    def test_which_forms(self):
        for name in ("change_passwd", "edit_cred", "list_tokens", "new_token", "change_user_status"):
            path = f"{AUTHEN}?ACTION={name}"
            self.assertEqual(web.post(path, {"x": "y"}, login=ADMIN).status, 403, name)
            self.assertEqual(web.post_form(path, {"x": "y"}, login=ADMIN).status, 200, name)

    def test_each_load_has_its_own(self):
        page = web.get(self.path)
        with world.Web(port=5001) as other:
            fields = {"pause99_mailpw_1": "NOBODY", "csrf_token": page.token}
            self.assertEqual(other.post(self.path, fields, {"Cookie": page.cookie}).status, 403)


class Uploads(unittest.TestCase):
    def test_file(self):
        content = distribution("Up-Load")
        self.assertEqual(web.upload("Up-Load-0.01.tar.gz", content, USER).status, 200)
        self.assertEqual((DATA / "incoming/Up-Load-0.01.tar.gz").read_bytes(), content)
        row = db.rows("SELECT uriid, userid, dgot, dverified FROM uris WHERE basename LIKE 'Up-Load%'")
        self.assertEqual(row, [["P/PL/PLAIN/Up-Load-0.01.tar.gz", "PLAIN", "", ""]])
        again = web.upload("Up-Load-0.01.tar.gz", b"something else", USER)
        self.assertEqual(again.status, 409)
        self.assertEqual((DATA / "incoming/Up-Load-0.01.tar.gz").read_bytes(), content)

    def test_refused(self):
        for name, content in (("Nil-0.01.tar.gz", b""), ("CHECKSUMS", b"x"), ("", b"x"), ("..", b"x")):
            answer = web.upload(name, content, USER)
            self.assertEqual(answer.status, 200, name)
            self.assertIn("ERROR", answer.body)
        self.assertEqual(count_uris("Nil-0.01.tar.gz") + count_uris("CHECKSUMS"), 0)
        self.assertEqual(web.upload("x-1.tgz", b"x", USER, HIDDENNAME="ANDY").status, 403)

    def test_names(self):
        long = "n" * 250 + ".txt"
        self.assertEqual(web.upload("C:\\sub\\na me$;'é.txt", b"x", USER).status, 200)
        self.assertEqual(count_uris("name.txt"), 1)
        answer = web.upload("in.txt", b"x", USER, pause99_add_uri_subdirtext="../a b/c")
        self.assertEqual(answer.status, 200)
        self.assertEqual(db.rows("SELECT uriid FROM uris WHERE basename = 'in.txt'"),
                         [["P/PL/PLAIN/ab/c/in.txt"]])
        self.assertEqual(web.upload(long, b"x", USER).status, 500)

    def test_documentation_is_replaced(self):
        for _ in range(2):
            self.assertEqual(web.upload("notes.md", b"x", USER).status, 200)
        self.assertEqual(count_uris("notes.md"), 1)

    def test_other_database_errors(self):
        db.add_user("ADDRESS", "word")
        address = "http://" + "h" * 300 + "/long.tgz"
        fields = {"SUBMIT_pause99_add_uri_uri": "x", "pause99_add_uri_uri": address}
        self.assertEqual(web.post(AUTHEN, fields, login=("ADDRESS", "word")).status, 406)

    def test_address(self):
        fields = {"SUBMIT_pause99_add_uri_uri": "x", "pause99_add_uri_uri": "http://127.0.0.1:9/Far-1.tgz"}
        self.assertEqual(web.post(AUTHEN, fields, login=USER).status, 200)
        self.assertEqual(db.rows("SELECT uri FROM uris WHERE basename = 'Far-1.tgz'"),
                         [["http://127.0.0.1:9/Far-1.tgz"]])


class Tokens(unittest.TestCase):
    def new_token(self, **fields):
        fields = {"pause99_new_token_description": "x", **fields}
        page = web.post_form(f"{AUTHEN}?ACTION=new_token", fields, login=USER)
        return re.search(r'<pre id="token">([^<]+)', page.body)[1]

    def use(self, token, name="Tok-En-0.01.tar.gz", content=None, **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        content = distribution("Tok-En") if content is None else content
        return web.post("/api/upload", {"file": (name, content)}, headers)

    def test_upload(self):
        token = self.new_token()
        answer = self.use(token)
        self.assertEqual((answer.status, json.loads(answer.body)["result"]), (200, "succeeded"))
        self.assertEqual(self.use(token).status, 409)
        self.assertEqual(self.use(token, "Nil-1.tgz", b"").status, 400)
        user, token_id, secret = token.split(":")
        self.assertEqual(user, "PLAIN")
        stored = db.rows(f"SELECT * FROM auth_tokens WHERE token_id = '{token_id}'", "authen_pause")[0]
        self.assertNotIn(secret, " ".join(stored))
        for bad in ("x", f"{user}:{token_id}:{secret}x", f"{user}:none:{secret}", "a-very-long-user:b:c"):
            answer = self.use(bad)
            self.assertEqual(answer.status, 400, bad)
            self.assertIn("error", json.loads(answer.body))
        log = db.rows("SELECT user, ip, error FROM auth_log ORDER BY id", "authen_pause")
        self.assertIn(["PLAIN", "127.0.0.1", "NULL"], log)
        self.assertEqual(log[-1], ["a-very-lo", "127.0.0.1", "unknown token"])

    def test_revoked_and_bound_to_addresses(self):
        token = self.new_token(pause99_new_token_ip_ranges="10.0.0.0/8")
        self.assertEqual(self.use(token).status, 400)
        self.assertEqual(self.use(token, "Net-1.tgz", X_Forwarded_For="10.1.2.3").status, 200)
        fields = {"pause99_list_tokens_id": token.split(":")[1]}
        self.assertEqual(web.post_form(f"{AUTHEN}?ACTION=list_tokens", fields, login=USER).status, 200)
        self.assertEqual(self.use(token, "Net-2.tgz", X_Forwarded_For="10.1.2.3").status, 400)

    def test_long_address(self):
        token = self.new_token()
        self.assertEqual(self.use(token, "Six-1.tgz", X_Forwarded_For=FULL_IPV6).status, 500)
        db.call("ALTER TABLE auth_log MODIFY ip varchar(45) NOT NULL", "authen_pause")
        self.assertEqual(self.use(token, "Six-1.tgz", X_Forwarded_For=FULL_IPV6).status, 200)

    def test_without_a_token(self):
        self.assertEqual(web.get("/api/upload").status, 404)
        answer = self.use(None)
        self.assertEqual((answer.status, answer.title), (500, "PAUSE: developer page"))
        with world.Web(port=5001, MOJO_MODE="production") as public:
            answer = public.request("POST", "/api/upload")
            self.assertEqual((answer.status, answer.title), (500, "PAUSE: error"))
            self.assertNotIn("auth_log", answer.body)


class Pipeline(unittest.TestCase):
    """From the upload to the index files."""

    @classmethod
    def setUpClass(cls):
        global syslog
        syslog = syslog or world.Syslog()
        db.call("UPDATE uris SET dverified = 'Y'", "mod")
        cls.before = len(mails())
        cls.daemon = world.Daemon()
        cls.addClassCleanup(cls.daemon.stop)
        # Two uploads at once.
        for name in ("Foo-Bar", "Foo-Baz"):
            answer = web.upload(f"{name}-0.01.tar.gz", distribution(name, bare=name == "Foo-Baz"), ADMIN)
            assert answer.status == 200, answer.body
        web.upload("Dev-Rel-0.01_01.tar.gz", distribution("Dev-Rel", "0.01_01"), ADMIN)
        for package in ("Foo::Bar", "Foo::Baz"):
            wait_for(package, is_indexed(package))
        wait_for("CHECKSUMS", cls.checksums().exists)
        wait_for("the last indexer", lambda: "Dev-Rel" in cls.checksums().read_text())
        cron("mldistwatch")

    @staticmethod
    def checksums():
        return author_path("ANDY", "CHECKSUMS")

    def test_tables(self):
        self.assertEqual(is_indexed("Foo::Bar")(), [["0.01", "A/AN/ANDY/Foo-Bar-0.01.tar.gz", "index"]])
        self.assertEqual(db.rows("SELECT lc_package, userid FROM primeur WHERE package = 'Foo::Bar'"),
                         [["foo::bar", "ANDY"]])
        self.assertEqual(db.rows("SELECT ustatus FROM users WHERE userid = 'ANDY'"), [["active"]])
        marks = dict(db.rows("SELECT dist, indexed_at IS NOT NULL FROM distmtimes"))
        self.assertEqual(marks["A/AN/ANDY/Foo-Bar-0.01.tar.gz"], "1")
        self.assertEqual(marks["A/AN/ANDY/Dev-Rel-0.01_01.tar.gz"], "0")
        self.assertEqual(is_indexed("Dev::Rel")(), [])

    def test_log(self):
        for word in ("Need to get", "Got", "Sent", "Verified", "Started mldistwatch"):
            self.assertRegex(paused_log(), rf"(?m)^[-\d]+ [:\d]+\.\d{{3}} \[\d+\] {word}.*Foo-Bar")
        idents = {re.sub(r"^<\d+>.*? (\S+)\[\d+\]:.*", r"\1", line, flags=re.S) for line in syslog.lines}
        self.assertLessEqual({"paused", "mldistwatch"}, idents)
        priorities = {int(line[1:].split(">")[0]) >> 3 for line in syslog.lines}
        self.assertEqual(priorities, {3})

    def test_files(self):
        path = author_path("ANDY", "Foo-Bar-0.01.tar.gz")
        modes = {p.name: oct(p.stat().st_mode & 0o7777) for p in path.parent.iterdir()}
        self.assertEqual(oct(path.parent.stat().st_mode & 0o7777), "0o775")
        for name in ("Foo-Bar-0.01.tar.gz", "Foo-Bar-0.01.meta", "Foo-Bar-0.01.readme"):
            self.assertEqual(modes[name], "0o664")
        self.assertEqual(modes["CHECKSUMS"], "0o444")
        self.assertEqual((path.owner(), path.group()), ("pause", "pause"))
        self.assertTrue((DATA / "incoming/Foo-Bar-0.01.tar.gz").exists())
        self.assertEqual(list((DATA / "tmp").iterdir()), [])
        self.assertEqual([p for p in PUB.rglob(".*.new*")], [])

    def test_signature(self):
        lines = self.checksums().read_text().splitlines()
        self.assertTrue(lines[0].startswith("0&&<<''; #"))
        self.assertEqual(lines[1], "-----BEGIN PGP SIGNED MESSAGE-----")
        done = world.gpg("--verify", self.checksums())
        self.assertIn("Good signature", done.stderr)

    def test_expired_key_signs_nothing(self):
        # Alone in its home: beside a good key gpg would take that one.
        home = world.folder("/data/old-key", mode=0o700)
        key = world.make_key("--faked-system-time", "20200101T000000", home=home)
        self.assertIn("sec:e:", world.gpg("--with-colons", "-K", home=home).stdout)
        private.write(
            CHECKSUMS_SIGNING_KEY=key,
            CHECKSUMS_SIGNING_ARGS=f"--homedir {home} --batch --clearsign --default-key ")
        self.addCleanup(private.write)
        other = world.folder(author_path("PLAIN", "x").parent)
        (other / "file.txt").write_text("x")
        self.assertEqual(cron("update-checksums.pl").returncode, 0)
        self.assertNotIn("PGP", (other / "CHECKSUMS").read_text())

    def test_index_files(self):
        text = (PUB / "modules/02packages.details.txt").read_text()
        zipped = (PUB / "modules/02packages.details.txt.gz").read_bytes()
        self.assertEqual(gzip.decompress(zipped).decode(), text)
        head, body = text.split("\n\n")
        self.assertIn("Line-Count:", head)
        rows = [line.split() for line in body.splitlines()]
        self.assertIn(["Foo::Bar", "0.01", "A/AN/ANDY/Foo-Bar-0.01.tar.gz"], rows)
        self.assertIn("Foo::Bar,ANDY,f\n", (PUB / "modules/06perms.txt").read_text())
        for name in ("03modlist.data", "03modlist.data.gz", "06perms.txt.gz", "01modules.index.html",
                     "01modules.mtime.html", "01modules.mtime.rss"):
            self.assertTrue((PUB / "modules" / name).exists(), name)

    def test_history(self):
        command = ("git", "-C", PUB / "PAUSE-git", "log", "--format=%an %s", "master")
        log = world.as_pause(*command).stdout
        self.assertLessEqual({"PAUSE New 02packages.details.txt", "PAUSE New 06perms.txt"}, set(log.splitlines()))
        cron("mldistwatch", "--rewrite")
        self.assertEqual(world.as_pause(*command).stdout, log)

    def test_recent(self):
        text = (PUB / "authors/RECENT-1h.yaml").read_text()
        self.assertIn("path: id/A/AN/ANDY/Foo-Bar-0.01.tar.gz", text)
        self.assertEqual(os.readlink(PUB / "authors/RECENT.recent"), "RECENT-1h.yaml")
        self.assertIn("02packages.details.txt.gz", (PUB / "modules/RECENT-1h.yaml").read_text())
        # The daemon may be writing down what an earlier test has sent; a lock that was left stays.
        wait_for("an end of all locks", lambda: not list(PUB.glob("*/*.lock")))
        cron("recentfile-aggregate")
        for tree, intervals in (("authors", "1h 6h 1d 1W 1M 1Q 1Y Z"), ("modules", "1h 1d 1W Z")):
            names = {f"RECENT-{i}.yaml" for i in intervals.split()}
            self.assertEqual({p.name for p in (PUB / tree).glob("RECENT-*")}, names)
        self.assertIn("Foo-Bar", (PUB / "authors/RECENT-Z.yaml").read_text())

    def test_mails(self):
        new = mails()[self.before:]
        for to in ("andy@localhost", "testers@localhost"):
            found = [m for m in new if f"To: {to}" in m and "Subject: CPAN Upload" in m and "Foo-Bar" in m]
            self.assertEqual(len(found), 1, to)
            self.assertIn("From: upload@localhost", found[0])
        self.assertTrue([m for m in new if "indexer report" in m and "Foo::Bar 0.01: indexed" in m])

    def test_cpan_client(self):
        if not shutil.which("make"):
            self.skipTest("there is no make")
        home = world.folder("/tmp/client")
        cron("cron-daily.pl")
        config = {"urllist": [f"file://{PUB}"], "cpan_home": str(home), "build_dir": str(home / "build"),
                  "keep_source_where": str(home / "sources"), "prerequisites_policy": "ignore",
                  "connect_to_internet_ok": 0, "make": shutil.which("make"), "tar": shutil.which("tar"),
                  "gzip": shutil.which("gzip"), "histfile": str(home / "history"), "index_expire": 1,
                  "build_cache": 10, "scan_cache": "never", "inactivity_timeout": 0, "check_sigs": 0,
                  "use_sqlite": 0, "yaml_load_code": 0, "halt_on_failure": 1, "auto_commit": 0}
        values = ",".join(f"{k} => {json.dumps(v)}" for k, v in config.items())
        (home / "CPAN").mkdir()
        (home / "CPAN/MyConfig.pm").write_text(
            f"$CPAN::Config = {{{values}}};\nrequire CPAN::HandleConfig;\n"
            "$CPAN::Config->{$_} //= '' for keys %CPAN::HandleConfig::keys;\n1;\n")
        env = world.pause_environment(HOME=str(home), PERL_MM_USE_DEFAULT="1")
        program = 'CPAN::Shell->make("Foo::Bar")'
        done = world.as_pause(world.PERL, f"-I{home}", "-MCPAN", "-e", program, env=env, check=False)
        self.assertIn("make -- OK", done.stdout, done.stderr)
        self.assertIn("Checksum for", done.stdout)

    def test_what_is_gone_is_forgotten(self):
        self.addCleanup(cron, "mldistwatch")
        path = author_path("ANDY", "Foo-Baz-0.01.tar.gz")
        content = path.read_bytes()
        path.unlink()
        cron("mldistwatch")
        self.assertEqual(is_indexed("Foo::Baz")(), [])
        path.write_bytes(content)
        shutil.chown(path, "pause", "pause")
        cron("mldistwatch")
        self.assertEqual(len(is_indexed("Foo::Baz")()), 1)

    def test_too_few_index_lines(self):
        index = PUB / "modules/02packages.details.txt"
        before = index.read_text()
        private.write(ML_MIN_INDEX_LINES=1000)
        self.addCleanup(private.write)
        self.addCleanup(cron, "mldistwatch", "--rewrite")
        index.write_text("old")
        cron("mldistwatch", "--rewrite")
        self.assertEqual(index.read_text(), "old")
        private.write()
        cron("mldistwatch", "--rewrite")
        self.assertEqual(index.read_text().split("\n\n")[1], before.split("\n\n")[1])

    def test_mark_of_an_interrupted_indexer(self):
        dist = "A/AN/ANDY/Foo-Baz-0.01.tar.gz"
        db.call(f"UPDATE distmtimes SET indexed_at = NULL WHERE dist = '{dist}';"
                f"DELETE FROM packages WHERE dist = '{dist}'", "mod")
        cron("mldistwatch")
        self.assertEqual(is_indexed("Foo::Baz")(), [])
        db.call(f"DELETE FROM distmtimes WHERE dist = '{dist}'", "mod")
        cron("mldistwatch")
        self.assertEqual(len(is_indexed("Foo::Baz")()), 1)

    def test_documentation(self):
        self.assertEqual(web.upload("notes.txt", b"something to read", ADMIN).status, 200)
        wait_for("CHECKSUMS", lambda: "notes.txt" in self.checksums().read_text())

    def test_starts_again(self):
        before = len(paused_log())
        os.kill(self.daemon.process.pid, signal.SIGHUP)
        wait_for("a new start", lambda: " started" in paused_log()[before:])
        self.assertIn("starting again", paused_log()[before:])
        self.assertIsNone(self.daemon.process.poll())

    def test_owner(self):
        answer = web.upload("Steal-0.02.tar.gz", distribution("Steal", "0.02", "Foo::Bar"), USER)
        self.assertEqual(answer.status, 200)
        wait_for("a report", lambda: [m for m in mails() if "Foo::Bar: not yours" in m])
        self.assertEqual(is_indexed("Foo::Bar")()[0][0], "0.01")


class Jobs(unittest.TestCase):
    def test_every_line_of_the_crontab(self):
        table = (CHECKOUT / "cron/CRONTAB.ROOT").read_text().splitlines()
        settings = dict(l.split("=", 1) for l in table if re.match(r"\w+=", l))
        jobs = [l.split(None, 5)[5] for l in table if re.match(r"[\d*]", l)]
        self.assertEqual(len(jobs), 15)
        self.assertEqual(set(settings), {"PATH", "PAUSE_REPO", "PAUSE_ROOT"})
        sent = len(mails())
        for job in jobs:
            with self.subTest(job):
                self.assertNotIn("%", job)
                done = world.as_pause("/bin/sh", "-c", job, env=settings)
                self.assertEqual(done.stdout + done.stderr, "")
        self.assertEqual(len([m for m in mails()[sent:] if "To: admin@localhost" in m]), 2)
        self.assertIn("02STAMP", (PUB / "authors/RECENT-1h.yaml").read_text())
        origin = world.as_pause("git", "-C", DATA / "git-origin.git", "log", "--oneline", "master").stdout
        self.assertGreaterEqual(len(origin.splitlines()), 2)

    def test_dumps_load_back(self):
        cron("mysql-dump.pl")
        public = PUB / "PAUSE-data/moddump.current.bz2"
        private_dump = next((HOME / "db-backup").glob("authen_pausedump.*.bz2"))
        self.assertEqual(oct(private_dump.stat().st_mode & 0o777), "0o600")
        for file, name in ((public, "mod"), (private_dump, "authen_pause")):
            text = world.run("bzcat", file).stdout.decode("latin1")
            db.call(f"DROP DATABASE IF EXISTS scratch; CREATE DATABASE scratch; USE scratch; {text}")
            for table, in db.rows("SHOW TABLES", "scratch"):
                query = f"SELECT COUNT(*) FROM {table}"
                self.assertEqual(db.rows(query, "scratch"), db.rows(query, name), table)

    def test_deletion(self):
        path = world.folder(author_path("PLAIN", "x").parent) / "gone.txt"
        path.write_text("x")
        shutil.chown(path, "pause", "pause")
        fields = {"pause99_delete_files_FILE": "gone.txt"}
        self.assertEqual(web.post(f"{AUTHEN}?ACTION=delete_files", fields, login=USER).status, 200)
        cron("cron-daily.pl")
        self.assertTrue(path.exists())
        db.call("UPDATE deletes SET changed = changed - 73 * 3600", "mod")
        cron("cron-daily.pl")
        self.assertFalse(path.exists())
        self.assertEqual(db.rows("SELECT * FROM deletes"), [])

    def test_lists_of_authors(self):
        cron("cron-daily.pl")
        self.assertIn("alias ANDY", gzip.open(PUB / "authors/01mailrc.txt.gz", "rt").read())
        self.assertEqual(gzip.open(PUB / "authors/08pumpkings.txt.gz", "rt").read(), "ANDY\n")
        for name in ("00whois.html", "00whois.xml", "02authors.txt.gz"):
            self.assertTrue((PUB / "authors" / name).exists())

    def test_stale_lock_is_broken(self):
        lock = PUB / "authors/RECENT-1h.yaml.lock"
        program = "PAUSE::newfile_hook(shift)"
        hook = (world.PERL, "-I", CHECKOUT / "lib", "-MPAUSE", "-e", program, PUB / "authors/hooked")
        for content in (None, "1\n"):
            world.folder(lock)
            if content:
                (lock / "process").write_text(content)
                shutil.chown(lock / "process", "pause", "pause")
            world.as_pause(*hook, timeout=10)
            self.assertFalse(lock.exists())
        self.assertIn("path: hooked", (PUB / "authors/RECENT-1h.yaml").read_text())

    def test_links_that_lead_nowhere(self):
        folder = world.folder(PUB / "authors/id/Z/ZZ/ZZZ")
        (folder / "link").symlink_to("nothing")
        (folder / "CHECKSUMS").write_text("x")
        for path in (folder, folder.parent, folder.parent.parent):
            shutil.chown(path, "pause", "pause")
            os.utime(path, (0, 0))
        cron("rm_stale_links")
        self.assertEqual(list(folder.iterdir()), [])
        self.assertTrue((PUB / "authors/id").is_dir())

    def test_only_one_whole_run(self):
        lock = (HOME / "pid/mldistwatch.pid").open("a")
        shutil.chown(HOME / "pid/mldistwatch.pid", "pause", "pause")
        self.addCleanup(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.assertEqual(cron("mldistwatch", check=False).returncode, 255)
        self.assertEqual(cron("mldistwatch", "--fail-silently-on-concurrency-protection").returncode, 0)


class Closed(unittest.TestCase):
    def test_closed_and_open_again(self):
        world.CLOSED.write_text("down\n")
        self.addCleanup(world.CLOSED.unlink, missing_ok=True)
        self.assertEqual(web.get(QUERY).title, "PAUSE: the stand-in of the upload server")
        with world.Web(port=5001) as closed:
            for path in ("/", QUERY, AUTHEN, "/nothing", "/pub/PAUSE/"):
                answer = closed.get(path)
                self.assertEqual(answer.status, 200)
                self.assertIn("Closed", answer.title)
            self.assertIn("uptime", closed.get("/status").body)
            done = cron("mldistwatch", check=False)
            self.assertEqual(done.returncode, 255)
            world.CLOSED.unlink()
            self.assertIn("Closed", closed.get(QUERY).title)
        self.assertEqual(cron("mldistwatch").returncode, 0)


class Trouble(unittest.TestCase):
    def setUp(self):
        db.call("UPDATE uris SET dverified = 'Y'", "mod")

    def upload(self, name):
        self.assertEqual(web.upload(f"{name}-0.01.tar.gz", distribution(name), ADMIN).status, 200)
        return name.replace("-", "::")

    def test_database_is_away(self):
        master = web.process.pid
        for _ in range(10):
            self.assertEqual(web.get(AUTHEN, login=ADMIN).status, 200)
        with world.Daemon() as daemon:
            db.stop()
            before = len(paused_log())
            self.assertEqual(web.get(QUERY).status, 200)
            for login in (ADMIN, None):
                start = time.monotonic()
                self.assertEqual(web.get(AUTHEN, login=login).status, 500)
                self.assertLess(time.monotonic() - start, 5)
            wait_for("a complaint", lambda: "no database" in paused_log()[before:])
            db.start()
            for _ in range(10):
                self.assertEqual(web.get(AUTHEN, login=ADMIN).status, 200)
            self.assertEqual(web.process.pid, master)
            package = self.upload("After-Outage")
            wait_for(package, is_indexed(package))
            self.assertIsNone(daemon.process.poll())

    def test_mail_is_refused(self):
        private.write(mail={"": "SMTP", "_host": "127.0.0.1", "_port": "9"})
        self.addCleanup(private.write)
        package = self.upload("No-Mail")
        daemon = world.Daemon()
        self.addCleanup(daemon.stop)
        wait_for("the end of the daemon", lambda: daemon.process.poll() is not None)
        self.assertNotEqual(daemon.process.returncode, 0)
        self.assertIn("cannot send mail", daemon.said())
        self.assertEqual(db.rows("SELECT dgot FROM uris WHERE basename LIKE 'No-Mail%'"), [[""]])
        private.write()
        with world.Daemon():
            wait_for(package, is_indexed(package))

    def test_killed(self):
        package = self.upload("Kill-Me")
        daemon = world.Daemon()
        wait_for("Got", lambda: "Got 'A/AN/ANDY/Kill-Me" in paused_log())
        daemon.stop(signal.SIGKILL)
        with world.Daemon():
            wait_for(package, is_indexed(package))
        cron("recentfile-aggregate")
        wait_for("the last RECENT file", lambda: not list(PUB.glob("*/*.lock")))
        self.assertEqual(list((DATA / "tmp").iterdir()), [])

    def test_killed_at_any_time(self):
        packages = []
        for number in range(12):
            packages.append(self.upload(f"Kill-Me{number}"))
            daemon = world.Daemon()
            wait_for("the upload", lambda: f"Need to get 'A/AN/ANDY/Kill-Me{number}-" in paused_log())
            time.sleep(0.003 * number)
            os.kill(daemon.process.pid, signal.SIGKILL)
            daemon.process.wait(10)
        with world.Daemon():
            for package in packages:
                wait_for(package, is_indexed(package))
        cron("recentfile-aggregate")  # as every minute: a killed writer's lock goes with the next one
        wait_for("the last indexer", lambda: not list(PUB.glob("*/*.lock")))
        leftovers = [p for p in PUB.rglob(".*.new*")] + list((DATA / "tmp").iterdir())
        self.assertEqual(leftovers, [])

    def test_only_one_daemon(self):
        with world.Daemon() as daemon:
            pid = str(daemon.process.pid)
            wait_for("the daemon", lambda: world.Daemon.pidfile.read_text().strip() == pid)
            second = world.Daemon()
            self.assertNotEqual(second.process.wait(10), 0)
            self.assertIn("another paused holds", second.said())
            self.assertEqual(world.Daemon.pidfile.read_text().strip(), pid)
            start = time.monotonic()
            self.assertEqual(daemon.stop(), 0)
            self.assertLess(time.monotonic() - start, 2)

    def test_broken_archive_and_address(self):
        web.upload("Broken-0.01.tar.gz", b"no archive", ADMIN)
        fields = {"SUBMIT_pause99_add_uri_uri": "x", "pause99_add_uri_uri": "http://127.0.0.1:9/Away-1.tgz"}
        web.post(AUTHEN, fields, login=ADMIN)
        query = "SELECT nosuccesscount FROM uris WHERE basename IN ('Broken-0.01.tar.gz', 'Away-1.tgz')"
        with world.Daemon():
            wait_for("failures", lambda: db.rows(query) == [["1"], ["1"]])
            time.sleep(1.5)
            self.assertEqual(db.rows(query), [["1"], ["1"]])
        self.assertFalse(author_path("ANDY", "Broken-0.01.tar.gz").exists())

    def test_directory_of_the_log_is_missing(self):
        daemon = world.Daemon(PAUSE_PAUSED_LOG_FILE="/tmp/nothing/paused.log")
        self.assertNotEqual(daemon.process.wait(10), 0)
        self.assertIn("is missing", daemon.said())
        with world.Daemon(PAUSE_PAUSED_LOG_FILE="/tmp/new.log"):
            wait_for("a new log", pathlib.Path("/tmp/new.log").exists)


CASES = [EmptyBox, Routes, Accounts, FormTokens, Uploads, Tokens, Pipeline, Jobs, Closed, Trouble]


def load_tests(loader, *_):
    """In this order: the first upload comes after EmptyBox, the cron lines after Pipeline."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in CASES)


if __name__ == "__main__":
    world.enter()
    unittest.main(verbosity=2)

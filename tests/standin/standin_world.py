# SPDX-License-Identifier: MIT
"""A scratch machine for the stand-in of PAUSE: namespaces of its own in which the root is read-only
and the paths of an image hold; a database server, the web application, the daemon."""

import base64
import crypt
import http.client
import io
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import uuid

SOURCE = pathlib.Path(__file__).resolve().parents[2]
STANDIN = SOURCE / "overlays/pause-standin"
HOME = pathlib.Path("/home/pause")
CHECKOUT = HOME / "pause"
PERL = HOME / ".plenv/shims/perl"
DATA = pathlib.Path("/data/pause")
PUB = DATA / "pub/PAUSE"
GNUPG = HOME / "pause-private/gnupg-pause-batch-signing-home"
MAIL = HOME / "testmail"
CLOSED = pathlib.Path("/etc/PAUSE.CLOSED")
IDS = {"pause": 1100, "unsafe": 1101}
INSIDE = "KILN_STANDIN_INSIDE"
NAMESPACES = ["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
MODULES = [
    "CPAN::Checksums", "CPAN::DistnameInfo", "DBD::mysql", "Email::Sender", "Email::Simple", "HTTP::Date",
    "LWP::UserAgent", "Net::CIDR", "Plack", "Plack::Middleware::ReverseProxy", "Starman",
]
PROGRAMS = ["mariadbd", "mariadb-install-db", "mysqldump", "gpg", "git", "unzip", "bzip2", "ip", "unshare"]


def perl_under_test():
    return pathlib.Path(os.environ.get("KILN_STANDIN_PERL", "/usr/bin/perl"))


def missing():
    """What this machine lacks for the tests."""
    if os.geteuid() != 0:
        return ["root"]
    lacks = [f"program {p}" for p in PROGRAMS if not shutil.which(p)]
    perl = perl_under_test()
    if not perl.exists():
        return [*lacks, str(perl)]
    if subprocess.run(["unshare", *NAMESPACES, "true"], capture_output=True).returncode:
        lacks.append("leave to make namespaces")
    # A perl that was built for /opt/pause-perl finds its modules only there.
    library = [f"-I{p}" for p in perl_libraries(perl)]
    for module in MODULES:
        run = subprocess.run([perl, *library, f"-M{module}", "-e1"], capture_output=True)
        lacks += [f"module {module}"] if run.returncode else []
    return lacks


def is_bundle(perl):
    return perl.parts[-4:] == ("opt", "pause-perl", "bin", "perl")


def perl_libraries(perl):
    if not is_bundle(perl):
        return []
    folders = [f for kind in ("site_perl/", "") for f in (perl.parents[1] / "lib").glob(f"{kind}5.*")]
    return [*folders, *(a for f in folders for a in f.glob("*-linux*"))]


def enter():
    """Runs this program again in namespaces of its own; returns only there."""
    if os.environ.get(INSIDE):
        return
    lacks = missing()
    if lacks:
        print("skipped: this machine lacks " + ", ".join(lacks))
        sys.exit(77)
    env = {**os.environ, INSIDE: "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["unshare", *NAMESPACES, sys.executable, *sys.argv]
    sys.exit(subprocess.run(command, env=env).returncode)


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, **options)


def mount_tmpfs(path):
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path)


def folder(path, owner="pause", mode=0o755):
    path = pathlib.Path(path)
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    shutil.chown(path, owner, owner)
    return path


def prepare_machine():
    """The file systems. Mount points that the host lacks come from a tree of links to the host."""
    perl = perl_under_test().resolve()
    new = pathlib.Path("/mnt")
    mount_tmpfs(new)
    for entry in pathlib.Path("/").iterdir():
        if entry.name not in ("data", "dev", "etc", "home", "mnt", "opt", "proc", "run", "tmp", "var"):
            copy_mount(entry, new)
    shutil.copytree("/etc", new / "etc", symlinks=True, ignore_dangling_symlinks=True)
    for name in ("data", "dev", "home/pause/pause", "mnt", "opt/pause-perl", "proc", "run/mysqld", "tmp"):
        (new / name).mkdir(parents=True)
    run("mount", "--rbind", "/proc", new / "proc")
    make_devices(new / "dev")
    copy_mount(pathlib.Path("/var"), new)
    if is_bundle(perl):
        run("mount", "--bind", perl.parents[1], new / "opt/pause-perl")
    for name in ("data", "home", "tmp"):
        mount_tmpfs(new / name)
    (new / "tmp").chmod(0o1777)
    (new / "home/pause/pause").mkdir(parents=True)
    run("mount", "--bind", STANDIN, new / "home/pause/pause")
    run("mount", "-o", "remount,ro,bind", new / "home/pause/pause")
    add_users(new / "etc")
    os.chroot(new)
    os.chdir("/")
    run("ip", "link", "set", "lo", "up")
    socket.sethostname("standin")


def copy_mount(entry, new):
    target = new / entry.name
    if entry.is_symlink():
        target.symlink_to(os.readlink(entry))
    elif entry.is_dir():
        target.mkdir()
        run("mount", "--rbind", entry, target)


def make_devices(dev):
    for name in ("full", "null", "random", "tty", "urandom", "zero"):
        (dev / name).touch()
        run("mount", "--bind", f"/dev/{name}", dev / name)
    for name in ("shm", "pts"):
        (dev / name).mkdir()
    (dev / "fd").symlink_to("/proc/self/fd")
    (dev / "shm").chmod(0o1777)


def add_users(etc):
    for file, line in (("passwd", "{0}:x:{1}:{1}::{2}:/bin/sh"), ("group", "{0}:x:{1}:")):
        path = etc / file
        kept = [l for l in path.read_text().splitlines() if l.split(":")[0] not in IDS]
        kept += [line.format(n, i, HOME if n == "pause" else "/nonexistent") for n, i in IDS.items()]
        path.write_text("\n".join(kept) + "\n")


def prepare_home():
    """As in a container: what is written lies on the data volume, and the home is read-only."""
    folder("/data", "root")
    for name in ("log", "pid", "run", "testmail"):
        link_to_data(HOME / name, f"home/{name}")
    link_to_data(HOME / "db-backup", "home/db-backup", 0o700)
    folder(HOME / "pause-private", mode=0o750)
    link_to_data(HOME / "pause-private/lib", "state/private", 0o750)
    link_to_data(GNUPG, "state/gnupg", 0o700)
    (HOME / "log/paused.log").touch()
    shutil.chown(HOME / "log/paused.log", "pause", "pause")
    (HOME / ".gitconfig").write_text("[user]\n\tname = PAUSE\n\temail = pause@localhost\n")
    make_shims()
    folder(HOME, mode=0o700)
    run("mount", "-o", "remount,ro", "/home")


def link_to_data(path, place, mode=0o755):
    folder(f"/data/{place}", mode=mode)
    path.symlink_to(f"/data/{place}")


def make_shims():
    shims = folder(HOME / ".plenv/shims")
    perl = perl_under_test().resolve()
    prefix = pathlib.Path("/opt/pause-perl/bin") if is_bundle(perl) else perl.parent
    for name in ("perl", "plackup"):
        (shims / name).symlink_to(prefix / name)
    (shims / "rrr-aggregate").symlink_to(CHECKOUT / "bin/rrr-aggregate")


def prepare_data():
    for name in ("ftp", "pub", "incoming", "tmp"):
        folder(DATA / name)
    for name in ("authors/id", "modules", "PAUSE-git", "PAUSE-data", "scripts/new", "PAUSE-code"):
        folder(PUB / name)
    for path in (DATA, PUB, PUB / "authors", PUB / "scripts"):
        shutil.chown(path, "pause", "pause")
    origin = folder(DATA / "git-origin.git")
    as_pause("git", "init", "--quiet", "--bare", "--initial-branch", "master", origin)
    as_pause("git", "init", "--quiet", "--initial-branch", "master", PUB / "PAUSE-git")
    as_pause("git", "-C", PUB / "PAUSE-git", "remote", "add", "origin", origin)


def pause_options():
    return {"user": IDS["pause"], "group": IDS["pause"], "extra_groups": [], "cwd": CHECKOUT}


def pause_environment(**more):
    return {"PATH": f"{HOME}/.plenv/shims:/usr/bin:/bin", "HOME": str(HOME), **more}


def as_pause(*command, check=True, env=None, timeout=60):
    done = subprocess.run(
        [str(c) for c in command],
        env=env or pause_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        text=True,
        **pause_options(),
    )
    if check and done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def cron(name, *arguments, **options):
    return as_pause(CHECKOUT / "cron" / name, *arguments, **options)


def gpg(*arguments, home=GNUPG):
    return as_pause("gpg", "--homedir", home, "--batch", *arguments)


def make_key(*arguments, home=GNUPG):
    """A signing key, good for two days; returns its id."""
    gpg(*arguments, "--pinentry-mode", "loopback", "--passphrase", "", "--quick-generate-key",
        "PAUSE Batch Signing Key <pause@standin>", "rsa2048", "sign", "2d", home=home)
    keys = gpg("--with-colons", "-K", home=home).stdout.splitlines()
    return next(k.split(":")[4] for k in keys if k.startswith("sec"))


class Private:
    """PrivatePAUSE.pm; settings may be changed for a while."""

    path = HOME / "pause-private/lib/PrivatePAUSE.pm"
    settings = {"MOD_DATA_SOURCE_PW": "m0d", "AUTHEN_DATA_SOURCE_PW": "auth", "ML_MIN_FILES": 0,
                "ML_MIN_INDEX_LINES": 0, "SLEEP": 1, "UPLOAD": "upload@localhost",
                "ADMIN": "admin@localhost", "TO_CPAN_TESTERS": "testers@localhost",
                "SERVER_NAME": "standin.localdomain"}
    mail = {"": "Maildir", "_dir": str(MAIL)}

    def write(self, mail=None, **changes):
        lines = ["package PAUSE;", "our ($Config, $USE_RECENTFILE_HOOKS);", "$USE_RECENTFILE_HOOKS = 1;"]
        for key, value in {**self.settings, **changes}.items():
            lines.append(f"$Config->{{{key}}} = '{value}';")
        for key, value in (mail or self.mail).items():
            lines.append(f"$ENV{{EMAIL_SENDER_TRANSPORT{key}}} = '{value}';")
        self.path.write_text("\n".join([*lines, "1;", ""]))
        self.path.chmod(0o640)
        shutil.chown(self.path, "pause", "pause")


class Database:
    socket = "/run/mysqld/mysqld.sock"
    datadir = pathlib.Path("/data/mysql/mysql")

    def __init__(self):
        folder(self.datadir, "mysql")
        folder("/run/mysqld", "mysql")
        run("mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={self.datadir}",
            "--auth-root-authentication-method=socket", "--skip-test-db")
        self.start()

    def start(self):
        options = ["--no-defaults", "--user=mysql", f"--datadir={self.datadir}", f"--socket={self.socket}",
                   "--skip-networking", "--character-set-server=latin1", "--init-connect=SET NAMES latin1"]
        with open("/data/mysql/log", "ab") as log:
            self.process = subprocess.Popen(["mariadbd", *options], stdout=log, stderr=log)
        wait_for("the database", lambda: self.call("SELECT 1", check=False).returncode == 0)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def call(self, text, database="", check=True):
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--batch", "--skip-column-names",
                   "--default-character-set=latin1"]
        return subprocess.run([*command, *([database] if database else [])], input=text, check=check,
                              capture_output=True, text=True)

    def rows(self, query, database="mod"):
        return [line.split("\t") for line in self.call(query, database).stdout.splitlines()]

    def load(self):
        for name, user, password in (("mod", "moduser", "m0d"), ("authen_pause", "authuser", "auth")):
            self.call(
                f"CREATE DATABASE `{name}`; CREATE USER {user}@localhost IDENTIFIED BY '{password}';"
                "GRANT DELETE, INDEX, INSERT, SELECT, UPDATE, LOCK TABLES "
                f"ON `{name}`.* TO {user}@localhost;"
                f"GRANT BINLOG MONITOR, RELOAD ON *.* TO {user}@localhost;")
            self.call((CHECKOUT / f"doc/{name}.schema.txt").read_text(), name)

    def add_user(self, user, password, groups=(), salt="$2a$05$" + "a" * 21 + "."):
        self.call(f"INSERT INTO users (userid, email) VALUES ('{user}', '{user.lower()}@localhost')", "mod")
        hashed = crypt.crypt(password, salt)
        self.call(f"INSERT INTO usertable (user, password) VALUES ('{user}', '{hashed}')", "authen_pause")
        for group in groups:
            self.call(f"INSERT INTO grouptable VALUES ('{user}', '{group}')", "authen_pause")


def wait_for(what, test, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = test()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


class Program:
    """A program of user pause in the background, its output in a file."""

    count = 0

    def __init__(self, *command, **env):
        Program.count += 1
        self.output = pathlib.Path(f"/tmp/program{Program.count}")
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [str(c) for c in command],
                env=pause_environment(**env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                **pause_options(),
            )

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        return self.process.wait(30)

    def said(self):
        return self.output.read_text(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Daemon(Program):
    pidfile = HOME / "pid/paused.pid"

    def __init__(self, **env):
        super().__init__(CHECKOUT / "bin/paused", "--pidfile", self.pidfile, **env)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read().decode(errors="replace")
        self.location = response.headers.get("Location")

    @property
    def title(self):
        return self.body.split("<title>")[1].split("</title>")[0]

    @property
    def token(self):
        return self.body.split('name="csrf_token" value="')[1].split('"')[0]

    @property
    def cookie(self):
        return self.headers["Set-Cookie"].split(";")[0]


class Web(Program):
    def __init__(self, port=5000, **env):
        self.port = port
        super().__init__(HOME / ".plenv/shims/plackup", "-s", "Starman", "--host", "127.0.0.1", "--port",
                         port, "app_2026.psgi", **env)
        try:
            wait_for("the web application", self.answers)
        except AssertionError as e:
            self.stop()
            raise AssertionError(f"{e}\n{self.said()}") from None

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("it ended")
        try:
            return self.get("/status").status == 200
        except OSError:
            return False

    def request(self, method, path, body=None, headers=None, login=None):
        headers = dict(headers or {})
        if login:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, fields, headers=None, **options):
        body, kind = multipart(fields)
        return self.request("POST", path, body, {"Content-Type": kind, **(headers or {})}, **options)

    def post_form(self, path, fields, **options):
        """GETs the page of a form, then POSTs it with its token."""
        page = self.get(path, **options)
        return self.post(path, {"csrf_token": page.token, **fields}, {"Cookie": page.cookie}, **options)

    def upload(self, name, content, login, **more):
        button = "SUBMIT_pause99_add_uri_httpupload"
        fields = {"HIDDENNAME": login[0].upper(), "CAN_MULTIPART": "1", button: "x",
                  "pause99_add_uri_httpupload": (name, content), **more}
        return self.post("/pause/authenquery", fields, login=login)


def multipart(fields):
    boundary = uuid.uuid4().hex
    out = io.BytesIO()
    for name, value in fields.items():
        out.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode())
        if isinstance(value, tuple):
            out.write(f'; filename="{value[0]}"\r\nContent-Type: application/octet-stream'.encode())
            value = value[1]
        out.write(b"\r\n\r\n" + (value if isinstance(value, bytes) else value.encode()) + b"\r\n")
    out.write(f"--{boundary}--\r\n".encode())
    return out.getvalue(), f"multipart/form-data; boundary={boundary}"


def distribution(name, version="0.01", package=None, bare=False):
    """A gzipped tar with a module in it; a bare one has nothing that is not needed."""
    package = package or name.replace("-", "::")
    path = "lib/" + package.replace("::", "/") + ".pm"
    files = {
        "Makefile.PL": "use ExtUtils::MakeMaker;\n"
                       f"WriteMakefile(NAME => '{package}', VERSION_FROM => '{path}');\n",
        "META.json": '{"name": "%s", "version": "%s", "abstract": "a toy", "author": ["me"], '
                     '"dynamic_config": 0, "generated_by": "hand", "license": ["mit"], '
                     '"meta-spec": {"version": 2}, "release_status": "stable"}\n' % (name, version),
        "README": f"{package}, a toy.\n",
        path: f"package {package};\nuse strict;\nour $VERSION = '{version}';\n1;\n",
    }
    if bare:
        del files["META.json"], files["README"]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for file, text in files.items():
            info = tarfile.TarInfo(f"{name}-{version}/{file}")
            info.size, info.mtime, info.mode = len(text), int(time.time()), 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


class Syslog:
    """Listens on /dev/log."""

    def __init__(self):
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.lines.append(self.socket.recv(65536).decode(errors="replace"))


def mails():
    return [f.read_text() for f in sorted((MAIL / "new").glob("*"))] if (MAIL / "new").is_dir() else []


def paused_log():
    return (HOME / "log/paused.log").read_text()

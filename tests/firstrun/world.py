# SPDX-License-Identifier: MIT
"""A machine of its own for the real first-run: the test host's root file system under an overlay, a
data volume beside it, own mounts and processes. Nothing of it reaches the host.

Needs root, MariaDB, gpg, git, openssl.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

USERS = {"pause": 1100, "unsafe": 1101, "mysql": 110}
SHELL = "/bin/bash"
NEEDED = ["mariadbd", "mariadb-install-db", "gpg", "git", "openssl", "unshare", "setpriv"]

MOD_TABLES = """applymod chapters deletes distmtimes list2user maillists messages mlas mods p6binaries
p6dists p6provides packages perms primeur uris users""".split()
AUTHEN_TABLES = "abrakadabra auth_log auth_tokens grouptable usertable".split()
COLUMNS = {
    "users": "userid char(10) NOT NULL PRIMARY KEY, email varchar(255), fullname varchar(127), "
             "introduced int, changed int, changedby char(10)",
    "distmtimes": "dist varchar(128) NOT NULL PRIMARY KEY, distmtime int, distmdatetime datetime,"
    " indexing_at datetime, indexed_at datetime",
    "uris": "uriid varchar(255) NOT NULL PRIMARY KEY, dverified char(1) NOT NULL, nosuccesscount int NOT NULL",
    "usertable": "user char(12) NOT NULL PRIMARY KEY, password varchar(60) NOT NULL",
    "grouptable": "user char(12) NOT NULL, ugroup char(12) NOT NULL, UNIQUE (user, ugroup)",
    "auth_log": "id int NOT NULL AUTO_INCREMENT PRIMARY KEY, user varchar(9) NOT NULL,"
    " ip varchar(16) NOT NULL",
}


def missing():
    """What this machine lacks, or an empty list."""
    lacks = [name for name in NEEDED if not shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")]
    if os.geteuid() != 0:
        lacks.append("root")
    return lacks


def schema(tables, drop):
    text = "-- a small schema for tests\n"
    for table in tables:
        if drop:
            text += f"DROP TABLE IF EXISTS {table};\n"
        text += f"CREATE TABLE {table} ({COLUMNS.get(table, 'id int')}) ENGINE=InnoDB CHARSET=latin1;\n"
    return text


class Done:
    """How a command ended."""

    def __init__(self, result):
        self.code = result.returncode
        self.out = result.stdout
        self.err = result.stderr

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"


class World:
    def __init__(self, program, folder=None):
        parent = folder or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="first-run-", dir=parent))
        self.folder.chmod(0o755)
        self.program = program
        self.data = self.folder / "data"
        self.data.mkdir()
        self.read_only = False
        self.mount_data = True
        self.new_root("1111")

    def close(self):
        shutil.rmtree(self.folder)

    def new_data(self):
        shutil.rmtree(self.data)
        self.data.mkdir()

    def new_root(self, image, schema_level="2026-04"):
        """Another copy of the image: what was written to the root file system is gone."""
        self.upper = self.folder / "root"
        shutil.rmtree(self.upper, ignore_errors=True)
        self.upper.mkdir()
        self._accounts()
        self.put("/home/pause/pause/doc/mod.schema.txt", schema(MOD_TABLES, drop=False))
        self.put("/home/pause/pause/doc/authen_pause.schema.txt", schema(AUTHEN_TABLES, drop=True))
        self.put("/usr/local/share/pause/image.json", json.dumps(
            {"name": "pause", "id": image, "schema": schema_level, "standin": True}))
        self.put("/etc/cron.d/pause", "# jobs\nMAILTO=nobody\n* * * * * pause true\n")
        self.put("/etc/mailname", "image\n")
        for folder in ["/data", "/run", "/etc/ssh", "/root"]:
            (self.upper / folder[1:]).mkdir(exist_ok=True)
        (self.upper / "root").chmod(0o700)
        home = self.upper / "home/pause"
        for folder, mode in [(home, 0o700), (home / "pause-private", 0o750), (home / "pause-private/lib", 0o750)]:
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
            os.chown(folder, USERS["pause"], USERS["pause"])
        os.symlink("/data/state/private/PrivatePAUSE.pm", home / "pause-private/lib/PrivatePAUSE.pm")

    def _accounts(self):
        passwd = [line for line in pathlib.Path("/etc/passwd").read_text().splitlines()
                  if line.split(":")[0] not in USERS]
        group = [line for line in pathlib.Path("/etc/group").read_text().splitlines()
                 if line.split(":")[0] not in USERS]
        for name, number in USERS.items():
            home = "/home/pause" if name == "pause" else "/nonexistent"
            passwd.append(f"{name}:x:{number}:{number}::{home}:{SHELL}")
            group.append(f"{name}:x:{number}:")
        self.put("/etc/passwd", "\n".join(passwd) + "\n")
        self.put("/etc/group", "\n".join(group) + "\n")

    def put(self, path, text, mode=0o644):
        """A file on the root file system (or, below /data, on the volume)."""
        place = self.place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)

    def place(self, path):
        if path.startswith("/data/"):
            return self.data / path[len("/data/"):]
        return self.upper / path[1:]

    def read(self, path):
        return self.place(path).read_text()

    def shell(self, script, env=None, timeout=300, files=()):
        """Runs a shell script in the world; `files` are paths of the host to show at the same place."""
        merged, work = self.folder / "merged", self.folder / "work"
        merged.mkdir(exist_ok=True)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        setup = [
            "set -e",
            f"mount -t overlay overlay -o lowerdir=/,upperdir={self.upper},workdir={work} {merged}",
            f"cd {merged}",
            "mount -t proc proc proc",
            "mount -t sysfs sysfs sys",
            "mount --rbind /dev dev",
            "mount -t tmpfs tmpfs run",
            "mount -t tmpfs tmpfs tmp",
        ]
        if self.read_only:
            setup.append("mount -t tmpfs tmpfs var/tmp")
        if self.mount_data:
            setup.append(f"mount --bind {self.data} data")
        for path in files:
            kind = "mkdir -p" if os.path.isdir(path) else "touch"
            setup += [f"mkdir -p .{os.path.dirname(path)}", f"{kind} .{path}", f"mount --bind {path} .{path}"]
        if self.read_only:
            setup.append("mount -o remount,ro,bind .")
        setup += ["set +e", "chroot . /bin/sh -c \"$SCRIPT\"", "exit $?"]
        settings = dict(PATH="/usr/sbin:/usr/bin:/sbin:/bin", SCRIPT=script, LC_ALL="C.UTF-8")
        settings.update(env or {})
        return Done(subprocess.run(
            ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--propagation", "private",
             "/bin/sh", "-c", "\n".join(setup)],
            env=settings, capture_output=True, text=True, timeout=timeout))

    def first_run(self, *args, env=None, before="", after="", files=(), timeout=300, wrapper=""):
        """The real program. `before` and `after` are shell commands in the same world."""
        script = f"{before}\n{wrapper} {self.program} {' '.join(args)}\ncode=$?\n{after}\nexit $code"
        return self.shell(script, env=env, files=[self.program, *files], timeout=timeout)

    def apply(self, env=None, **rest):
        return self.first_run("apply", "--container", env=env, **rest)

    def sql(self, statements, user=None, password=None):
        """Rows of a question to a server that is started for it."""
        # As in the image: a socket in /run/mysqld, the server under its own user.
        login = "--user=root"
        if user:
            self.put("/root/login.cnf", f"[client]\nuser={user}\npassword={password}\n", 0o600)
            login = ""
        script = f"""
mkdir -p /run/mysqld; chown mysql:mysql /run/mysqld
mariadbd --user=mysql --datadir=/data/mysql/mysql --socket=/run/mysqld/s --skip-networking \\
    --log-error=/tmp/log --tmpdir=/tmp --pid-file=/tmp/pid >/dev/null 2>&1 &
server=$!
for i in $(seq 600); do
    mariadb --no-defaults --socket=/run/mysqld/s --user=root -e 'select 1' >/dev/null 2>&1 && break
    sleep 0.05
done
mariadb {'--defaults-file=/root/login.cnf' if user else '--no-defaults'} {login} \\
    --socket=/run/mysqld/s --batch --skip-column-names <<'END'
{statements}
END
code=$?
kill $server; wait $server
exit $code"""
        done = self.shell(script)
        if done.code != 0:
            raise RuntimeError(f"SQL failed: {done}")
        return [line.split("\t") for line in done.out.splitlines()]

    def tree(self):
        """Paths on the volume with type, mode and owner; database files and object names left out."""
        out = {}
        for folder, folders, files in os.walk(self.data):
            for name in folders + files:
                path = pathlib.Path(folder, name)
                key = str(path.relative_to(self.data))
                if key.startswith("mysql/mysql/") or "/objects/" in key or "/private-keys-v1.d/" in key \
                        or "/openpgp-revocs.d/" in key:
                    continue
                info = path.lstat()
                out[key] = (oct(info.st_mode), info.st_uid, info.st_gid)
        return out

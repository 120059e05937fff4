# SPDX-License-Identifier: MIT
"""'pause-import' and 'pause-export' of a PAUSE of the real one's size (live_size.py), on the container:
seconds of each phase, the databases held against their bound; killed once in the middle of a database
and run again; the indexer afterwards. Needs root, and what tests/bake/pause_test.py has left
(tests/run --all)."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bake"))
import docker_daemon
import live_size
import world

DATABASES_BOUND = 60
PASSWORD = "live-size-password"
IMPORT = ["pause-import", "--dumps", "/import"]


class Phases:
    """What a program says, each line with the time since the one before."""

    def __init__(self, daemon, *command):
        self.lines = []  # (seconds since the start, words)
        self.begin = time.monotonic()
        self.process = subprocess.Popen(
            ["docker", "exec", "live", *command], env=daemon.env, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic() - self.begin, line.strip()))

    def wait_for(self, words, seconds=600):
        end = time.monotonic() + seconds
        while not any(words in line for _, line in self.lines):
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"it does not say '{words}': {self.lines[-5:]}")
            time.sleep(0.05)

    def end(self):
        code = self.process.wait(900)
        self.reader.join()
        return code, time.monotonic() - self.begin

    def seconds(self, program):
        """[(words, seconds until the next)] of the program's own lines."""
        own = [(at, line) for at, line in self.lines if line.startswith(program)]
        after = [at for at, _ in own[1:]] + [time.monotonic() - self.begin]
        return [(line, then - at) for (at, line), then in zip(own, after)]


def start(daemon, folder):
    daemon.docker("run", "-d", "--name", "live", "-v", f"{folder}:/import:ro",
                  "-e", f"PAUSE_ADMIN_PASSWORD={PASSWORD}", "pause:latest")
    end = time.monotonic() + 300
    while daemon.docker("exec", "live", "pause-health", check=False).returncode != 0:
        if time.monotonic() > end:
            raise AssertionError("the container is not well after 300 s")
        time.sleep(0.5)


def inside(daemon, *command, **options):
    return daemon.docker("exec", "live", *command, **{"timeout": 900, **options})


def sql(daemon, statement):
    return inside(daemon, "mariadb", "-N", "-B", "-e", statement).stdout.split()


def processor_seconds(daemon):
    """Of the database server so far, which a busy machine changes little."""
    stat = inside(daemon, "sh", "-c", "cat /proc/$(pidof mariadbd)/stat").stdout
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def kill_in_the_middle(daemon):
    phases = Phases(daemon, *IMPORT)
    phases.wait_for("loading database mod")
    time.sleep(3)
    # The program and all that it started.
    inside(daemon, "sh", "-c", "pid=$(pgrep -o pause-import) && kill -KILL $(ps -o pid= --ppid \"$pid\") \"$pid\"")
    code, seconds = phases.end()
    if code == 0:
        raise AssertionError("the import was through before it was killed")
    inside(daemon, "test", "-e", "/etc/PAUSE.CLOSED")
    print(f"import, killed in a database after {seconds:.0f} s: PAUSE is closed")


def import_it(daemon):
    """Seconds of the databases."""
    before = processor_seconds(daemon)
    phases = Phases(daemon, *IMPORT)
    code, seconds = phases.end()
    if code != 0:
        raise AssertionError(f"the import failed: {phases.lines[-10:]}")
    if any("copying the archive" in line for _, line in phases.lines):
        raise AssertionError("the archive is copied again")
    databases = 0.0
    for line, took in phases.seconds("pause-import:"):
        print(f"  {took:6.1f} s  {line.removeprefix('pause-import: ')}")
        databases += took if "loading database" in line else 0
    print(f"import, run again: {seconds:.0f} s, the databases {databases:.1f} s (bound {DATABASES_BOUND}); "
          f"{processor_seconds(daemon) - before:.0f} s of the database server's processor time")
    return databases


def look(daemon):
    found = sql(daemon, "SELECT (SELECT COUNT(*) FROM `mod`.users), (SELECT COUNT(*) FROM `mod`.uris), "
                        "(SELECT COUNT(*) FROM `mod`.packages), (SELECT COUNT(*) FROM authen_pause.usertable), "
                        "@@innodb_flush_log_at_trx_commit")
    wanted = [live_size.USERS, live_size.UPLOADS, live_size.PACKAGES, live_size.USERS, 1]
    if found != list(map(str, wanted)):
        raise AssertionError(f"the databases have {found}, not {wanted}")
    if inside(daemon, "test", "-e", "/etc/PAUSE.CLOSED", check=False).returncode == 0:
        raise AssertionError("PAUSE is closed")


def index(daemon):
    begin = time.monotonic()
    inside(daemon, "runuser", "-u", "pause", "--", "/home/pause/pause/cron/mldistwatch")
    seconds = time.monotonic() - begin
    text = inside(daemon, "zcat", "/data/pause/pub/PAUSE/modules/02packages.details.txt.gz").stdout
    lines = re.findall(r"^Line-Count: *(\d+)$", text, re.M)
    if lines != [str(live_size.PACKAGES)]:
        raise AssertionError(f"the index has {lines} lines")
    print(f"the indexer's first run afterwards: {seconds:.0f} s, {lines[0]} lines of index")


def export(daemon):
    phases = Phases(daemon, "pause-export", "/data/export")
    code, seconds = phases.end()
    if code != 0:
        raise AssertionError(f"the export failed: {phases.lines[-10:]}")
    print(f"export: {seconds:.0f} s")


def main():
    with tempfile.TemporaryDirectory(dir=world.FAST) as folder, docker_daemon.running() as daemon:
        folder = pathlib.Path(folder)
        daemon.docker("load", "-i", world.WORK / "pause/pause.docker.tar")
        begin = time.monotonic()
        live_size.write(folder, "$2a$12$nobody")
        print(f"made {live_size.FILES} files and the dumps in {time.monotonic() - begin:.0f} s")
        try:
            start(daemon, folder)
            kill_in_the_middle(daemon)
            databases = import_it(daemon)
            look(daemon)
            index(daemon)
            export(daemon)
            if databases > DATABASES_BOUND:
                raise AssertionError("the databases took too long")
        finally:
            daemon.docker("rm", "-fv", "live", check=False)


main()

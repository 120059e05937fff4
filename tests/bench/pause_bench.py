# SPDX-License-Identifier: MIT
"""PAUSE's container: seconds until it answers, first and later starts, and the processor time of
first-run with everything that it starts, its keys given. Its machine: seconds from power-on to the
first 200, on blank and on known data. Needs root, and what tests/bake/pause_test.py has left
(tests/run --all)."""

import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bake"))
import docker_daemon
import world

GIVEN_KEY = (
    "mkdir -m 700 /run/made && cd /run/made && "
    "gpg --homedir . --batch --quiet --pinentry-mode loopback --passphrase '' "
    "--quick-generate-key 'PAUSE <pause@localhost>' rsa3072 sign 2y 2>/dev/null && "
    "gpg --homedir . --batch --quiet --pinentry-mode loopback --passphrase '' --armor --export-secret-keys "
    "> /run/key.asc && export PAUSE_SIGNING_KEY_FILE=/run/key.asc && TIMEFORMAT='%U %S' && "
    "time first-run apply --container >/dev/null 2>&1")


def seconds_until_it_answers(daemon, start):
    begin = time.monotonic()
    start()
    port = daemon.docker("port", "bench", "80").stdout.split(":")[-1].strip()
    while time.monotonic() - begin < 120:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=1).close()
            return time.monotonic() - begin
        except OSError:
            time.sleep(0.05)
    raise AssertionError("it does not answer")


def seconds_of_a_machine(data):
    """Without KVM, until 'kiln run' says where it answers: it then got a 200 from the suite's address."""
    begin = time.monotonic()
    process = subprocess.Popen(
        [world.KILN, "run", world.WORK / "pause/pause.qcow2", "--recipe", "pause-standin", "--vm",
         "--emulate", "--data", data],
        cwd=world.WORK, env=world.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        if not process.stdout.readline():
            raise AssertionError(f"'kiln run' ended with {process.wait(60)}")
        return time.monotonic() - begin
    finally:
        process.terminate()
        process.wait(120)


def bench_machine():
    with tempfile.TemporaryDirectory(dir=world.WORK) as folder:
        data = pathlib.Path(folder) / "data.qcow2"
        first, again = seconds_of_a_machine(data), seconds_of_a_machine(data)
    print(f"machine without KVM: first 200 after {first:.0f} s, on known data after {again:.0f} s")


def bench_container():
    with docker_daemon.running() as daemon:
        daemon.docker("load", "-i", world.WORK / "pause/pause.docker.tar")
        first = seconds_until_it_answers(daemon, lambda: daemon.docker(
            "run", "-d", "--name", "bench", "-p", "127.0.0.1::80", "pause:latest"))
        begin = time.monotonic()
        daemon.docker("stop", "-t", "30", "bench")
        stop = time.monotonic() - begin
        again = seconds_until_it_answers(daemon, lambda: daemon.docker("start", "bench"))
        print(f"container answers after {first:.1f} s, on a known volume after {again:.1f} s (bound 10); "
              f"stops in {stop:.1f} s (bound 10)")
        done = daemon.docker("run", "--rm", "--entrypoint", "bash", "pause:latest", "-c", GIVEN_KEY)
        user, system = map(float, done.stderr.split()[-2:])
        print(f"first-run with all that it starts, keys given: {user + system:.2f} s of processor time (bound 2)")
        daemon.docker("rm", "-fv", "bench")


bench_container()
bench_machine()

# SPDX-License-Identifier: MIT
"""A Docker daemon of the test's own: private socket and data root, the default bridge network."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import world


class Daemon:
    def __init__(self, folder):
        self.folder = folder
        self.env = dict(os.environ, DOCKER_HOST=f"unix://{folder}/d.sock",
                        DOCKER_CONFIG=str(folder / "config"))

    def docker(self, *args, check=True, **options):
        done = subprocess.run(["docker", *map(str, args)], env=self.env, capture_output=True,
                              text=True, **{"timeout": 300, **options})
        if check and done.returncode != 0:
            raise AssertionError(f"docker {args}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def gateway(self):
        """The host's address on the default bridge. `network inspect` leaves it out when the daemon made the bridge itself."""
        [bridge] = json.loads(self.docker("network", "inspect", "bridge").stdout)
        name = bridge["Options"]["com.docker.network.bridge.name"]
        addresses = subprocess.run(["ip", "-json", "-4", "address", "show", "dev", name],
                                   capture_output=True, text=True, check=True).stdout
        return json.loads(addresses)[0]["addr_info"][0]["local"]

    def is_up(self):
        return self.docker("version", check=False).returncode == 0


@contextlib.contextmanager
def running():
    """A daemon for the duration of a block; skips the test, aloud, where there can be none."""
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        raise unittest.SkipTest("a private Docker daemon needs root and docker.io")
    if world.is_chroot():
        raise unittest.SkipTest("in a chroot, 'docker exec' leads out of the container")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-docker-"))
    # Images and containers where there is memory for them; unix sockets want short paths.
    data = world.FAST / "docker"
    daemon = Daemon(folder)
    with open(folder / "dockerd.log", "w") as log:
        process = subprocess.Popen(
            ["dockerd", "--data-root", data, "--exec-root", folder / "exec",
             "-H", daemon.env["DOCKER_HOST"], "--pidfile", folder / "d.pid"],
            stdout=log, stderr=log)
    try:
        for _ in range(300):
            if daemon.is_up():
                break
            time.sleep(0.2)
        else:
            raise AssertionError(f"dockerd does not start: {(folder / 'dockerd.log').read_text()[-2000:]}")
        yield daemon
    finally:
        process.terminate()
        process.wait(60)
        lines = pathlib.Path("/proc/self/mounts").read_text().splitlines()
        mounts = [m for m in (line.split()[1] for line in lines) if str(folder) in m or str(data) in m]
        for mount in sorted(mounts, reverse=True):
            subprocess.run(["umount", "-l", mount], check=False)
        for path in (folder, data):
            shutil.rmtree(path, ignore_errors=True)

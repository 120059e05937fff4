# SPDX-License-Identifier: MIT
"""A baked image goes to a registry and comes back: Docker pulls and runs what `kiln publish registry`
pushed, and loads and runs what `kiln pull` fetched."""

import json
import pathlib
import subprocess
import tempfile
import unittest

import docker_daemon
import registry
import world

REFERENCE = world.WORK / "reference"


def setUpModule():
    global daemon, server
    daemon = unittest.enterModuleContext(docker_daemon.running())
    server = unittest.enterModuleContext(registry.running())
    # A registry on loopback needs no certificate that the daemon trusts.
    daemon.docker("login", "--username", registry.USER, "--password-stdin", server.host, input=registry.PASSWORD)


class Published(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(dir=world.FAST)))
        cls.reference = f"{server.host}/me/debian"
        done = world.succeed("publish", "registry", REFERENCE, f"{cls.reference}:1.0", "--disk", "--json",
                             env=cls.environment())
        cls.pushed = json.loads(done.stdout)

    @staticmethod
    def environment():
        return world.environment(**server.environment())

    def runs(self, image):
        """The container's Debian is the one that was baked."""
        wanted = [line.split()[6] for line in (REFERENCE / "oci.manifest").read_text().splitlines()
                  if line.split()[7] == "/usr/lib/os-release"]
        done = daemon.docker("run", "--rm", "--network", "none", "--entrypoint", "/usr/bin/sha256sum", image,
                             "/usr/lib/os-release")
        self.assertEqual(done.stdout.split()[:1], wanted)

    def test_docker_pulls_and_runs_it(self):
        image = f"{self.reference}@{self.pushed['digest']}"
        daemon.docker("pull", image)
        self.runs(image)
        [told] = json.loads(daemon.docker("inspect", image).stdout)
        self.assertEqual(told["RepoDigests"], [image])

    def test_docker_loads_and_runs_what_kiln_pulls(self):
        world.succeed("pull", f"{self.reference}:1.0", "--format", "docker", "--name", "pulled", "--out", self.folder,
                      env=self.environment())
        archive = self.folder / "pulled.docker.tar"
        said = daemon.docker("load", "-i", archive).stdout
        image = said.strip().rpartition(": ")[2]
        self.runs(image)

    def test_the_layout_comes_back_with_the_same_digest(self):
        world.succeed("pull", f"{self.reference}@{self.pushed['digest']}", "--name", "layout", "--out", self.folder,
                      env=self.environment())
        [manifest] = json.loads((self.folder / "layout.oci/index.json").read_text())["manifests"]
        self.assertEqual(manifest["digest"], self.pushed["digest"])

    def test_the_disk_comes_back_byte_for_byte(self):
        world.succeed("pull", f"{self.reference}:1.0", "--disk", "--name", "disk", "--out", self.folder,
                      env=self.environment())
        done = subprocess.run(["cmp", self.folder / "disk.qcow2", REFERENCE / "debian-minimal.qcow2"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

# SPDX-License-Identifier: MIT
"""PAUSE with the stand-in: baked, its perl at work, at rest, booted with UEFI, its layout."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import world

BOOT = world.SOURCE / "tests/vm/boot_test.py"
SCHEMAS = "/usr/share/gocode/src/github.com/opencontainers/image-spec/schema"
SERVICES = ["cron", "first-run", "mariadb", "nginx", "paused", "pause-web", "rsync", "ssh"]

TOP = "bin boot data dev etc home lib lib64 media mnt opt proc root run sbin srv sys tmp usr var".split()
KERNEL_LINKS = ["initrd.img", "initrd.img.old", "vmlinuz", "vmlinuz.old"]

# The image under test with a root shell on the serial console, and its data on the root disk.
PROBE = """\
kiln: 1
name: pause-probe
extends: pause-standin.yaml
final:
  stages:
    - stage: files
      name: console
      files:
        - file: /etc/pause/first-run.yaml
          content: |
            pause: {volume: root}
        - file: /etc/systemd/system/serial-getty@ttyS0.service.d/autologin.conf
          content: |
            [Service]
            ExecStart=
            ExecStart=-/sbin/agetty --autologin root --noclear %I 115200 linux
"""


# The image under test, whose perl is tried inside the sandbox.
PERL_PROBE = """\
kiln: 1
name: pause-perl-probe
extends: pause-standin.yaml
stages:
  - stage: files
    name: probe-file
    files: [{{file: /root/perl-probe, from: {probe}, mode: "0755"}}]
  - stage: run
    name: perl-probe
    why: the test sees what this perl can do
    script: PATH=/usr/sbin:/usr/bin:/sbin:/bin /root/perl-probe > /root/perl-probe.txt
"""


def setUpModule():
    (world.WORK / "recipes/pause-probe.yaml").write_text(PROBE)
    world.succeed("bake", "pause", "--source", "pause=standin", "--refresh", "--check", "none",
                  "--out", world.WORK / "pause")
    world.succeed("lock", "pause-probe")
    (world.WORK / "recipes/pause-perl-probe.yaml").write_text(
        PERL_PROBE.format(probe=world.SOURCE / "tests/bake/perl_probe.pl"))
    world.succeed("lock", "pause-perl-probe")
    print(world.succeed("bake", "pause-probe", "--image", "qcow2", "--out", world.WORK / "probe").stderr)


class Perl(unittest.TestCase):
    def test_works(self):
        world.succeed(
            "bake", "pause-perl-probe", "--image", "oci", "--out", world.WORK / "perl-probe")
        record = world.load_record(world.WORK / "perl-probe")
        said = (world.stage_folder(record, "perl-probe") / "tree/root/perl-probe.txt").read_text()
        print(said)
        lines = dict(line.split(" ", 1) for line in said.splitlines())
        self.assertEqual(lines["modules"], "65")
        self.assertEqual(lines["mysql"], "4.050 seven MariaDB")
        self.assertEqual(lines["tls"], "verified refused without its CA")
        self.assertEqual(lines["page"], "baked by kiln")
        shims = "/home/pause/.plenv/shims"
        self.assertEqual(lines["pause"].split(), [f"{shims}/perl", f"{shims}/plackup", "v5.40.1"])
        self.assertEqual(lines["system"], "/usr/bin/perl v5.36.0")


class Source(unittest.TestCase):
    def test_an_unknown_word_is_told(self):
        done = world.kiln("bake", "pause", "--source", "pause=standn")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("or one of the alternatives: standin", done.stderr)

    def test_the_real_one_needs_its_lock(self):
        done = world.kiln("bake", "pause", "--offline")
        self.assertEqual(done.returncode, 3, done.stderr)


class Disk(unittest.TestCase):
    def test_boots_without_network_card(self):
        done = subprocess.run(
            [sys.executable, BOOT, world.WORK / "probe/pause-probe.qcow2", "--no-network", "--expect", "login:"],
            capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-2000:])

    def test_boots_with_uefi(self):
        command = [sys.executable, BOOT, world.WORK / "probe/pause-probe.qcow2",
                   "--firmware", "uefi", "--grow", "6G", "--login", "root",
                   "--run", "systemctl is-system-running --wait",
                   "--run", "systemctl is-active multi-user.target"]
        for service in SERVICES:
            command += ["--run", f"systemctl is-active {service}"]
        command += [
            "--run", "test -z \"$(systemctl list-units --failed --plain --no-legend)\"",
            "--run", "mariadb -e 'SELECT 1'",
            "--run", "timeout 90 sh -c 'until curl -skf https://127.0.0.1/pause/query | grep stand-in; do sleep 1; done'",
            "--run", "test -s /etc/machine-id && test -s /etc/ssh/ssh_host_ed25519_key",
            "--run", "test \"$(df --output=size -B1M / | tail -1)\" -gt 4000",
            "--shutdown",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
        print(done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-2000:])

    def test_nothing_complains_at_rest(self):
        manifest = (world.WORK / "pause/vm.manifest").read_text()
        self.assertNotIn(" /etc/ssh/ssh_host_", manifest)
        self.assertNotIn(" /usr/sbin/rsyslogd", manifest)
        self.assertIn(" /var/lib/mysql target=/data/mysql/mysql", manifest)
        self.assertIn(" /home/ftp target=/data/pause", manifest)
        machine_id = next(l for l in manifest.splitlines() if l.split()[7] == "/etc/machine-id")
        self.assertEqual(machine_id.split()[5], "0")


class Layout(unittest.TestCase):
    def test_root_folder_holds_what_debian_has_there(self):
        for image, more in (("vm", KERNEL_LINKS), ("oci", [])):
            lines = (world.WORK / f"pause/{image}.manifest").read_text().splitlines()
            paths = {line.split(" ")[7] for line in lines}
            top = {path[1:] for path in paths if path.count("/") == 1 and path != "/"}
            self.assertEqual(sorted(top - {*TOP, *more}), [])
            self.assertIn("usr", top)

    def test_umoci_unpacks_the_recorded_tree(self):
        with tempfile.TemporaryDirectory(dir=world.FAST) as folder:
            subprocess.run(
                ["umoci", "unpack", "--image", f"{world.WORK}/pause/pause.oci:latest", f"{folder}/b"],
                check=True, capture_output=True,
            )
            found = subprocess.run(
                [os.environ["KILN_MANIFEST_TOOL"], f"{folder}/b/rootfs"], check=True, capture_output=True
            ).stdout
        recorded = (world.WORK / "pause/oci.manifest").read_bytes()
        differences = set(found.splitlines()) ^ set(recorded.splitlines())
        self.assertEqual(sorted(differences)[:10], [])
        record = world.load_record(world.WORK / "pause")
        self.assertEqual("sha256:" + hashlib.sha256(found).hexdigest(), record["trees"]["oci.manifest"])

    def test_fits_the_schemas_of_the_specification(self):
        done = subprocess.run(
            [sys.executable, world.SOURCE / "tests/functional/check_oci_schemas.py", SCHEMAS,
             world.WORK / "pause/pause.oci"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @unittest.skipIf(world.is_plain_chroot(), "podman unpacks nothing in a plain chroot")
    def test_podman_loads_it(self):
        with tempfile.TemporaryDirectory(dir=world.FAST) as folder:
            storage = ["--root", f"{folder}/root", "--runroot", f"{folder}/run", "--storage-driver", "vfs"]
            subprocess.run(
                ["podman", *storage, "load", "-i", world.WORK / "pause/pause.docker.tar"],
                check=True, capture_output=True, text=True,
            )
            names = subprocess.run(
                ["podman", *storage, "images", "--format", "json"], check=True, capture_output=True, text=True
            ).stdout
            self.assertIn("pause:latest", json.dumps(json.loads(names)))


if __name__ == "__main__":
    unittest.main(verbosity=2)

# SPDX-License-Identifier: MIT
"""`kiln accept` and `kiln run` with machines, emulated: the minimal image by its own suite, and one with
sshd that gets its key as a credential, with a data disk that outlives the root."""

import json
import os
import signal
import subprocess
import unittest

import world

PROBE = """\
kiln: 1
name: accept-probe
extends: debian-minimal.yaml
accept: accept/probe.yaml
ids: {users: {sshd: 101}, groups: {_ssh: 103}}
stages:
  - stage: packages
    name: ssh
    install: [openssh-server]
vm:
  stages:
    - stage: files
      name: keys
      files:
        - file: /etc/systemd/system/ssh.service.d/keys.conf
          content: |
            [Service]
            ExecStartPre=
            ExecStartPre=/usr/bin/ssh-keygen -A
            ExecStartPre=/usr/sbin/sshd -t
"""
SUITE = """\
kiln: 1
suite: probe
variables: {word: "it's me"}
vm:
  memory: 512MiB
  data_disk: 64MiB
  seed: {answers.yaml: "word: ${word}\\nkey: ${ssh_key}\\n"}
setup:
  - setup: data
    timeout: 2m
    run: |
      inside sh -c 'echo kept | dd of=/dev/disk/by-id/virtio-data bs=512 conv=sync,fsync && touch /gone'
checks:
  - check: words
    title: words, input and exit codes pass through ssh
    run: |
      test "$(inside printf '<%s>' "two  words" "it's" '$HOME' '')" = "<two  words><it's><\\$HOME><>"
      test "$(echo in | inside cat)" = in
      status=0; inside sh -c 'exit 5' || status=$?
      test "$status" = 5
  - check: seed
    title: the seed drive is there, with long names
    run: |
      inside sh -c 'mkdir -p /seed && mount -o ro LABEL=CIDATA /seed && cat /seed/answers.yaml && ls /seed' >seed
      grep "^word: it's me$" seed
      grep '^key: ssh-ed25519 ' seed
      grep '^user-data$' seed
  - check: power
    title: it comes back after a power cut
    timeout: 5m
    run: |
      instance kill
      instance start
      instance ready
      inside true
  - check: renew
    title: the data disk outlives the root
    timeout: 5m
    after: [data]
    run: |
      instance renew
      if inside test -e /gone; then exit 1; fi
      test "$(inside head -n 1 /dev/disk/by-id/virtio-data)" = kept
"""


def setUpModule():
    (world.WORK / "recipes/accept-probe.yaml").write_text(PROBE)
    (world.WORK / "recipes/accept/probe.yaml").write_text(SUITE)


class Machines(unittest.TestCase):
    def accept(self, *args):
        done = world.kiln("accept", *args, "--emulate", "--json")
        report = json.loads(done.stdout or "{}")
        self.assertEqual(done.returncode, 0, json.dumps(report, indent=1) + done.stderr)
        return {check["check"]: check["outcome"] for check in report["checks"]}

    def test_minimal_image_passes_its_suite(self):
        found = self.accept(world.WORK / "reference/debian-minimal.qcow2", "--recipe", "debian-minimal")
        self.assertEqual(set(found.values()), {"passed"}, found)

    def test_ssh_data_and_power(self):
        world.succeed("bake", "accept-probe", "--refresh", "--image", "qcow2", "--check", "none")
        found = self.accept("accept-probe", "--vm")
        self.assertEqual(set(found.values()), {"passed"}, found)

    def begin(self, *args):
        process = subprocess.Popen(
            [world.KILN, *args, world.WORK / "reference/debian-minimal.qcow2", "--emulate"],
            cwd=world.WORK, env=world.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_run_says_where_and_ends_cleanly(self):
        process = self.begin("run", "--firmware", "uefi", "--json")
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "}\n":
                break
        self.assertEqual(json.loads("".join(lines))["kind"], "vm")
        children = subprocess.run(
            ["pgrep", "-P", str(process.pid), "qemu"], capture_output=True, text=True).stdout.split()
        self.assertEqual(len(children), 1)
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 0, errors)
        self.assertFalse(os.path.exists(f"/proc/{children[0]}"))
        self.assertIn("Ctrl-C", errors)

    def test_interrupting_a_boot_leaves_nothing(self):
        process = self.begin("accept", "--recipe", "debian-minimal")
        for line in process.stderr:
            if "waiting for the VM" in line:
                break
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn("interrupted", errors)


if __name__ == "__main__":
    unittest.main(verbosity=2)

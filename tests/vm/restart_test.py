#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot_test.py starts a machine again that the host stalled, and only such a one."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import boot_test

BOOT = pathlib.Path(__file__).with_name("boot_test.py")

# Stands in for QEMU: each start plays the next line of the script, then says nothing more.
QEMU = """#!/bin/sh
sed -n 1p "$SCRIPT"
sed -i 1d "$SCRIPT"
exec sleep 20
"""
STALLS = "Linux version 6.1"
BOOTS = "Linux version 6.1 ... Run /init as init process, login:"


class Restart(unittest.TestCase):
    def boot(self, *starts):
        with tempfile.TemporaryDirectory() as folder:
            qemu = pathlib.Path(folder, "qemu-system-x86_64")
            qemu.write_text(QEMU)
            qemu.chmod(0o755)
            script = pathlib.Path(folder, "script")
            script.write_text("".join(start + "\n" for start in starts))
            disk = pathlib.Path(folder, "disk.raw")
            disk.write_bytes(bytes(1 << 20))
            path = f"{folder}:{os.environ['PATH']}"
            return subprocess.run(
                [sys.executable, BOOT, disk, "--expect", "login:", "--standstill", "0.5", "--timeout", "3"],
                env=dict(os.environ, PATH=path, SCRIPT=script, TMPDIR=folder), capture_output=True, text=True)

    def test_starts_a_stalled_machine_again(self):
        done = self.boot(STALLS, BOOTS)
        self.assertIn("started again: the kernel stands still after 'Linux version 6.1'", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_gives_up_after_three_stalls(self):
        done = self.boot(STALLS, STALLS, STALLS, BOOTS)
        self.assertIn("failed: the kernel stands still after", done.stdout)
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_does_not_excuse_a_silent_system(self):
        done = self.boot("Linux version 6.1 ... Run /init as init process", BOOTS)
        self.assertIn("failed: 'login:' was not seen", done.stdout)
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_does_not_excuse_a_panic(self):
        done = self.boot("Linux version 6.1 ... Kernel panic - not syncing", BOOTS)
        self.assertIn("failed: the console says: Kernel panic", done.stdout)
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_follows_escape_sequences_over_reads(self):
        machine = boot_test.Machine.__new__(boot_test.Machine)
        machine.forget()
        for piece in (b"exec sh\r\n\x1b", b"[?20", b"04l# \xe2\x80", b"\xa6"):
            machine.hear(piece)
        self.assertEqual(machine.log, "exec sh\n# \u2026")


if __name__ == "__main__":
    unittest.main()

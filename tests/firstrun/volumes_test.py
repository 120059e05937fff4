#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The real first-run as on a machine: data volumes on loop devices, each case with its message.

    tests/firstrun/volumes_test.py PROGRAM [unittest arguments]

Exit status 77: this machine cannot run the test (the reason is printed).
"""

import os
import pathlib
import subprocess
import sys
import threading
import time
import unittest

import world

PROGRAM = None
MEBIBYTE = 1 << 20
SMALL = {"FIRST_RUN_MINIMUM_VOLUME": "64MiB"}


def run(*args, **rest):
    return subprocess.run(args, check=True, capture_output=True, text=True, **rest).stdout.strip()


def attach(image, *options):
    return run("losetup", "--find", "--show", *options, str(image))


class Machine(unittest.TestCase):
    def setUp(self):
        self.machine = world.World(PROGRAM)
        self.machine.mount_data = False
        self.addCleanup(self.machine.close)

    def image(self, name="disk", size=1100):
        path = self.machine.folder / name
        with open(path, "wb") as file:
            file.truncate(size * MEBIBYTE)
        return path

    def device(self, image, *options):
        device = attach(image, *options)
        self.addCleanup(subprocess.run, ["losetup", "--detach", device])
        return device

    def apply(self, env, **rest):
        return self.machine.first_run("apply", env={"PAUSE_VOLUME_WAIT": "0", **env}, **rest)

    def refused(self, env, *messages, **rest):
        done = self.apply(env, **rest)
        self.assertEqual(done.code, 1, done)
        for message in (*messages, "in step '"):
            self.assertIn(message, done.err)
        return done

    def accepted(self, env, **rest):
        done = self.apply(env, **rest)
        self.assertEqual(done.code, 0, done)
        return done


class Good(Machine):
    def test_blank_device_is_formatted_and_serves_two_roots(self):
        device = self.device(self.image())
        show = "cat /data/state/admin-password /etc/ssh/ssh_host_ed25519_key.pub /etc/hostname; hostname; cat /etc/hosts"
        plan = self.machine.first_run("plan", env={"PAUSE_VOLUME": device})
        self.assertIn(f"volume: {device} is blank: it will be formatted", plan.out)
        first = self.accepted({"PAUSE_VOLUME": device, "PAUSE_HOSTNAME": "pause.example.org",
                               "PAUSE_AUTHORIZED_KEYS": "ssh-ed25519 AAAA me@here"}, after=show)
        self.assertIn("volume: mounted", first.err)
        self.assertIn("127.0.1.1\tpause.example.org pause", first.out)
        self.assertEqual(run("blkid", "-p", "-o", "value", "-s", "LABEL", device), "pause-data")
        self.assertIn("ssh-ed25519 AAAA me@here", self.machine.read("/root/.ssh/authorized_keys"))
        self.assertEqual((self.machine.upper / "etc/ssh/ssh_host_rsa_key").stat().st_mode & 0o777, 0o600)
        second = self.accepted({"PAUSE_VOLUME": device}, after=show)
        self.assertEqual(second.out, first.out)
        self.machine.new_root("2222")
        third = self.accepted({}, after=show)  # by the label that first-run gave it
        self.assertEqual(third.out, first.out)

    def test_two_machines_share_no_secret(self):
        show = """grep _PW /data/state/private/PrivatePAUSE.pm; grep fingerprint /data/state/signing-key.json
            cut -d' ' -f2 /etc/ssh/ssh_host_*_key.pub; sed -n 2p /data/state/tls/key.pem; cat /data/state/admin-password"""
        found = []
        for name in ("one", "two"):
            self.machine.new_root("1111")
            done = self.accepted({"PAUSE_VOLUME": self.device(self.image(name))}, after=show)
            found.append(set(done.out.splitlines()))
        self.assertEqual([len(secrets) for secrets in found], [8, 8])
        self.assertEqual(found[0] & found[1], set())

    def test_database_volume(self):
        one, two = self.device(self.image()), self.device(self.image("second"))
        env = {"PAUSE_VOLUME": one, "PAUSE_DATABASE_VOLUME": two}
        done = self.accepted(env, after="findmnt -no SOURCE /data/mysql; ls /data/mysql/mysql/mod | wc -l")
        self.assertEqual(done.out.split()[0], two)
        self.accepted({"PAUSE_VOLUME": one})  # the second one is remembered

    def test_late_device(self):
        image = self.image()
        run("mkfs.ext4", "-q", "-F", "-L", "pause-late", str(image))
        attached = []

        def later():
            time.sleep(2)
            attached.append(attach(image))

        thread = threading.Thread(target=later)
        thread.start()
        try:
            done = self.accepted({"PAUSE_VOLUME": "label=pause-late", "PAUSE_VOLUME_WAIT": "60"})
        finally:
            thread.join()
            subprocess.run(["losetup", "--detach", attached[0]])
        self.assertIn("waiting up to 60 s for the data volume 'label=pause-late'", done.err)
        self.assertIn("the data volume appeared after", done.err)

    def test_killed_format_is_done_again(self):
        image = self.image()
        with open(image, "r+b") as file:
            file.seek(4096)
            file.write(b"half a file system")
        device = self.device(image)
        self.refused({"PAUSE_VOLUME": device}, "has no signature, but is not blank")
        # Another disk may get the name and be of the same size.
        self.machine.put("/var/lib/pause-first-run/formatting", f"{1100 * MEBIBYTE} {image}.other\n")
        self.refused({"PAUSE_VOLUME": device}, "has no signature, but is not blank")
        self.machine.put("/var/lib/pause-first-run/formatting", f"{1100 * MEBIBYTE} {image}\n")
        self.accepted({"PAUSE_VOLUME": device})
        self.assertFalse((self.machine.upper / "var/lib/pause-first-run/formatting").is_file())

    def test_data_far_from_the_beginning_is_seen(self):
        for at in (600 * MEBIBYTE, 1100 * MEBIBYTE - 1):
            image = self.image()
            with open(image, "r+b") as file:
                for place in range(at - at % MEBIBYTE, min(at + 40 * MEBIBYTE, 1100 * MEBIBYTE), MEBIBYTE // 2):
                    file.seek(place)
                    file.write(b"of somebody else")
            self.refused({"PAUSE_VOLUME": self.device(image)}, "has no signature, but is not blank")

    def test_file_system_is_never_formatted(self):
        # A run killed after mkfs leaves its note; the volume may have got its data since, by hand.
        image = self.image()
        run("mkfs.ext4", "-q", "-F", "-L", "pause-data", str(image))
        device = self.device(image)
        uuid = run("blkid", "-p", "-o", "value", "-s", "UUID", device)
        self.machine.put("/var/lib/pause-first-run/formatting", f"{1100 * MEBIBYTE} {image}\n")
        self.accepted({"PAUSE_VOLUME": device})
        self.assertEqual(run("blkid", "-p", "-o", "value", "-s", "UUID", device), uuid)
        self.assertFalse((self.machine.upper / "var/lib/pause-first-run/formatting").is_file())

    def test_root_disk(self):
        self.accepted({"PAUSE_VOLUME": "root"})

    def test_answers_on_a_config_drive_and_in_user_data(self):
        self.machine.put("/var/lib/cloud/instance/user-data.txt",
                         "#cloud-config\npackages: [x]\npause:\n  volume: root\n  hostname: pause.cloud\n")
        self.accepted({})
        self.assertIn("pause.cloud", self.machine.read("/etc/hosts"))
        self.machine.put("/var/lib/cloud/instance/user-data.txt", "#cloud-config\npause:\n  hostnme: x\n")
        done = self.apply({})
        self.assertEqual(done.code, 3)
        self.assertIn("/var/lib/cloud/instance/user-data.txt:3:3: unknown key 'hostnme'", done.err)


class Refused(Machine):
    def test_absent(self):
        done = self.refused({}, "the data volume 'label=pause-data' did not appear within 0 s",
                            "set 'volume' to a blank device")
        self.assertIn("PATH", done.err)  # what devices there are
        self.refused({"PAUSE_VOLUME": "/dev/nothing"}, "the data volume '/dev/nothing' did not appear within 0 s")
        self.refused({"PAUSE_VOLUME": "digitalocean=x"}, "the data volume 'digitalocean=x' did not appear within 0 s")
        self.refused({"PAUSE_VOLUME": "vg=nothing"}, "the data volume 'vg=nothing' did not appear within 0 s")

    def test_too_small(self):
        device = self.device(self.image(size=100))
        self.refused({"PAUSE_VOLUME": device}, "is too small: 100.0 MiB of 1.0 GiB")

    def test_foreign_file_system(self):
        image = self.image()
        run("mkswap", str(image))
        self.refused({"PAUSE_VOLUME": self.device(image)}, "contains swap, which first-run does not overwrite")

    def test_partitioned(self):
        image = self.image()
        run("sfdisk", "--quiet", str(image), input="label: gpt\nsize=10M\n")
        self.refused({"PAUSE_VOLUME": self.device(image)}, "is a partitioned disk (gpt)")

    def test_lvm_member(self):
        image = self.image()
        with open(image, "r+b") as file:  # a label of LVM as blkid knows it
            file.seek(512)
            file.write(self.lvm_label())
        self.refused({"PAUSE_VOLUME": self.device(image)}, "belongs to a volume group of LVM")

    @staticmethod
    def lvm_label():
        label = bytearray(512)
        label[0:8] = b"LABELONE"
        label[8:16] = (1).to_bytes(8, "little")
        label[20:24] = (32).to_bytes(4, "little")
        label[24:32] = b"LVM2 001"
        label[32:64] = b"0123456789abcdefghijABCDEFGHIJ01"
        crc = 0xF597A6CF
        table = (0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
                 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C)
        for byte in label[20:]:
            crc ^= byte
            crc = (crc >> 4) ^ table[crc & 15]
            crc = (crc >> 4) ^ table[crc & 15]
        label[16:20] = crc.to_bytes(4, "little")
        return bytes(label)

    def test_read_only(self):
        image = self.image()
        run("mkfs.ext4", "-q", "-F", str(image))
        self.refused({"PAUSE_VOLUME": self.device(image, "--read-only")}, "is read-only")

    def filled(self, fill, size=1100):
        """A device with a file system and what a shell script puts into it."""
        image = self.image(size=size)
        run("mkfs.ext4", "-q", "-F", str(image))
        device = self.device(image)
        done = self.machine.shell(f"set -e; mount {device} /mnt; cd /mnt; {fill}; cd /; umount /mnt")
        self.assertEqual(done.code, 0, done)
        return device

    def test_full(self):
        device = self.filled("mkdir state; fallocate -l 200M state/big", size=320)
        self.refused({"PAUSE_VOLUME": device, **SMALL}, "the data volume is full: ", "256.0 MiB needed")

    def test_files_of_somebody_else(self):
        device = self.filled("mkdir photos music")
        self.refused({"PAUSE_VOLUME": device}, "the data volume contains files that do not belong to PAUSE: music, photos")

    def test_other_user_numbers(self):
        device = self.filled("mkdir -p mysql/mysql; touch mysql/mysql/ibdata1; chown -R 107:107 mysql/mysql")
        self.refused({"PAUSE_VOLUME": device}, "'/data/mysql/mysql' on the data volume is owned by ", "expected mysql (110)")

    def test_database_volume_over_databases(self):
        one, two = self.device(self.image()), self.device(self.image("second"))
        self.accepted({"PAUSE_VOLUME": one})
        self.refused({"PAUSE_VOLUME": one, "PAUSE_DATABASE_VOLUME": two},
                     "the data volume already contains databases", "in step 'database-volume'")

    def test_damaged(self):
        image = self.image()
        run("mkfs.ext4", "-q", "-F", str(image))
        with open(image, "r+b") as file:  # the first group's descriptors and what follows
            file.seek(4096)
            file.write(b"\xa5" * 4096)
        done = self.apply({"PAUSE_VOLUME": self.device(image)})
        self.assertIn(done.code, (0, 1), done)  # a spare superblock may save it
        if done.code == 1:
            self.assertIn("is damaged", done.err)


if __name__ == "__main__":
    lacks = world.missing()
    if not lacks:
        probe = subprocess.run(["losetup", "--find"], capture_output=True, text=True)
        if probe.returncode != 0:
            lacks.append("loop devices")
    if lacks:
        print(f"skipped: this machine lacks {', '.join(lacks)}")
        sys.exit(77)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()

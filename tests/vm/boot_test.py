#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots a disk image in QEMU and watches its serial console.

The image itself is never written to: the machine gets an overlay in a scratch directory. Needs
neither root nor KVM. Exit status: 0 all that was expected has been seen, 1 it has not, 77 this
machine cannot run the test (the reason is printed).

    tests/vm/boot_test.py pause.qcow2 --expect 'login:'
    tests/vm/boot_test.py pause.raw --firmware uefi --memory 2048 --data 4G \\
        --login root --run 'systemctl --failed --no-legend' --shutdown
    tests/vm/boot_test.py root.qcow2 --kernel vmlinuz --initrd initrd.img --append 'root=/dev/vda ro'

Other tests import Machine.
"""

import argparse
import codecs
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# What a healthy boot never prints.
FAULTS = [
    r"Kernel panic",
    r"emergency mode",
    r"rescue mode",
    r"\[FAILED\]",
    r"Failed to start",
    r"grub rescue>",
    r"error: no such device",
    r"No bootable device",
    r"BdsDxe: No bootable option",
]
# What an emulated machine may do on a busy host through no fault of its image: the kernel's first
# look at its timer fails, or the kernel stands still between its first line and its first program
# (an interrupt between two emulated processors got lost). Such a machine is started again, aloud.
STARVED = "IO-APIC + timer doesn't work"
KERNEL_STARTS = "Linux version "
KERNEL_ENDS = "Run /init as init process"
STANDSTILL = 90  # seconds without a line; loaded hosts were seen to need 10
STARTS = 3
# A shell's prompt, perhaps with a kernel message on its heels.
PROMPT = r"[#$] (?=\[ *\d|$)"
# The start of an escape sequence whose end is yet to come.
CUT = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*|[()])?\Z")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][0-9A-Z]|\x1b[=>c7-8]|\r|\x00")
OVMF_CODE = "/usr/share/OVMF/OVMF_CODE.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS.fd"
QEMU = "qemu-system-x86_64"


class Skip(Exception):
    """This machine cannot run the test."""


class Failure(Exception):
    """The machine did not do what was expected."""


class Starved(Failure):
    """The host did not emulate the machine as it should; another start may do."""


class Machine:
    """One virtual machine. Use as a context manager: the machine ends with the block."""

    def __init__(self, image, image_format, folder, **options):
        self.folder = folder
        self.options = options
        self.forget()
        self.started = None
        self.heard = None  # when the console last printed something
        self.process = None
        self.faults = re.compile("|".join(FAULTS + options.get("faults", [])))
        overlay = os.path.join(folder, "disk.qcow2")
        self._run_tool(
            "qemu-img", "create", "-q", "-f", "qcow2", "-F", image_format,
            "-b", os.path.abspath(image), overlay)
        if options.get("grow"):
            self._run_tool("qemu-img", "resize", "-q", overlay, options["grow"])
        self.disks = [overlay]
        for number, size in enumerate(options.get("data", [])):
            disk = os.path.join(folder, f"data{number}.qcow2")
            self._run_tool("qemu-img", "create", "-q", "-f", "qcow2", disk, size)
            self.disks.append(disk)

    def forget(self):
        """Starts with an empty console."""
        self.log = ""  # everything printed so far, without escape sequences
        self.seen = 0  # how much of it earlier waits have used up
        self.pending = ""  # what may be the start of an escape sequence
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @staticmethod
    def _run_tool(*command):
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def _firmware(self):
        if self.options.get("firmware", "bios") == "bios":
            return []
        if not os.path.exists(OVMF_CODE):
            raise Skip(f"no UEFI firmware at {OVMF_CODE} (package ovmf)")
        variables = os.path.join(self.folder, "uefi-variables.fd")
        shutil.copyfile(OVMF_VARS, variables)
        return [
            "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF_CODE}",
            "-drive", f"if=pflash,format=raw,unit=1,file={variables}",
        ]

    def _command(self):
        options = self.options
        # Always emulated: the same everywhere. erms and fsrm are off since emulation walks the copies
        # that they recommend byte by byte.
        machine = ["-accel", "tcg,thread=multi", "-cpu", "max,la57=off,erms=off,fsrm=off"]
        command = [
            QEMU, "-nodefaults", "-no-user-config", "-machine", "q35", *machine,
            "-m", str(options.get("memory", 1024)), "-smp", str(options.get("cpus", 2)),
            "-display", "none", "-no-reboot", "-serial", "stdio", "-monitor", "none",
            "-qmp", f"unix:{os.path.join(self.folder, 'qmp')},server=on,wait=off",
            "-device", "virtio-rng-pci", *self._firmware(),
        ]
        for number, disk in enumerate(self.disks):
            command += [
                "-drive", f"if=none,id=d{number},format=qcow2,cache=unsafe,file={disk}",
                "-device", f"virtio-blk-pci,drive=d{number},bootindex={number + 1}",
            ]
        for number, disk in enumerate(options.get("cdroms", [])):
            command += [
                "-drive", f"if=none,id=c{number},format=raw,readonly=on,file={disk}",
                "-device", f"virtio-blk-pci,drive=c{number}",
            ]
        if options.get("network", True):
            # restrict: the guest reaches nothing outside, and nothing reaches it but these ports.
            forwards = "".join(
                f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for host, guest in options.get("forward", []))
            command += ["-netdev", f"user,id=n0,restrict=on{forwards}",
                        "-device", "virtio-net-pci,netdev=n0,romfile="]
        if options.get("kernel"):
            command += ["-kernel", options["kernel"], "-append", options.get("append", "")]
            if options.get("initrd"):
                command += ["-initrd", options["initrd"]]
        return command

    def start(self):
        if shutil.which(QEMU) is None:
            raise Skip(f"no {QEMU} (package qemu-system-x86)")
        with open(os.path.join(self.folder, "qemu.log"), "wb") as errors:
            self.process = subprocess.Popen(
                self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self.started = self.heard = time.monotonic()
        os.set_blocking(self.process.stdout.fileno(), False)

    def kill(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with open(os.path.join(self.folder, "serial.log"), "w", encoding="utf-8") as log:
            log.write(self.log)

    def seconds(self):
        return time.monotonic() - self.started

    def _read(self, wait):
        """Takes what the console printed meanwhile; False once the machine has ended."""
        ready, _, _ = select.select([self.process.stdout], [], [], wait)
        if not ready:
            return self.process.poll() is None
        data = self.process.stdout.read()
        if data == b"":
            return False
        text = self.hear(data or b"")
        self.heard = time.monotonic()
        if self.options.get("echo"):
            sys.stderr.write(text)
        return True

    def hear(self, data):
        """Adds bytes of the console to the log; returns their text."""
        text = self.pending + self.decoder.decode(data)
        cut = CUT.search(text)
        self.pending = cut.group() if cut else ""
        text = ESCAPES.sub("", text.removesuffix(self.pending))
        self.log += text
        return text

    def _check_faults(self):
        found = self.faults.search(self.log)
        if found:
            line = next(x for x in self.log[found.start():].splitlines() if x)
            kind = Starved if STARVED in self.log else Failure
            raise kind(f"the console says: {line.strip()}")
        in_kernel = KERNEL_STARTS in self.log and KERNEL_ENDS not in self.log
        if in_kernel and time.monotonic() - self.heard > self.options.get("standstill", STANDSTILL):
            last = self.log.rstrip().splitlines()[-1].strip()
            raise Starved(f"the kernel stands still after '{last}'")

    def wait_for(self, pattern, timeout):
        """Waits until the console has printed `pattern` (after what was waited for before)."""
        deadline = time.monotonic() + timeout
        alive = True
        while True:
            found = re.compile(pattern, re.MULTILINE).search(self.log, self.seen)
            if found:
                self.seen = found.end()
                return found
            self._check_faults()
            left = deadline - time.monotonic()
            if not alive:
                raise Failure(f"the machine ended before '{pattern}' was seen")
            if left <= 0:
                raise Failure(f"'{pattern}' was not seen within {timeout} s")
            alive = self._read(min(left, 1.0))

    def send(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def log_in(self, user, password, timeout):
        """Gets a shell on the serial console, by its login prompt or an automatic login."""
        found = self.wait_for(rf"login: *$|{PROMPT}", timeout)
        if "login" in found.group():
            self.send(user)
            if password is not None:
                self.wait_for(r"Password: *$", timeout)
                self.send(password)
            self.wait_for(PROMPT, timeout)
        # bash switches the terminal's mode between commands, and what is typed meanwhile gets lost.
        self.send("exec sh")
        self.wait_for(rf"^{PROMPT}", timeout)

    def run(self, command, timeout):
        """Runs a command in the shell; returns (status, output)."""
        # Quotes in the marks keep the echo of the typed line from looking like the answer, which may
        # stand behind a prompt or behind output without a line end.
        self.send(f"echo kiln-be'gin'; {command}; echo kiln-e'nd' $? .")
        begin = self.wait_for(r"kiln-begin\n", timeout)
        end = self.wait_for(r"^(.*)kiln-end (\d+) \.", timeout)
        output = self.log[begin.end():end.start()] + end.group(1)
        return int(end.group(2)), output.rstrip("\n")

    def shut_down(self, timeout):
        """Presses the power button and waits for the machine to end."""
        with socket.socket(socket.AF_UNIX) as qmp:
            qmp.connect(os.path.join(self.folder, "qmp"))
            qmp.settimeout(timeout)
            stream = qmp.makefile("rw")
            stream.readline()
            for command in ("qmp_capabilities", "system_powerdown"):
                stream.write(f'{{"execute": "{command}"}}\n')
                stream.flush()
                stream.readline()
        self.wait_end(timeout)

    def wait_end(self, timeout):
        deadline = time.monotonic() + timeout
        while self._read(1.0) or self.process.poll() is None:
            if time.monotonic() > deadline:
                raise Failure(f"the machine was still running {timeout} s after its shutdown")
        if self.process.wait() != 0:
            raise Failure(f"QEMU failed with exit code {self.process.returncode}, see qemu.log")


def detect_format(image):
    with open(image, "rb") as file:
        return "qcow2" if file.read(4) == b"QFI\xfb" else "raw"


def parse_arguments(words):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", nargs="?", default=os.environ.get("KILN_TEST_IMAGE"))
    parser.add_argument("--format", choices=["qcow2", "raw"])
    parser.add_argument("--firmware", choices=["bios", "uefi"], default="bios")
    parser.add_argument("--memory", type=int, default=1024, help="MiB")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--grow", metavar="SIZE", help="the disk is this large, not the image's size")
    parser.add_argument("--data", metavar="SIZE", action="append", default=[], help="a blank disk")
    parser.add_argument("--cdrom", metavar="FILE", action="append", default=[],
                        help="a read-only disk, such as a config drive")
    parser.add_argument("--forward", metavar="HOST:GUEST", action="append", default=[])
    parser.add_argument("--no-network", action="store_true", help="the machine has no network card")
    parser.add_argument("--kernel")
    parser.add_argument("--initrd")
    parser.add_argument("--append", default="")
    parser.add_argument("--expect", metavar="REGEX", action="append", default=[])
    parser.add_argument("--fail", metavar="REGEX", action="append", default=[],
                        help="ends the test when seen, besides panics and failed units")
    parser.add_argument("--login", metavar="USER[:PASSWORD]")
    parser.add_argument("--run", metavar="COMMAND", action="append", default=[],
                        help="must end with status 0; its output is printed")
    parser.add_argument("--shutdown", action="store_true", help="ends by the power button")
    parser.add_argument("--timeout", type=float, help="seconds for each step",
                        default=float(os.environ.get("KILN_TEST_TIMEOUT", "300")))
    parser.add_argument("--standstill", type=float, default=STANDSTILL,
                        help="seconds of silence in the kernel after which the machine is started again")
    parser.add_argument("--echo", action="store_true", help="shows the console")
    parser.add_argument("--keep", action="store_true", help="keeps the folder also on success")
    return parser.parse_args(words)


def boot(arguments, folder):
    options = {
        "firmware": arguments.firmware,
        "memory": arguments.memory,
        "cpus": arguments.cpus,
        "grow": arguments.grow,
        "data": arguments.data,
        "cdroms": arguments.cdrom,
        "network": not arguments.no_network,
        "forward": [tuple(ports.split(":")) for ports in arguments.forward],
        "kernel": arguments.kernel,
        "initrd": arguments.initrd,
        "append": arguments.append,
        "faults": arguments.fail,
        "standstill": arguments.standstill,
        "echo": arguments.echo,
    }
    image_format = arguments.format or detect_format(arguments.image)
    with Machine(arguments.image, image_format, folder, **options) as machine:
        def passed(what):
            print(f"{machine.seconds():7.1f} s  {what}", flush=True)

        for pattern in arguments.expect:
            machine.wait_for(pattern, arguments.timeout)
            passed(f"seen '{pattern}'")
        if arguments.login:
            user, _, password = arguments.login.partition(":")
            machine.log_in(user, password or None, arguments.timeout)
            passed(f"logged in as '{user}'")
        for command in arguments.run:
            status, output = machine.run(command, arguments.timeout)
            passed(f"ran '{command}' (status {status})")
            if output:
                print(output)
            if status != 0:
                raise Failure(f"'{command}' ended with status {status}")
        if arguments.shutdown:
            machine.shut_down(arguments.timeout)
            passed("shut down")


def main(words):
    arguments = parse_arguments(words)
    if not arguments.image:
        print("skipped: no image (argument or KILN_TEST_IMAGE)")
        return 77
    # Ends the machine also when a test runner ends us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="kiln-boot-")
    keep = arguments.keep
    try:
        for left in reversed(range(STARTS)):
            try:
                boot(arguments, folder)
                return 0
            except Starved as reason:
                if left == 0:
                    raise
                print(f"started again: {reason}")
    except Skip as reason:
        print(f"skipped: {reason}")
        return 77
    except (Failure, OSError, subprocess.CalledProcessError) as reason:
        keep = True
        print(f"failed: {reason}")
        for name in ("qemu.log", "serial.log"):
            log = os.path.join(folder, name)
            if os.path.exists(log):
                with open(log, encoding="utf-8", errors="replace") as file:
                    print("".join("    " + line for line in file.readlines()[-25:]), end="")
        return 1
    finally:
        if keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: MIT
"""A watcher: kiln runs on a copy-on-write view of this machine, and what it changes is seen.

The machine's root is the lower layer of an overlay mount, a folder of victims lies over it, and only
kiln's own folders are mounted through. Whatever else kiln or its children create, change or remove
turns up in the upper layer."""

import ctypes
import os
import pathlib
import subprocess
import tempfile

VICTIM = "victim of the host\n"
SETTINGS = ("kernel/core_pattern", "kernel/modprobe", "kernel/hostname", "net/ipv4/ip_forward")
CLONE_NEWNS = 0x00020000

ENTER = """\
cd "$1"
pivot_root . .
umount -l .
cd "$2"
shift 2
exec "$@"
"""


def own_mounts():
    """A mount namespace for this process, so that no mount outlives it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    mount("--make-rprivate", "/")


def mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)


class Watch:
    def __init__(self, through):
        """`through` are kiln's own folders. Call stop() at the end."""
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="kiln-watch."))
        mount("-t", "tmpfs", "tmpfs", self.top)
        for name in ("upper", "work", "victims", "root"):
            (self.top / name).mkdir()
        self.make_victims()
        paths = [pathlib.Path(path) for path in through]
        # A folder below another comes with that one.
        self.through = [p for p in paths if not any(o in p.parents for o in paths)]
        self.start()

    def make_victims(self):
        """What links of trees, archives and answers point to."""
        for name in ("victim/file", "victim/dir/file", "victim/passwd", "victim/etc/passwd",
                     "victim/log/syslog", "victim/tmp/file", "data/var/lib/mysql/table",
                     "data/var/log/syslog", "data/var/tmp/file", "data/var/lib/dpkg/status"):
            path = self.top / "victims" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(VICTIM)

    def start(self):
        root = self.top / "root"
        mount("-t", "overlay", "overlay", "-o",
              f"lowerdir={self.top}/victims:/,upperdir={self.top}/upper,workdir={self.top}/work", root)
        for path in ("/proc", "/sys", "/dev", *self.through):
            target = root / str(path).lstrip("/")
            if not target.is_dir():
                (self.top / "victims" / str(path).lstrip("/")).mkdir(parents=True)
            mount("--rbind", path, target)

    def run(self, command, cwd, env, timeout=300):
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-euc", ENTER, "sh",
             str(self.top / "root"), str(cwd), *map(str, command)],
            env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=timeout)

    def settings(self):
        paths = {name: pathlib.Path("/proc/sys") / name for name in SETTINGS}
        return {name: path.read_text() for name, path in paths.items() if path.exists()}

    def changes(self):
        """Paths that were created, changed or removed outside of kiln's own folders."""
        upper = self.top / "upper"
        out = []
        for folder, folders, files in os.walk(upper):
            for name in files + [d for d in folders if not os.listdir(os.path.join(folder, d))]:
                out.append("/" + os.path.relpath(os.path.join(folder, name), upper))
        return sorted(out)

    def stop(self):
        # All mounts at once: "umount -R" ends at the first that it cannot take away, and this
        # machine's own /dev is among those below. For the same reason nothing is removed but the
        # empty folder.
        subprocess.run(["umount", "--lazy", self.top], check=True)
        self.top.rmdir()

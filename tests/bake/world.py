# SPDX-License-Identifier: MIT
"""The world of the bake tests: a copy of the recipes, a cache, a toy archive, ways to run kiln."""

import hashlib
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import textwrap

SOURCE = pathlib.Path(__file__).resolve().parents[2]
KILN = pathlib.Path(os.environ["KILN"])
WORK = pathlib.Path(os.environ["KILN_TEST_DIR"])
USER = "kilntest"


def free_bytes(path):
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def fast_folder():
    """Memory where there is plenty of it: trees are large and short-lived."""
    shm = pathlib.Path("/dev/shm")
    chosen = shm / "kiln-test"
    # What the first test chose is everybody's, however full it has become.
    roomy = shm.is_dir() and free_bytes(shm) > 10 << 30
    return chosen if chosen.exists() or roomy and not (WORK / "fast").exists() else WORK / "fast"


FAST = fast_folder()
CACHE = FAST / "cache"


def copy_recipes(to):
    """Recipes with what they refer to; locks are written beside them and must not be the source's."""
    for name in ("recipes", "overlays", "images", "perl-bundle", "builder/base", "builder/firstrun"):
        shutil.copytree(
            SOURCE / name, to / name, symlinks=True, ignore=shutil.ignore_patterns("*.lock", "out")
        )
    shutil.copy(SOURCE / "kiln.yaml", to)


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("KILN")}
    env.update(KILN_CACHE=str(CACHE))
    env.update({k: str(v) for k, v in more.items()})
    return env


def kiln(*args, cwd=WORK, env=None, user=None, **options):
    """Runs kiln to the end; returns the completed process with its output as text."""
    command = [str(KILN), *map(str, args)]
    if user:
        command = ["runuser", "-u", user, "--", *command]
    return subprocess.run(
        command,
        cwd=cwd,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        **{"timeout": 1200, **options},
    )


def succeed(*args, **options):
    done = kiln(*args, **options)
    if done.returncode != 0:
        raise AssertionError(f"kiln {args} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return done


def sums(folder):
    return (pathlib.Path(folder) / "SHA256SUMS").read_text()


def load_record(folder):
    return json.loads((pathlib.Path(folder) / "record.json").read_text())


def stage_folder(record, name):
    """Where the store keeps a stage of a bake."""
    key = next(s["key"] for s in record["stages"] if s["name"] == name).removeprefix("sha256:")
    return next(f for f in (CACHE / "stages").iterdir() if key.startswith(f.name.split("-")[0]))


def apply_deltas(folders):
    """The tree of these stages in the store, one over the other: path -> manifest fields but the
    path, and path -> the file on this host."""
    tree, files = {}, {}
    for folder in folders:
        for line in (folder / "manifest").read_text().splitlines():
            kind, *fields = line.split(" ")
            path = fields.pop(6)
            if kind == "w" or "opaque=1" in fields:
                for gone in [p for p in tree if p == path or p.startswith(path + "/")]:
                    del tree[gone]
            if kind != "w":
                tree[path] = (kind, *fields[:6], fields[6:])
                files[path] = folder / "tree" / path.lstrip("/")
    return tree, files


def kiln_mounts():
    lines = pathlib.Path("/proc/self/mounts").read_text().splitlines()
    return [line for line in lines if str(FAST) in line or str(WORK) in line]


def make_user(subids=True, name=USER):
    """A plain user, with or without a range of subordinate ids."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--create-home", name], check=True)
    for option, file in (("--del-subuids", "/etc/subuid"), ("--del-subgids", "/etc/subgid")):
        for line in pathlib.Path(file).read_text().splitlines():
            owner, start, count = line.split(":")
            if owner == name:
                last = int(start) + int(count) - 1
                subprocess.run(["usermod", option, f"{start}-{last}", name], check=True)
    if subids:
        subprocess.run(
            ["usermod", "--add-subuids", "700000-765535", "--add-subgids", "700000-765535", name],
            check=True,
        )
    return name


def user_namespaces_are_refused(user):
    """Why a plain user cannot bake here, or None."""
    trial = ["runuser", "-u", user, "--", "unshare", "--user", "true"]
    if subprocess.run(trial, capture_output=True).returncode == 0:
        return None
    return f"the kernel refuses user '{user}' a user namespace (as it does in every chroot)"


def is_chroot():
    """Whether this is any chroot, also one whose folder is a mount: there the kernel refuses user
    namespaces, and setns(2), as in `docker exec`, leads back out of it."""
    return subprocess.run(["unshare", "--user", "true"], capture_output=True).returncode != 0


def is_plain_chroot():
    """Whether "/" is no mount point."""
    mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return not any(line.split()[4] == "/" for line in mounts)


def give_to(user, path):
    subprocess.run(["chown", "-R", f"{user}:", str(path)], check=True)


class ToyArchive:
    """A signed archive of toy packages below a folder, served as a file: URL."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.keyring = self.folder / "toy.gpg"
        self.home = self.folder / "gnupg"
        (self.folder / "toy" / "pool").mkdir(parents=True)
        self.home.mkdir(mode=0o700)
        self._gpg("--quick-generate-key", "toy <toy@localhost>", "rsa2048", "sign", "never")
        self.keyring.write_bytes(self._gpg("--export").stdout)

    def _gpg(self, *args):
        command = ["gpg", "--homedir", self.home, "--batch", "--yes", "--passphrase", "", *args]
        return subprocess.run(command, check=True, capture_output=True)

    @property
    def url(self):
        return f"file://{self.folder}/toy"

    def deb(self, name):
        return self.folder / "toy" / "pool" / f"{name}.deb"

    def add(self, name, files=(), depends="", **scripts):
        """Adds a package; `files` are (path, text) pairs."""
        root = self.folder / "build" / name
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: toy <toy@localhost>\n"
            + (f"Depends: {depends}\n" if depends else "")
            + "Description: a toy\n"
        )
        for script, text in scripts.items():
            path = root / "DEBIAN" / script
            path.write_text(text)
            path.chmod(0o755)
        for path, text in files:
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-b", root, self.deb(name)],
            check=True,
            capture_output=True,
        )
        shutil.rmtree(root)

    def publish(self):
        top = self.folder / "toy"
        packages = subprocess.run(
            ["dpkg-scanpackages", "pool"], cwd=top, check=True, capture_output=True
        ).stdout
        index = top / "dists/stable/main/binary-amd64/Packages"
        index.parent.mkdir(parents=True, exist_ok=True)
        index.write_bytes(packages)
        digest = hashlib.sha256(packages).hexdigest()
        # An old date: the epoch of a lock is the newest of its archives'.
        release = top / "dists/stable/Release"
        release.write_text(
            textwrap.dedent(
                f"""\
                Origin: toy
                Suite: stable
                Codename: stable
                Date: Wed, 01 Jan 2020 00:00:00 UTC
                Architectures: amd64 all
                Components: main
                SHA256:
                 {digest} {len(packages)} main/binary-amd64/Packages
                """
            )
        )
        self._gpg("--output", top / "dists/stable/InRelease", "--clear-sign", release)


def toy_recipe(folder, archive, packages, images="[../images/oci.yaml]", more=""):
    """A recipe that adds toy packages to debian-minimal, whose stages are in the cache; `more` is
    appended to it."""
    path = folder / "recipes/toy.yaml"
    path.write_text(
        textwrap.dedent(
            f"""\
            kiln: 1
            name: toy
            extends: debian-minimal.yaml
            archives:
              - {{archive: debian, suites: [bookworm, bookworm-updates]}}
              - {{archive: debian-security, suites: [bookworm-security]}}
              - {{archive: toy, suites: [stable], keyring: {archive.keyring}}}
            stages:
              - stage: packages
                name: toys
                install: [{", ".join(packages)}]
            images: {images}
            """
        )
        + textwrap.dedent(more)
    )
    return path

# SPDX-License-Identifier: MIT
"""Compares what kiln's packages stages made with what mmdebstrap, which runs dpkg, made of the same
packages: every path, the tables of names, and dpkg's database stanza for stanza."""

import hashlib
import os
import pathlib
import re
import subprocess

import groups
import mmdebstrap
import world

MANIFEST_TOOL = pathlib.Path(os.environ.get("KILN_MANIFEST_TOOL", ""))
IGNORED = groups.patterns("dpkg_ignored.txt") + groups.cleanup_rules()
# Tables of names, in the order in which scripts added them.
ACCOUNTS = ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow")
TABLES = (*ACCOUNTS, "/etc/shells")


def parse_manifest(text):
    """Path -> (type, mode, uid, gid, mtime, size, digest, rest)."""
    tree = {}
    for line in text.splitlines():
        kind, mode, uid, gid, mtime, size, digest, path, *rest = line.split(" ")
        tree[path] = (kind, mode, uid, gid, mtime, size, digest, rest)
    return tree


def names(text):
    return {fields[2]: fields[0] for fields in (line.split(":") for line in text.splitlines() if line)}


def stanzas(text):
    """Package -> its fields; conffile lists and relations as sorted words."""
    out = {}
    for stanza in text.strip().split("\n\n"):
        fields = dict(re.findall(r"^(\S+):((?:.*)(?:\n .*)*)", stanza, re.MULTILINE))
        fields = {k: sorted(v.split()) if k == "Conffiles" else v.strip() for k, v in fields.items()}
        out[fields["Package"]] = fields
    return out


class Tree:
    """A tree as its manifest, where its files are on this host, and the names of owners."""

    def __init__(self, manifest, file_of):
        self.manifest = manifest
        self.file_of = file_of
        self.users = names(self.text_of("/etc/passwd"))
        self.groups = names(self.text_of("/etc/group"))

    def text_of(self, path):
        return self.file_of(path).read_text()

    def digest(self, path, known):
        # PEP 552: with SOURCE_DATE_EPOCH, as in kiln's sandbox, the first 16 bytes hold a digest of the
        # source, else its time.
        if not path.endswith(".pyc"):
            return known
        return hashlib.sha256(self.file_of(path).read_bytes()[16:]).hexdigest()

    def comparable(self, path):
        kind, mode, uid, gid, _, size, digest, rest = self.manifest[path]
        digest = self.digest(path, digest) if kind == "f" else digest
        # usrmerge, which mmdebstrap runs, copies hard links apart.
        rest = [field for field in rest if not field.startswith("hardlink=")]
        return (kind, mode, self.users.get(uid, uid), self.groups.get(gid, gid), size, digest, rest)


def our_tree(folders):
    """What stages in the store made, one over the other."""
    manifest, files = world.apply_deltas(folders)
    return Tree(manifest, files.__getitem__)


def their_tree(folder, packages, cache=world.CACHE):
    """What mmdebstrap makes of these packages, which are in the cache's pool; `folder` is made."""
    folder.mkdir()
    mmdebstrap.make_repository(folder / "repository", packages, cache)
    root = folder / "tree"
    # On a host of the name that kiln's sandboxes have: scripts write it into configuration.
    command = ["unshare", "--uts", "sh", "-c", 'hostname kiln && exec "$@"', "sh",
               *mmdebstrap.command(folder / "repository", packages, root)]
    done = subprocess.run(command, capture_output=True, text=True, env=world.environment(TMPDIR=folder))
    if done.returncode != 0:
        raise AssertionError(f"mmdebstrap failed:\n{done.stderr[-4000:]}")
    text = subprocess.run([MANIFEST_TOOL, root], check=True, capture_output=True, text=True).stdout
    return Tree(parse_manifest(text), lambda path: root / path.lstrip("/"))


def database_differences(ours, theirs):
    """A line for each field of a package that dpkg's databases do not agree about."""
    our, their = (stanzas(tree.text_of("/var/lib/dpkg/status")) for tree in (ours, theirs))
    out = []
    for package in sorted(set(our) | set(their)):
        a, b = our.get(package, {}), their.get(package, {})
        out += [f"{package}: {field}: kiln {a.get(field)}, dpkg {b.get(field)}"
                for field in sorted(set(a) | set(b)) if a.get(field) != b.get(field)]
    return out


def table_differences(ours, theirs, made_by_recipe=()):
    """Names that one of them has; the numbers, homes and full names of some are the recipe's, as are
    those that are made by it."""
    def lines_of(tree, table):
        # Without package passwd there is no /etc/shadow, unless the recipe's ids made one.
        if table not in tree.manifest:
            return set()
        return {line for line in tree.text_of(table).splitlines() if line.split(":")[0] not in made_by_recipe}

    out = []
    for table in TABLES:
        a, b = (lines_of(tree, table) for tree in (ours, theirs))
        if table in ACCOUNTS:
            a, b = ({line.split(":")[0] for line in lines} for lines in (a, b))
        if a != b:
            out.append(f"{table}: only kiln {sorted(a - b)}, only dpkg {sorted(b - a)}")
    return out


def path_differences(ours, theirs, epoch, ignored=IGNORED):
    out = []
    for path in sorted(set(theirs.manifest) | set(ours.manifest)):
        if path in TABLES or groups.matches(path, ignored):
            continue
        if path not in theirs.manifest or path not in ours.manifest:
            out.append(f"{path}: only {'kiln' if path in ours.manifest else 'dpkg'}")
            continue
        our, their = ours.comparable(path), theirs.comparable(path)
        time, their_time = ours.manifest[path][4], theirs.manifest[path][4]
        if our != their:
            out.append(f"{path}: kiln {our}, dpkg {their}")
        elif our[0] == "f" and time not in (epoch, their_time):
            out.append(f"{path}: time, kiln {time}, dpkg {their_time}")
    return out

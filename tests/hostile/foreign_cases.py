# SPDX-License-Identifier: MIT
"""What each hostile disk, layout, archive and tarball must end with."""

import bz2
import dataclasses
import gzip
import json
import lzma
import random
from collections.abc import Callable

from debs import member
from foreign import (BACKING_FORMAT, DATA_FILE, DIR, EXABYTES, HARD, LINK, Layout, docker, fifo,
                     qcow2, sparse, tar_bytes, write, zeros)


@dataclasses.dataclass
class Foreign:
    name: str
    code: int
    says: str  # in standard error
    make: Callable  # of a path that is free; makes the file there
    boots: bool = False  # would be given to a machine


def disk(name, says, **how):
    return Foreign(name, 1, says, lambda path: write(path, qcow2(**how)), boots=True)


def file(name, says, data, boots=False, code=1):
    return Foreign(name, code, says, lambda path: write(path, data), boots)


def layout(name, says, make, code=1):
    return Foreign(name, code, says, lambda path: make(Layout(path)))


def layer(name, says, *members, code=1):
    return layout(name, says, lambda image: image.layer(tar_bytes(members)), code)


def link_instead(path, target="/victim/file"):
    """A link in the place of a file or folder of the layout."""

    def make(image):
        image.layer(tar_bytes([member("etc/motd", "hello\n")]))
        place = image.path / path
        place.rename(image.path / "before")
        place.symlink_to(target)

    return make


def blob_link(image):
    digest = "1f" * 32
    image.index(image.descriptor(digest, 19))
    image.blob(digest).symlink_to("/victim/file")


def blob_pipe(image):
    digest = "2f" * 32
    image.index(image.descriptor(digest, 19))
    fifo(image.blob(digest))


def nested(image):
    kind = {"mediaType": "application/vnd.oci.image.index.v1+json"}
    inner = {**image.put(b'{"manifests": []}'), **kind}
    for _ in range(40):
        inner = {**image.put(json.dumps({**kind, "manifests": [inner]}).encode()), **kind}
    image.index(inner)


IMAGES = [
    disk("backing file of the host", "refers to another file (backing file)",
         backing=b"/victim/file"),
    disk("backing file with its format", "refers to another file (backing file)",
         backing=b"/victim/file",
         extensions=[(BACKING_FORMAT, b"raw")]),
    disk("backing file as JSON", "refers to another file (backing file)",
         backing=b'json:{"driver":"file","filename":"/victim/file"}'),
    disk("backing file on a server", "refers to another file (backing file)",
         backing=b"nbd://127.0.0.1:9/x"),
    disk("data file of the host", "refers to another file (external data file)",
         extensions=[(DATA_FILE, b"/victim/file")], incompatible=4),
    disk("data file without its bit", "refers to another file (external data file)",
         extensions=[(DATA_FILE, b"/victim/file")]),
    disk("encrypted", "is encrypted", crypt=1),
    disk("unknown features", "uses unknown incompatible features (0x10000000000)",
         incompatible=1 << 40),
    disk("a size of exabytes", "has a virtual size of 4194304.0 TiB, the limit is 64.0 TiB",
         size=EXABYTES),
    disk("clusters of exabytes", "is not a valid qcow2 image: clusters of 2^63 bytes", bits=63),
    disk("a header that is longer than the file",
         "is not a valid qcow2 image: the header is malformed",
         length=1 << 31),
    file("a header that ends early", "is not a valid qcow2 image: the header is truncated",
         b"QFI\xfb\0\0\0\3", boots=True),
    file("a disk of VMware that names a file", "is a VMDK image, which kiln does not support",
         b'# Disk DescriptorFile\nversion=1\ncreateType="monolithicFlat"\n'
         b'RW 2048 FLAT "/victim/file" 0\n', boots=True),
    Foreign("a pipe", 1, "is not a regular file", fifo, boots=True),
    layout("a blob that is a link", "passes through a symbolic link", blob_link),
    layout("a blob that is a pipe", "is not a regular file", blob_pipe),
    layout("an index that is a link", "index.json' passes through a symbolic link",
           link_instead("index.json")),
    layout("folders that are a link", "passes through a symbolic link",
           link_instead("blobs", "/victim/dir")),
    layout("a digest that leads out", "'sha256:../../../../victim/file' is not a SHA-256 digest",
           lambda image: image.index(image.descriptor("../../../../victim/file", 19))),
    layout("a blob of exabytes", "expected: 4611686018427387904 bytes",
           lambda image: image.index(image.put(b"{}", EXABYTES))),
    layout("indexes of indexes", "nested", nested),
    layer("a layer with a member outside", "archive member has an invalid name '../../victim/x'",
          member("../../victim/x", "x")),
    layer("a layer with a file behind a link", "'/a' has members, but is not a directory",
          member("a", kind=LINK, link="/victim/dir"),
          member("a/new", "x")),
    layer("a layer with a hard link outside",
          "archive member has an invalid name '../../victim/file'",
          member("a", kind=HARD, link="../../victim/file")),
    layer("a layer with a path of 100,000 bytes", "archive member has a path of 100001 bytes",
          member("d/" * 50_000 + "x", "x")),
    layout("a layer with a file of exabytes",
           "has a member 'big' of 4194304.0 TiB, the limit is 64.0 GiB",
           
           lambda image: image.layer(sparse("big", EXABYTES))),
    layout("a layer of zeros", "expands 1.0 MiB to more than 1.0 GiB",
           lambda image: image.layer(b"", zeros(2048))),
    layer("an archive's names with escapes", "archive member has a name of 304 bytes: '\\x1b[2J",
          member("\x1b[2J" + "a" * 300, "x")),
    file("an archive whose layer lies outside",
         "archive member has an invalid name '../../victim/file'",
         docker(layer="../../victim/file")),
    file("an archive whose config is the host's",
         "archive member has an invalid name '/victim/file'",
         docker(config="/victim/file")),
    file("an archive whose layer is a link", "does not contain the file 'layer.tar'",
         docker(more=[member("layer.tar", kind=LINK, link="/victim/file")])),
    file("an archive whose layer is a hard link",
         "archive member has an invalid name '/victim/file'",
         
         docker(more=[member("layer.tar", kind=HARD, link="/victim/file")])),
    file("an archive whose layer is a folder", "does not contain the file 'layer.tar'",
         docker(more=[member("layer.tar", kind=DIR)])),
]


HARMLESS = tar_bytes([member("x", "x")])
TARBALLS = [
    file("a member outside",
         "archive member has an invalid name '../../victim/x'",
         tar_bytes([member("../../victim/x", "x")])),
    file("an absolute member",
         "archive member has an invalid name '/victim/x'", tar_bytes([member("/victim/x", "x")])),
    file("a file behind a link",
         "'/srv/s/a' of the tree is not a directory", tar_bytes([
        member("a", kind=LINK, link="/victim/dir"), member("a/new", "x")])),
    file("a file behind a hard link to a link", "which is not an earlier file", tar_bytes([
        member("a", kind=LINK, link="/victim/dir"), member("b", kind=HARD, link="a"),
        member("b/new", "x")]), code=3),
    file("a hard link outside",
         "archive member has an invalid name '../../victim/file'",
         tar_bytes([member("a", kind=HARD, link="../../victim/file")])),
    file("an absolute hard link",
         "archive member has an invalid name '/victim/file'",
         tar_bytes([member("a", kind=HARD, link="/victim/file")])),
    file("a pipe", "is not a file, directory or link", tar_bytes([member("a", kind=b"6")]),
         code=3),
    file("a file of exabytes",
         "has a member 'big' of 4194304.0 TiB, the limit is 64.0 GiB", sparse("big", EXABYTES)),
    file("zeros", "expands 1.0 MiB to more than 1.0 GiB", zeros(2048)),
    file("no archive", "is not an archive that kiln can read", b"no archive at all" * 100),
]


def damaged():
    """Tarballs that were cut off or changed in a few bytes: what was done, and the bytes."""
    members = [member("d", kind=DIR, mode=0o755), member("d/file", b"text " * 4000),
               member("d/link", kind=LINK, link="file"), member("d/hard", kind=HARD, link="d/file")]
    plain = tar_bytes(members)
    chance = random.Random(7)
    for kind, data in (("tar", plain), ("gzip", gzip.compress(plain, mtime=0)), ("xz", lzma.compress(plain)),
                       ("bzip2", bz2.compress(plain))):
        yield f"{kind} cut off", data[:len(data) * 2 // 3]
        for number in range(3):
            changed = bytearray(data)
            for _ in range(4):
                changed[chance.randrange(min(len(changed), 1536))] = chance.randrange(256)
            yield f"{kind} changed, {number}", bytes(changed)

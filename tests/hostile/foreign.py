# SPDX-License-Identifier: MIT
"""Disks, layouts and archives of people who mean harm, made by hand; they
name files below /victim."""

import gzip
import hashlib
import io
import json
import os
import struct
import tarfile

from debs import member

DIR, LINK, HARD = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
DATA_FILE, BACKING_FORMAT = 0x44415441, 0xE2792ACA
EXABYTES = 4 << 60


def qcow2(backing=b"", extensions=(), *, bits=16, size=1 << 20, crypt=0, incompatible=0,
          length=104):
    """A header of version 3 (docs/interop/qcow2.txt of QEMU) and an empty table: all that is needed
    to be opened."""
    extra = b""
    for kind, data in extensions:
        extra += struct.pack(">II", kind, len(data)) + data + b"\0" * (-len(data) % 8)
    extra += bytes(8)
    head = struct.pack(
        ">4sIQIIQIIQQIIQQQQII", b"QFI\xfb", 3, 104 + len(extra) if backing else 0, len(backing),
        bits, size, crypt, 1, 1 << 16, 2 << 16, 1, 0, 0, incompatible, 0, 0, 4, length)
    return (head + extra + backing).ljust(4 << 16, b"\0")


def talker():
    """A disk that boots, without a system, and writes to the serial port for ever."""
    #     mov dx, 0x3f8; mov al, 'y'; again: out dx, al; jmp again
    code = b"\xba\xf8\x03" + b"\xb0y" + b"\xee" + b"\xeb\xfd"
    return (code.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0")


def tar_bytes(members, form=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for info, text in members:
            archive.addfile(info, io.BytesIO(text))
    return out.getvalue()


def sparse(name, size):
    """A file of that size whose data is four bytes, as GNU tar writes it (format 1.0)."""
    info, text = member(name, b"1\n0\n4\n".ljust(512, b"\0") + b"data".ljust(512, b"\0"))
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": name,
                        "GNU.sparse.realsize": str(size)}
    return tar_bytes([(info, text)], tarfile.PAX_FORMAT)


def zeros(megabytes):
    """A member of zeros, a thousandth of that as gzip. Members of a gzip file can be many."""
    info = member("zeros")[0]
    info.size = megabytes << 20
    part = gzip.compress(bytes(16 << 20), 6, mtime=0)
    head = gzip.compress(info.tobuf(tarfile.GNU_FORMAT), mtime=0)
    return head + part * (megabytes // 16) + gzip.compress(bytes(1024), mtime=0)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Layout:
    """An OCI layout: a folder of blobs by digest."""

    def __init__(self, path):
        self.path = path
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, hexadecimal):
        return self.path / "blobs/sha256" / hexadecimal

    def put(self, data, size=None):
        self.blob(sha256(data)).write_bytes(data)
        return self.descriptor(sha256(data), len(data) if size is None else size)

    @staticmethod
    def descriptor(digest, size):
        return {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": f"sha256:{digest}", "size": size}

    def index(self, *manifests):
        (self.path / "index.json").write_text(json.dumps({"manifests": manifests}))

    def layer(self, tar, compressed=None):
        """An image of one layer, all digests as they should be."""
        config = {"rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(tar)}"]}}
        manifest = {"schemaVersion": 2, "config": self.put(json.dumps(config).encode()),
                    "layers": [self.put(compressed or gzip.compress(tar, mtime=0))]}
        self.index(self.put(json.dumps(manifest).encode()))


def docker(layer="layer.tar", config="config.json", more=()):
    """An archive as `docker save` makes it, whose manifest names these files."""
    manifest = [{"Config": config, "RepoTags": ["x:1"], "Layers": [layer]}]
    good = tar_bytes([member("etc/motd", "hello\n")])
    return tar_bytes([
        member("manifest.json", json.dumps(manifest)),
        member("config.json", json.dumps({"rootfs": {"diff_ids": [f"sha256:{sha256(good)}"]}})),
        *(more or [member("layer.tar", good)])])


def write(path, data):
    path.write_bytes(data)
    return path


def fifo(path):
    os.mkfifo(path)
    return path

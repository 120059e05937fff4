# SPDX-License-Identifier: MIT
"""OCI layouts and disks as inputs, made without kiln."""

import gzip
import hashlib
import io
import json
import random
import struct
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    def __init__(self, folder):
        self.folder = folder
        (folder / "blobs/sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.items = []

    def blob(self, data, kind):
        digest = sha256(data)
        (self.folder / "blobs/sha256" / digest.partition(":")[2]).write_bytes(data)
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def image(self, sizes, seed="x", architecture="amd64", name="latest", platform=False):
        """An image of layers with so many random bytes; returns its manifest's descriptor."""
        layers, diff_ids = [], []
        for number, size in enumerate(sizes):
            plain = io.BytesIO()
            with tarfile.open(fileobj=plain, mode="w") as tar:
                member = tarfile.TarInfo(f"file-{number}")
                member.size = size
                tar.addfile(member, io.BytesIO(random.Random(f"{seed}{number}").randbytes(size)))
            diff_ids.append(sha256(plain.getvalue()))
            packed = gzip.compress(plain.getvalue(), 1, mtime=0)
            layers.append(self.blob(packed, "application/vnd.oci.image.layer.v1.tar+gzip"))
        config = json.dumps({"architecture": architecture, "os": "linux", "config": {},
                             "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": self.blob(config, "application/vnd.oci.image.config.v1+json"),
            "layers": layers}).encode()
        item = self.blob(manifest, MANIFEST)
        if platform:
            item["platform"] = {"architecture": architecture, "os": "linux"}
        else:
            item["annotations"] = {"org.opencontainers.image.ref.name": name}
        self.items.append(item)
        return item

    def write(self):
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.items}
        (self.folder / "index.json").write_text(json.dumps(index))
        return self.folder


def make_layout(folder, sizes=(20_000, 30_000), seed="x"):
    layout = Layout(folder)
    layout.image(sizes, seed)
    return layout.write()


def make_qcow2(path, size=200_000):
    """A header that says qcow2, and bytes after it."""
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, 1 << 20, 0, 1, 65536, 131072, 1,
                         0, 0)
    path.write_bytes(header.ljust(512, b"\0") + random.Random(str(path.name)).randbytes(size))
    return path

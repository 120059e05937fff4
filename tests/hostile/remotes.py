# SPDX-License-Identifier: MIT
"""A registry on loopback that gives hostile artifacts and answers."""

import dataclasses
import http.server
import json
import struct
import tarfile
import threading

from debs import member
from foreign import EXABYTES, HARD, LINK, sha256, sparse, tar_bytes as tar

ARTIFACT = "application/vnd.kiln.artifact.v1"
NOTHING = "sha256:" + "0" * 64
DEVICE = tarfile.BLKTYPE


def digest(data):
    return "sha256:" + sha256(data)


def zstd(data):
    """A frame of blocks that are not compressed (RFC 8878)."""
    out = struct.pack("<IBB", 0xFD2FB528, 0, 0x58)
    blocks = [data[i:i + 0x10000] for i in range(0, len(data), 0x10000)] or [b""]
    for number, block in enumerate(blocks):
        head = len(block) << 3 | (number == len(blocks) - 1)
        out += head.to_bytes(3, "little") + block
    return out


class Registry(http.server.ThreadingHTTPServer):
    """Answers as `case` says; `key` is that of the artifact that is asked for."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server_address[1]}"
        self.case, self.key = Answer("none"), NOTHING
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def content(self):
        """The manifest and the blobs by digest."""
        case = self.case
        layer = zstd(case.layer)
        config = json.dumps({
            "name": case.title, "kind": "program", "key": self.key, "tree": NOTHING,
            "libraries": [], "parts": []}).encode()
        named = {"mediaType": "application/vnd.oci.image.layer.v1.tar+zstd",
                 "digest": digest(layer), "size": len(layer), **case.says_of_layer}
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": case.kinds[0],
            "config": {"mediaType": case.kinds[1], "digest": digest(config), "size": len(config)},
            "layers": [named]}).encode()
        return manifest, {digest(config): config, named["digest"]: case.sent or layer}


@dataclasses.dataclass
class Answer:
    name: str
    says: str = ""
    code: int = 5
    layer: bytes = tar([member("x", "x")])
    says_of_layer: dict = dataclasses.field(default_factory=dict)
    sent: bytes = b""  # as the layer, instead of it
    title: str = "first-run"
    manifest: tuple = ()  # status, headers and body instead of the manifest
    blob: tuple = ()  # the same for every blob
    kinds: tuple = (ARTIFACT, "application/vnd.kiln.artifact.config.v1+json")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        case = self.server.case
        manifest, blobs = self.server.content()
        last = self.path.rpartition("/")[2]
        if self.path == "/v2/":
            self.answer(200, {}, b"{}")
        elif "/manifests/" in self.path:
            self.answer(*(case.manifest or (200, {}, manifest)))
        elif "/blobs/" in self.path and last in blobs:
            self.answer(*(case.blob or (200, {}, blobs[last])))
        else:
            self.answer(404, {}, b"")

    do_HEAD = do_GET

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in {"Content-Type": "application/vnd.oci.image.manifest.v1+json",
                            "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def to(place, status=307):
    return (status, {"Location": place}, b"")


def asks_at(realm):
    return (401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'}, b"")


IS_FILE = "redirects to 'file:///victim/file': file: URLs are not allowed here"
CASES = [
    Answer("a manifest that is a file", IS_FILE, manifest=to("file:///victim/file")),
    Answer("a manifest on another host",
           "redirects to 'http://registry.example/v2/x': http: is only allowed for",
           manifest=to("http://registry.example/v2/x")),
    Answer("a manifest of another protocol",
           "redirects to 'dict://127.0.0.1:1/x': this protocol is not supported",
           manifest=to("dict://127.0.0.1:1/x")),
    Answer("a token server that is a file", IS_FILE, manifest=asks_at("file:///victim/file")),
    Answer("a token server on another host",
           "redirects to 'http://registry.example/token': http: is only allowed for",
           manifest=asks_at("http://registry.example/token")),
    Answer("a manifest that is no JSON",
           "' is not valid: syntax error at line 1, column 1",
           manifest=(200, {}, b"\x1b]0;owned\x07")),
    Answer("an error with escapes", "status 403, NO \\x1b[31mred", manifest=(
        403, {}, b'{"errors": [{"code": "NO", "message": "\\u001b[31mred"}]}')),
    Answer("a blob that is a file", IS_FILE, blob=to("file:///victim/file")),
    Answer("a layer of exabytes",
           "has a declared size of 4611686018427387904 bytes, the limit is 16.0 GiB",
           says_of_layer={"size": EXABYTES}),
    Answer("a digest that is a path",
           "'sha256:../../../victim/file' is not a SHA-256 digest",
           says_of_layer={"digest": "sha256:../../../victim/file"}),
    Answer("another layer than it said",
           "the registry sent 100 bytes with digest sha256:",
           sent=b"x" * 100),
    Answer("a name that is a path",
           "'../../../victim/new' is not a valid artifact name",
           title="../../../victim/new"),
    Answer("another tree than it said", "does not contain tree sha256:0000"),
    Answer("a member outside",
           "archive member has an invalid name '../../../victim/new'",
           layer=tar([member("../../../victim/new", "x")])),
    Answer("an absolute member",
           "archive member has an invalid name '/victim/new'",
           layer=tar([member("/victim/new", "x")])),
    Answer("a link and a file through it", "cannot unpack 'link/new' from", layer=tar([
        member("link", b"", LINK, "/victim/dir"), member("link/new", "x")])),
    Answer("a hard link through a link",
           "it is a hard link to 'a', which is not a regular file",
           layer=tar([
        member("a", b"", LINK, "/victim/dir"), member("b", b"", HARD, "a"), member("b/new", "x")])),
    Answer("a hard link to the host's",
           "archive member has an invalid name '../../../victim/file'",
           layer=tar([
        member("hard", b"", HARD, "../../../victim/file"), member("hard", "x")])),
    Answer("a device",
           "not a file, directory or link",
           layer=tar([member("dev", kind=DEVICE, devmajor=8, devminor=0)])),
    Answer("a sparse member of exabytes",
           "has a member 'big' of 4194304.0 TiB, the limit is 64.0 GiB",
           layer=sparse("big", EXABYTES)),
]

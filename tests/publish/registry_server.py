# SPDX-License-Identifier: MIT
"""A real registry (Debian's docker-registry) on loopback, with TLS and a password or with bearer
tokens of a few seconds, and a proxy before it that fails single requests."""

import base64
import contextlib
import crypt
import hmac
import http.client
import http.server
import json
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

USER, PASSWORD = "baker", "loaf & crumb"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(folder, name):
    """An EC key and its self-signed certificate for 127.0.0.1: (key, certificate)."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate


class Background:
    """An HTTP server in a thread, with TLS for a (key, certificate)."""

    def __init__(self, handler, tls=None, **attributes):
        kind = type("Handler", (handler,), attributes)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
        self.server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls[1], tls[0])
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class TokenHandler(http.server.BaseHTTPRequestHandler):
    """Turns a login into tokens (JWT, ES256) that docker-registry verifies by their certificate.
    Without the right login only `pull` is granted."""

    key = None
    certificate_der = b""
    expires = 5   # seconds until the registry refuses a token
    stated = 5    # what clients are told
    asked = []

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        self.asked.append(query.get("scope", []))
        known = hmac.compare_digest(self.headers.get("Authorization", ""), BASIC)
        access = []
        for scope in query.get("scope", []):
            kind, rest = scope.split(":", 1)
            name, actions = rest.rsplit(":", 1)
            granted = [each for each in actions.split(",") if known or each == "pull"]
            access.append({"type": kind, "name": name, "actions": granted})
        token = self.make_token(query.get("service", [""])[0], access)
        data = json.dumps({"token": token, "expires_in": self.stated}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def make_token(self, audience, access):
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        def part(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

        now = int(time.time())
        leeway = 60  # docker-registry takes tokens for that much longer
        header = {"typ": "JWT", "alg": "ES256",
                  "x5c": [base64.b64encode(self.certificate_der).decode()]}
        claims = {"iss": "test", "sub": USER, "aud": audience, "jti": os.urandom(8).hex(),
                  "iat": now, "nbf": now - leeway, "exp": now + self.expires - leeway,
                  "access": access}
        signed = ".".join(part(json.dumps(each).encode()) for each in (header, claims))
        der = self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(der)
        return f"{signed}.{part(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def log_message(self, *_):
        pass


class Registry:
    """`auth` is "basic", "bearer" or "none". Without TLS it can stand behind a FaultHandler."""

    def __init__(self, folder, auth, tls=True, expires=5, stated=5):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.host = f"127.0.0.1:{free_port()}"
        self.tokens = None
        server = {"addr": self.host, "relativeurls": True}
        config = {"version": 0.1, "log": {"level": "warn", "accesslog": {"disabled": True}},
                  "storage": {"filesystem": {"rootdirectory": str(self.folder / "data")},
                              "delete": {"enabled": True}},
                  "http": server}
        self.certificate = None
        self.tls = make_certificate(self.folder, "registry") if tls else None
        if tls:
            key, self.certificate = self.tls
            server["tls"] = {"certificate": str(self.certificate), "key": str(key)}
        if auth == "basic":
            hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
            (self.folder / "htpasswd").write_text(f"{USER}:{hashed}\n")
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(self.folder / "htpasswd")}}
        if auth == "bearer":
            config["auth"] = {"token": self._start_tokens(expires, stated)}
        (self.folder / "config.yml").write_text(json.dumps(config))
        self.log = open(self.folder / "registry.log", "w")
        self.process = subprocess.Popen(
            ["docker-registry", "serve", self.folder / "config.yml"], stdout=self.log,
            stderr=self.log)
        self._wait()

    def _start_tokens(self, expires, stated):
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        key, certificate = make_certificate(self.folder, "token")
        self.tokens = Background(
            TokenHandler,
            tls=self.tls,
            key=serialization.load_pem_private_key(key.read_bytes(), None),
            certificate_der=x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(
                serialization.Encoding.DER),
            expires=expires,
            stated=stated,
            asked=[])
        return {"realm": f"{'https' if self.tls else 'http'}://{self.tokens.host}/token", "service": "test-registry",
                "issuer": "test", "rootcertbundle": str(certificate)}

    def _wait(self):
        context = None
        if self.certificate:
            context = ssl.create_default_context(cafile=str(self.certificate))
        url = f"{'https' if context else 'http'}://{self.host}/v2/"
        for _ in range(300):
            try:
                urllib.request.urlopen(url, context=context)
                return
            except urllib.error.HTTPError as error:
                if error.code == 401:
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.folder / "registry.log").read_text())

    def environment(self, password=PASSWORD, hosts=()):
        """For kiln: the certificate, and a login as `docker login` leaves it."""
        docker = self.folder / f"docker-{len(password)}-{len(hosts)}"
        docker.mkdir(exist_ok=True)
        login = base64.b64encode(f"{USER}:{password}".encode()).decode()
        auths = {host: {"auth": login} for host in (self.host, *hosts)}
        (docker / "config.json").write_text(json.dumps({"auths": auths}))
        out = {"DOCKER_CONFIG": str(docker)}
        if self.certificate:
            out["SSL_CERT_FILE"] = str(self.certificate)
        return out

    def blob_file(self, digest):
        name = digest.partition(":")[2]
        return self.folder / "data/docker/registry/v2/blobs/sha256" / name[:2] / name / "data"

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        if self.tokens:
            self.tokens.stop()
        self.log.close()


PAGE = b"<html><body><h1>504 Gateway Time-out</h1></body></html>"


class FaultHandler(http.server.BaseHTTPRequestHandler):
    """Passes requests on to a registry. `fault(handler)` says what happens instead: a status
    (with a page), "reset", "lost" (passed on, the answer does not come back), "cut" (the answer
    breaks off in its middle), or None."""

    protocol_version = "HTTP/1.1"
    upstream = ""
    fault = None
    seen = []

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append((self.command, self.path, len(body), self.headers.get("Authorization")))
        fault = type(self).fault(self)
        if isinstance(fault, int):
            self.answer(fault, [("Content-Type", "text/html")], PAGE)
            return
        if fault == "answered":
            return
        if fault == "reset":
            self.reset()
            return
        connection = http.client.HTTPConnection(self.upstream, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        if fault == "lost":
            self.reset()
            return
        keep = [(k, v) for k, v in response.getheaders()
                if k.lower() not in ("content-length", "connection", "transfer-encoding")]
        size = response.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.answer(response.status, keep, data, size, cut=fault == "cut")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def answer(self, status, headers, data, size=None, cut=False):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", size or str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut:
            self.wfile.write(data[:len(data) // 2])
            self.reset()
            return
        self.wfile.write(data)

    def reset(self):
        """RST, not FIN."""
        self.wfile.flush()
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for each in (self.rfile, self.wfile, self.connection):
            with contextlib.suppress(OSError):
                each.close()
        self.close_connection = True

    def handle_one_request(self):
        with contextlib.suppress(OSError, ValueError):  # the socket is closed
            super().handle_one_request()

    def finish(self):
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def faulty(upstream, fault):
    proxy = Background(FaultHandler, upstream=upstream, fault=staticmethod(fault), seen=[])
    kind = proxy.server.RequestHandlerClass
    kind.fault = staticmethod(fault)
    try:
        yield proxy.host, kind.seen
    finally:
        proxy.stop()

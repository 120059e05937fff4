# SPDX-License-Identifier: MIT
"""A real registry (Debian's docker-registry) on loopback, with TLS and a password."""

import base64
import contextlib
import crypt
import json
import os
import pathlib
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

USER, PASSWORD = "baker", "loaf & crumb"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Registry:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.host = f"127.0.0.1:{free_port()}"
        self.certificate = self.folder / "registry.crt"
        key = self.folder / "registry.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
             "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
             self.certificate], check=True, capture_output=True)
        hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
        (self.folder / "htpasswd").write_text(f"{USER}:{hashed}\n")
        config = self.folder / "config.yml"
        config.write_text(json.dumps({
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "data")}},
            "http": {"addr": self.host, "tls": {"certificate": str(self.certificate), "key": str(key)}},
            "auth": {"htpasswd": {"realm": "test", "path": str(self.folder / "htpasswd")}}}))
        self.log = open(self.folder / "registry.log", "w")
        self.process = subprocess.Popen(
            ["docker-registry", "serve", config], stdout=self.log, stderr=self.log)
        self._wait()

    def _wait(self):
        context = ssl.create_default_context(cafile=str(self.certificate))
        for _ in range(100):
            try:
                urllib.request.urlopen(f"https://{self.host}/v2/", context=context)
            except urllib.error.HTTPError as error:
                if error.code == 401:
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.folder / "registry.log").read_text())

    def environment(self, password=PASSWORD):
        """For kiln: the certificate, and a login as `docker login` leaves it."""
        docker = self.folder / f"docker-{len(password)}"
        docker.mkdir(exist_ok=True)
        login = base64.b64encode(f"{USER}:{password}".encode()).decode()
        (docker / "config.json").write_text(json.dumps({"auths": {self.host: {"auth": login}}}))
        return {"SSL_CERT_FILE": str(self.certificate), "DOCKER_CONFIG": str(docker)}

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.log.close()


@contextlib.contextmanager
def running():
    with tempfile.TemporaryDirectory(prefix="kiln-registry") as folder:
        os.chmod(folder, 0o700)
        registry = Registry(folder)
        try:
            yield registry
        finally:
            registry.stop()

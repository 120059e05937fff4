# SPDX-License-Identifier: MIT
"""A real ACME server (Debian's pebble) with its own names, for the containers of a bridge network."""

import contextlib
import json
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.request


def make_certificate(folder, address):
    """An authority, and a certificate that it gives to a server at `address`."""
    run = lambda *args: subprocess.run(args, cwd=folder, check=True, capture_output=True)
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
        "-subj", "/CN=test authority", "-days", "2")
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr",
        "-subj", "/CN=server", "-addext", f"subjectAltName=IP:{address}")
    run("openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-out", "server.pem", "-days", "2", "-copy_extensions", "copy")


class Server:
    """Runs on `address`, resolves every name to `target`."""

    def __init__(self, folder, address, target):
        self.folder, self.address, self.target = folder, address, target
        self.processes = []
        self.directory = f"https://{address}:14000/dir"
        self.ca = folder / "ca.pem"

    def start(self):
        (self.folder / "config.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"{self.address}:14000", "managementListenAddress": "127.0.0.1:15000",
            "certificate": str(self.folder / "server.pem"), "privateKey": str(self.folder / "server.key"),
            "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "",
            "certificateValidityPeriod": 10 * 24 * 3600, "externalAccountBindingRequired": False}}))
        log = open(self.folder / "pebble.log", "a")
        env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PATH": "/usr/bin:/bin"}
        self.processes = [
            subprocess.Popen(
                ["pebble-challtestsrv", "-defaultIPv4", self.target, "-defaultIPv6", "",
                 "-dns01", "127.0.0.1:18053", "-http01", "", "-https01", "", "-tlsalpn01", "",
                 "-management", "127.0.0.1:18055"], stdout=log, stderr=log, env=env),
            subprocess.Popen(
                ["pebble", "-config", self.folder / "config.json", "-dnsserver", "127.0.0.1:18053"],
                stdout=log, stderr=log, env=env)]
        log.close()
        context = ssl.create_default_context(cafile=str(self.ca))
        for _ in range(100):
            try:
                urllib.request.urlopen(self.directory, context=context, timeout=2).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"pebble does not start: {(self.folder / 'pebble.log').read_text()[-2000:]}")

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.wait(20)
        self.processes = []


@contextlib.contextmanager
def running(address, target):
    if not shutil.which("pebble"):
        raise unittest.SkipTest("no ACME server (package pebble)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-acme-"))
    make_certificate(folder, address)
    server = Server(folder, address, target)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)

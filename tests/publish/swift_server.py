# SPDX-License-Identifier: MIT
"""A real S3 service on loopback: OpenStack Swift with its s3api, from Debian's packages. It verifies
signatures, payload digests and the clock. One proxy, one server each for accounts, containers and
objects, and memcached, all in the foreground and ended by their pids."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from registry_server import free_port

ACCESS, SECRET, REGION = "test:tester", "testing", "nyc3"
PROGRAMS = ["memcached", "swift-ring-builder", "swift-proxy-server", "swift-account-server",
            "swift-container-server", "swift-object-server"]
KINDS = ["account", "container", "object"]

# The order in which a request passes through them.
FILTERS = {
    "catch_errors": {},
    "gatekeeper": {},
    "cache": {"use": "memcache"},
    "listing_formats": {},
    "bulk": {},
    "s3api": {"s3_acl": "true", "dns_compliant_bucket_names": "true", "check_bucket_owner": "false",
              "min_segment_size": 5 << 20},
    "tempauth": {f"user_{ACCESS.replace(':', '_')}": f"{SECRET} .admin"},
    "slo": {},
    "dlo": {},
    "versioned_writes": {"allow_object_versioning": "true"},
    "symlink": {},
}


def missing():
    """What has to be installed for this, or why the machine cannot run it; "" when it can."""
    absent = [each for each in PROGRAMS if not shutil.which(each)]
    if absent:
        return f"{absent[0]} is not installed (builder/tools/setup test)"
    with tempfile.TemporaryDirectory() as folder:
        try:
            os.setxattr(folder, "user.kiln", b"1")
        except OSError:
            return f"{folder} has no user extended attributes, which Swift needs (set TMPDIR)"
    return ""


def section(name, values):
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


class Swift:
    """`storage_domain`: the name below which buckets are hosts."""

    def __init__(self, folder, region=REGION, storage_domain="localhost"):
        self.folder = pathlib.Path(folder)
        self.region = region
        self.processes = []
        self.user = pwd.getpwuid(os.getuid()).pw_name
        for each in ("etc", "run", "srv/disk"):
            (self.folder / each).mkdir(parents=True)
        (self.folder / "etc/swift.conf").write_text(
            section("swift-hash", {"swift_hash_path_prefix": "a", "swift_hash_path_suffix": "b"})
            + section("storage-policy:0", {"name": "only", "default": "yes"}))
        memory = free_port()
        self.host = f"127.0.0.1:{free_port()}"
        try:
            self._start("memcached", "-u", self.user, "-l", "127.0.0.1", "-p", str(memory))
            for kind in KINDS:
                self._start_storage(kind)
            self._write_proxy(memory, storage_domain)
            self._start("swift-proxy-server", self.folder / "etc/proxy.conf")
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _common(self, port):
        return {"bind_ip": "127.0.0.1", "bind_port": port, "workers": 0, "user": self.user,
                "swift_dir": self.folder / "etc"}

    def _start_storage(self, kind):
        port = free_port()
        builder = self.folder / f"etc/{kind}.builder"
        for arguments in (["create", "2", "1", "0"], ["add", f"r1z1-127.0.0.1:{port}/disk", "1"],
                          ["rebalance"]):
            subprocess.run(["swift-ring-builder", builder, *arguments], check=True,
                           capture_output=True, env=self._environment())
        config = self.folder / f"etc/{kind}.conf"
        config.write_text(
            section("DEFAULT", {**self._common(port), "devices": self.folder / "srv",
                                "mount_check": "false", "recon_cache_path": self.folder / "run"})
            + section("pipeline:main", {"pipeline": f"{kind}-server"})
            + section(f"app:{kind}-server", {"use": f"egg:swift#{kind}"}))
        self._start(f"swift-{kind}-server", config)

    def _write_proxy(self, memory, storage_domain):
        filters = {name: dict(values) for name, values in FILTERS.items()}
        filters["cache"]["memcache_servers"] = f"127.0.0.1:{memory}"
        filters["s3api"].update(location=self.region, storage_domain=storage_domain)
        text = section("DEFAULT", self._common(self.host.rpartition(":")[2]))
        text += section("pipeline:main", {"pipeline": " ".join([*filters, "proxy-server"])})
        text += section("app:proxy-server", {"use": "egg:swift#proxy", "account_autocreate": "true",
                                       "allow_account_management": "true"})
        for name, values in filters.items():
            values["use"] = f"egg:swift#{values.get('use', name)}"
            text += section(f"filter:{name}", values)
        (self.folder / "etc/proxy.conf").write_text(text)

    def _environment(self):
        return {**os.environ, "SWIFT_DIR": str(self.folder / "etc")}

    def _start(self, program, *arguments):
        with open(self.folder / "run" / f"{program}.log", "w") as log:
            self.processes.append(subprocess.Popen(
                [program, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self._environment(), start_new_session=True))

    def _wait(self, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for process in self.processes:
                if process.poll() is not None:
                    raise AssertionError(f"{process.args[0]} ended: {self.logs()}")
            try:
                urllib.request.urlopen(f"http://{self.host}/", timeout=5)
                return
            except urllib.error.HTTPError:  # an answer
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"Swift is not up: {self.logs()}")

    def logs(self):
        return "\n".join(f"{each.name}: {each.read_text(errors='replace')[-2000:]}"
                         for each in (self.folder / "run").glob("*.log"))

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []

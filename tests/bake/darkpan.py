# SPDX-License-Identifier: MIT
"""A DarkPAN: a directory laid out like CPAN, with distributions made on the spot."""

import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import tarfile

XS = """\
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"

MODULE = {module}  PACKAGE = {module}

int
add(a, b)
    int a
    int b
  CODE:
    RETVAL = a + b;
  OUTPUT:
    RETVAL
"""


class DarkPan:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.author = self.folder / "authors/id/J/JD/JDOE"
        self.author.mkdir(parents=True)
        (self.folder / "modules").mkdir()
        self.modules = {}

    def add(self, name, version="1.0", needs=(), xs=None, more="", makefile=None):
        """A distribution whose main module is called like it; `xs` is C code, True for a function
        add(), `more` perl code of the module."""
        module = name.replace("-", "::")
        text = f"package {module};\nuse strict;\nour $VERSION = '{version}';\n"
        text += "".join(f"use {need};\n" for need in needs)
        if xs:
            text += f"require XSLoader;\nXSLoader::load('{module}', $VERSION);\n"
        text += more + "\n1;\n"
        files = {
            "META.json": json.dumps({
                "name": name, "version": version,
                "prereqs": {"configure": {"requires": {"ExtUtils::MakeMaker": "0"}},
                            "runtime": {"requires": {need: "0" for need in needs}}}}),
            "Makefile.PL": makefile or "use ExtUtils::MakeMaker;\nWriteMakefile(NAME => '"
            + module + "', VERSION_FROM => 'lib/" + module.replace("::", "/") + ".pm');\n",
            f"lib/{module.replace('::', '/')}.pm": text,
        }
        if xs:
            files[f"{name.split('-')[-1]}.xs"] = XS.format(module=module) if xs is True else xs
        path = self.author / f"{name}-{version}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for inner, content in files.items():
                info = tarfile.TarInfo(f"{name}-{version}/{inner}")
                info.size, info.mtime = len(content.encode()), 1_600_000_000
                archive.addfile(info, io.BytesIO(content.encode()))
        self.modules[module] = (version, f"J/JD/JDOE/{path.name}")
        return path

    def publish(self):
        lines = [f"{m}  {v}  {p}\n" for m, (v, p) in sorted(self.modules.items())]
        text = f"File: 02packages.details.txt\nLine-Count: {len(lines)}\n\n" + "".join(lines)
        with gzip.open(self.folder / "modules/02packages.details.txt.gz", "wt") as index:
            index.write(text)

    def sign(self, home):
        """Writes the author's CHECKSUMS, signed by the key in a gpg home. Returns the public key."""
        entries = "".join(
            f"  '{p.name}' => {{\n    'cpan_path' => '{self.author.relative_to(self.folder / 'authors/id')}',\n"
            f"    'sha256' => '{hashlib.sha256(p.read_bytes()).hexdigest()}',\n"
            f"    'size' => {p.stat().st_size}\n  }},\n"
            for p in sorted(self.author.glob("*.tar.gz")))
        plain = self.folder / "plain"
        plain.write_text(f"# CHECKSUMS file\n$cksum = {{\n{entries}}};\n")
        gpg = ["gpg", "--homedir", home, "--batch", "--yes", "--passphrase", ""]
        keyring = self.folder / "pause.gpg"
        if not keyring.exists():
            key = ["--quick-generate-key", "PAUSE <pause@localhost>", "rsa2048", "sign", "never"]
            subprocess.run([*gpg, *key], check=True, capture_output=True)
            keyring.write_bytes(
                subprocess.run([*gpg, "--export"], check=True, capture_output=True).stdout)
        subprocess.run(
            [*gpg, "--output", self.author / "CHECKSUMS", "--clear-sign", plain],
            check=True, capture_output=True)
        return keyring

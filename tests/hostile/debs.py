# SPDX-License-Identifier: MIT
"""Packages as no dpkg-deb would build them: ar and tar by hand."""

import io
import tarfile
import time

CONTROL = {"Package": "hostile", "Version": "1", "Architecture": "all",
           "Maintainer": "toy <toy@localhost>", "Description": "a toy"}


def member(name, text=b"", kind=tarfile.REGTYPE, link="", mode=0o644, **more):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    info.mode = mode
    info.size = len(text)
    info.mtime = 1_500_000_000
    for key, value in more.items():
        setattr(info, key, value)
    return info, text if isinstance(text, bytes) else text.encode()


def tar(members, form=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=form, compresslevel=1) as archive:
        for info, text in members:
            archive.addfile(info, io.BytesIO(text))
    return out.getvalue()


def ar(members):
    out = b"!<arch>\n"
    for name, data in members:
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data
        out += b"\n" * (len(data) % 2)
    return out


def control_text(**fields):
    return "".join(f"{k}: {v}\n" for k, v in {**CONTROL, **fields}.items())


def with_attributes(info_and_text, **attributes):
    """The member with extended attributes; needs PAX_FORMAT. "__" stands for a dot."""
    info_and_text[0].pax_headers = {
        f"SCHILY.xattr.{name.replace('__', '.')}": value for name, value in attributes.items()}
    return info_and_text


def deb(data=(), control=None, scripts=None, extra=(), fields=None, form=tarfile.GNU_FORMAT):
    """`data` and `extra` (of the control archive) are members; `scripts` name -> text."""
    text = control if control is not None else control_text(**(fields or {}))
    members = [member("./control", text.encode("utf-8", "surrogateescape"))]
    members += [member(f"./{name}", body.encode(), mode=0o755)
                for name, body in (scripts or {}).items()]
    members += list(extra)
    usual = [member("./", kind=tarfile.DIRTYPE, mode=0o755)]
    return ar([("debian-binary", b"2.0\n"), ("control.tar.gz", tar(members)),
               ("data.tar.gz", tar(usual + list(data), form))])

# SPDX-License-Identifier: MIT
"""Packages that no archive would take, and scripts of packages."""

import tarfile

from cases import Case, run
from debs import ar, control_text, deb, member, tar

DIR, LINK, HARD = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def case(name, code=0, says=(), tree=(), stages=(), raw=None, after="", **how):
    return Case(name, code, says, stages, tree, after,
                (lambda: raw) if raw else (lambda: deb(**how)))


def field(name, value):
    return case(f"{name}: {value[:20]!r}", 1, ("is not a valid package", f"'{name}'"),
                fields={name: value})


def script(name, text, **how):
    return case(name, scripts={"postinst": f"#!/bin/sh\nset -e\n{text}\n"}, **how)


CASES = [
    # Fields that become paths and arguments.
    field("Package", "../../../victim/x"),
    field("Package", "/victim/x"),
    field("Package", "--admindir=/victim"),
    field("Package", "a" * 5000),
    field("Package", "a\x1b[31mb"),
    field("Version", "1/../../../victim"),
    field("Version", "1 2"),
    field("Architecture", "../x"),
    case("no package name", 1, ("has no field 'Package'",), control="Version: 1\n"),
    case("no control data", 1, ("has no field 'Package'",), raw=ar([
        ("debian-binary", b"2.0\n"), ("control.tar.gz", tar([])), ("data.tar.gz", tar([]))])),
    case("a control file outside", 1, ("the unusable name './../../../victim/x'",),
         extra=[member("./../../../victim/x", "x")]),
    case("an absolute control file", 1, ("the unusable name '/victim/x'",),
         extra=[member("/victim/x", "x")]),
    case("a control file in a folder", 1, ("'sub/x' in the control archive is not a regular file",),
         extra=[member("./sub/x", "x")]),
    case("a control file that is a link", 1, ("'link' in the control archive is not a regular file",),
         extra=[member("./link", b"", LINK, "/victim/file")]),
    case("a trigger outside", 1, ("is not a valid trigger name",),
         scripts={"triggers": "interest ../../../../victim/x\n"}),
    case("a trigger in a folder", 1, ("is not a valid trigger name",),
         scripts={"triggers": "activate a/b\n"}),
    case("conffiles outside", scripts={"conffiles": "/../victim/file\n"}),
    # Members of the data archive.
    case("a member outside", 1, ("the unusable name './../../victim/x'",),
         data=[member("./../../victim/x", "x")]),
    case("an absolute member", 1, ("the unusable name '/victim/new'",),
         data=[member("/victim/new", "x")]),
    case("a link and a file through it", 1,
         ("'/srv/link/new' has no folder",),
         data=[member("./srv/link", b"", LINK, "/victim/dir"), member("./srv/link/new", "x")]),
    case("a link up and a file through it", 1,
         ("'/srv/link/new' has no folder",),
         data=[member("./srv/link", b"", LINK, "../../../../victim/dir"),
               member("./srv/link/new", "x")]),
    case("a hard link to the host's", 1, ("the unusable name '../../../../victim/file'",),
         data=[member("./srv/hard", b"", HARD, "../../../../victim/file")]),
    case("a hard link to what is not there", 1, ("is not an earlier file in the package",),
         data=[member("./srv/hard", b"", HARD, "./srv/nothing")]),
    # dpkg makes links last, and refuses it as well.
    case("a hard link to a link", 1, ("is not an earlier file in the package",), data=[
        member("./srv/link", b"", LINK, "/victim/file"),
        member("./srv/hard", b"", HARD, "./srv/link")]),
    case("a device", 1, ("'/dev2' is a device node, which kiln does not unpack",), data=[
        member("./dev2", kind=tarfile.BLKTYPE, devmajor=8, devminor=0)]),
    case("a file in place of a folder", 1, ("trying to overwrite '/etc', which is also in package",),
         data=[member("./etc", "x")]),
    case("a folder in place of a file", 1, ("'/etc/passwd' of the tree is not a regular file",),
         data=[member("./etc/passwd", kind=DIR, mode=0o755)]),
    case("owners beyond the range", 1, ("owner 70000 is above the maximum of 65535",),
         data=[member("./srv/x", "x", uid=70000)]),
    case("owners beyond all numbers", 1, ("owner 2147483647 is above the maximum of 65535",),
         data=[member("./srv/x", "x", uid=2**31 - 1)]),
    case("dpkg's own files", data=[member("./var/lib/dpkg/info/x.list", "/victim/file\n")]),
    case("kiln's own name", data=[member("./.kiln-staging", b"", LINK, "/victim/dir")]),
    case("a name with escapes", data=[member("./srv/a\x1b[31m", "x")]),
    case("a name of 300 bytes", 1, ("has a name of 300 bytes: 'nnn",),
         data=[member("./srv/" + "n" * 300, "x")]),
    case("a path of 10,000 bytes", 1, ("has a path of 10003 bytes: 'srv/dir/",),
         data=[member("./srv" + "/dir" * 2500, "x")]),
    # Archives that are damaged or pretend.
    case("not an archive", 1, ("is not a Debian package",), raw=b"x" * 4096),
    case("an empty file", 1, ("is not a Debian package",), raw=b"\n"),
    case("cut off", 1, ("truncated: 'data.tar.gz' is incomplete",), raw=deb()[:-40]),
    case("a member that is longer than the file", 1,
         ("truncated: 'debian-binary' is incomplete",),
         raw=deb().replace(b"100644  4         ", b"100644  9999999999", 1)),
    case("a negative size", 1, ("is damaged: malformed member header",),
         raw=deb().replace(b"100644  4         ", b"100644  -4        ", 1)),
    case("data that is no tar", 1, ("data.tar.gz': Unrecognized archive format",), raw=ar([
        ("debian-binary", b"2.0\n"), ("control.tar.gz", tar([member("./control", control_text())])),
        ("data.tar.gz", b"no tar at all" * 100)])),
    # Scripts.
    script("replaces dpkg's info", "mv /var/lib/dpkg/info /var/lib/dpkg/i; "
           "ln -s /victim/dir /var/lib/dpkg/info"),
    script("replaces policy-rc.d", "ln -sf /victim/file /usr/sbin/policy-rc.d"),
    script("replaces dpkg's configuration", "rm -rf /etc/dpkg/dpkg.cfg.d; "
           "ln -s /victim/dir /etc/dpkg/dpkg.cfg.d"),
    case("a preinst that replaces dpkg's folder", 1,
         ("'/var/lib/dpkg/info' of the tree is not a directory",), scripts={
        "preinst": "#!/bin/sh\nmv /var/lib/dpkg/info /i\nln -s /victim/dir /var/lib/dpkg/info\n"}),
    case("a preinst that replaces status", 1,
         ("cannot open the directory of '/data/var/lib/dpkg/status' of the tree",), scripts={
        "preinst": "#!/bin/sh\nmv /var/lib/dpkg/status /s\n"
                   "ln -s /data/var/lib/dpkg/status /var/lib/dpkg/status\n"}),
    case("a preinst that replaces its own folder", scripts={
        "preinst": "#!/bin/sh\nrm -rf /var/lib/dpkg/tmp.ci\nln -s /victim/dir "
                   "/var/lib/dpkg/tmp.ci\n"}),
    case("a preinst that replaces the groundwork", 1,
         ("'/.kiln-staging/hostile/1' of the tree: No such file or directory",), scripts={
        "preinst": "#!/bin/sh\nrm -rf /.kiln-staging\nln -s /victim/dir /.kiln-staging\n"},
        data=[member("./srv/x", "x")]),
    case("a diversion to the host's", 1,
         ("'/srv/../../../victim/file' has no folder",), scripts={
        "preinst": "#!/bin/sh\ndpkg-divert --package other --divert /srv/../../../victim/file "
                   "--add /srv/x\n"}, data=[member("./srv/x", "x")]),
    script("takes its host's name for granted", "perl -e 'gethostbyname(shift) or die' kiln",
           tree=("!/etc/hosts",), after="toys"),
    script("adds to hosts", "echo '10.0.0.1 mine' >>/etc/hosts", stages=(run(
        "look", "grep -q mine /etc/hosts; ! grep -q kiln /etc/hosts"),), tree=("/etc/hosts",)),
    script("a failing script", "exit 9", code=1, says=("postinst failed with exit code 9",)),
    script("a script that ends itself", "kill -9 $$", code=1, says=("was killed by signal (Killed)",)),
    script("no password is left", "echo x", stages=(run("look", "! test -e /victim/file"),)),
]

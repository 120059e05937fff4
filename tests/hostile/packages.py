# SPDX-License-Identifier: MIT
"""Packages that no archive would take, and scripts of packages."""

import tarfile

from cases import Case, run
from debs import ar, control_text, deb, member, tar, with_attributes

DIR, LINK, HARD = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


OVERRIDES = "/var/lib/dpkg/statoverride"
STATES = "/var/lib/apt/extended_states"
PAX = tarfile.PAX_FORMAT
MARKS = {f"{kind}__overlay__{mark}": value for kind in ("trusted", "user")
         for mark, value in (("opaque", "y"), ("redirect", "/victim"), ("origin", "x"), ("whiteout", "y"))}
LABELS = {"security__ima": "\x01x", "security__evm": "\x02x", "security__selinux": "u:r:t:s0",
          "security__capability": "\x01", "security__SMACK64": "_", "trusted__x": "x",
          "system__posix_acl_access": "x", "user__x": "x"}


def case(name, code=0, says=(), tree=(), stages=(), before=(), plain=(), raw=None, after="", **how):
    return Case(name, code, says, stages, before, plain, tree, after,
                (lambda: raw) if raw else (lambda: deb(**how)))


def field(name, value):
    return case(f"{name}: {value[:20]!r}", 1, ("is not a valid package", f"'{name}'"),
                fields={name: value})


def left_before(name, text, *says, **how):
    """What an earlier stage leaves where dpkg and apt keep their state; `says` as for a failure."""
    return case(name, 1 if says else 0, says, before=(run("earlier", text),),
                data=[member("./srv/x", "x")], **how)


def override(line):
    return f"printf '{line}\\n' >>{OVERRIDES}"


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
    case("no package name", 1, ("field 'Package' is missing",), control="Version: 1\n"),
    case("no control data", 1, ("field 'Package' is missing",), raw=ar([
        ("debian-binary", b"2.0\n"), ("control.tar.gz", tar([])), ("data.tar.gz", tar([]))])),
    case("a control file outside", 1, ("an invalid name './../../../victim/x'",),
         extra=[member("./../../../victim/x", "x")]),
    case("an absolute control file", 1, ("an invalid name '/victim/x'",),
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
    case("a member outside", 1, ("an invalid name './../../victim/x'",),
         data=[member("./../../victim/x", "x")]),
    case("an absolute member", 1, ("an invalid name '/victim/new'",),
         data=[member("/victim/new", "x")]),
    case("a link and a file through it", 1,
         ("parent directory of '/srv/link/new' is missing",),
         data=[member("./srv/link", b"", LINK, "/victim/dir"), member("./srv/link/new", "x")]),
    case("a link up and a file through it", 1,
         ("parent directory of '/srv/link/new' is missing",),
         data=[member("./srv/link", b"", LINK, "../../../../victim/dir"),
               member("./srv/link/new", "x")]),
    case("a hard link to the host's", 1, ("an invalid name '../../../../victim/file'",),
         data=[member("./srv/hard", b"", HARD, "../../../../victim/file")]),
    case("a hard link to what is not there", 1, ("is not an earlier file in the package",),
         data=[member("./srv/hard", b"", HARD, "./srv/nothing")]),
    # dpkg makes links last, and refuses it as well.
    case("a hard link to a link", 1, ("is not an earlier file in the package",), data=[
        member("./srv/link", b"", LINK, "/victim/file"),
        member("./srv/hard", b"", HARD, "./srv/link")]),
    case("a device", 1, ("'/dev2' is a device node, which kiln does not unpack",), data=[
        member("./dev2", kind=tarfile.BLKTYPE, devmajor=8, devminor=0)]),
    case("a whiteout of overlay mounts", 1, ("'/etc/passwd' is a device node, which kiln does not unpack",),
         data=[member("./etc/passwd", kind=tarfile.CHRTYPE, devmajor=0, devminor=0)]),
    # As dpkg, which takes no attributes from a package.
    case("attributes of overlay mounts", form=PAX, tree=("/etc/passwd", "/etc/new", "/srv/x"),
         plain=("/etc", "/etc/new", "/srv/x"), data=[
        with_attributes(member("./etc", kind=DIR, mode=0o755), **MARKS),
        with_attributes(member("./etc/new", "x"), **MARKS),
        with_attributes(member("./srv/x", "x"), user__overlay__metacopy="", trusted__overlay__metacopy="")]),
    case("attributes of security", form=PAX, plain=("/srv/x", "/srv/d"), data=[
        with_attributes(member("./srv/x", "x", mode=0o755), **LABELS),
        with_attributes(member("./srv/d", kind=DIR, mode=0o755), **LABELS)]),
    case("a file over a link to a device", tree=("/srv/null", "/srv/zero"), after="toys", scripts={
        "preinst": "#!/bin/sh\nln -s /dev/null /srv/null\nln -s ../dev/zero /srv/zero\n"},
        data=[member("./srv/null", "x"), member("./srv/zero", "x")],
        stages=(run("look", "test -f /srv/null && ! test -L /srv/null && test -c /dev/null"),)),
    # dpkg leaves the link alone, and the new file beside it.
    case("a conffile over a link to a device", 1, ("dpkg-leftover /etc/null.conf.dpkg-new",), scripts={
        "preinst": "#!/bin/sh\nln -s /dev/null /etc/null.conf\n", "conffiles": "/etc/null.conf\n"},
        data=[member("./etc/null.conf", "x")], stages=(run("look", "test -c /dev/null"),)),
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
    case("data that is no tar", 1, ("data.tar.gz' is not an archive that kiln can read",), raw=ar([
        ("debian-binary", b"2.0\n"), ("control.tar.gz", tar([member("./control", control_text())])),
        ("data.tar.gz", b"no tar at all" * 100)])),
    # What dpkg and apt would obey.
    left_before("overrides and states of paths outside",
                "ln -s /victim/dir /srv/link; " + override("root root 4777 /srv/link/file") + ";"
                + override("root root 4777 /../victim/file") + ";"
                + override("root root 4777 /srv/../../victim/file")
                + "; printf 'Package: ../../victim/file\\nArchitecture: ../x\\nAuto-Installed: 1\\n\\n' "
                f">{STATES}", tree=("/srv/x",)),
    left_before("overrides and states are the host's",
                f"ln -s /victim/file {OVERRIDES}; ln -sf /victim/file {STATES}", tree=("/srv/x",)),
    left_before("overrides and states are pipes",
                f"mkfifo {OVERRIDES}; rm -f {STATES}; mkfifo {STATES}", tree=("/srv/x",)),
    left_before("an override for nobody that is there", override("mallory root 0644 /srv/x"),
                "user 'mallory' does not exist in the tree"),
    left_before("an override with a number beyond the range", override("#70000 root 0644 /srv/x"), "70000"),
    left_before("an override with half of its words", override("root root"), "expected USER GROUP MODE PATH"),
    left_before("an override with a mode that is none", override("root root \\033[31m /srv/x"),
                "'\\x1b[31m' is not a valid mode"),
    left_before("overrides without end", f"truncate -s 65M {OVERRIDES}",
                f"'{OVERRIDES}' of the tree is larger than 64 MiB"),
    left_before("states of apt that are none", f"echo 'no field' >{STATES}",
                f"'{STATES}' of the tree is malformed", "expected a colon after the field name"),
    left_before("states of apt without end", f"truncate -s 65M {STATES}",
                f"'{STATES}' of the tree is larger than 64 MiB"),
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
    case("a preinst that replaces the staged packages", 1,
         ("'/.kiln-staging/hostile/1' of the tree: No such file or directory",), scripts={
        "preinst": "#!/bin/sh\nrm -rf /.kiln-staging\nln -s /victim/dir /.kiln-staging\n"},
        data=[member("./srv/x", "x")]),
    case("a diversion to the host's", 1,
         ("parent directory of '/srv/../../../victim/file' is missing",), scripts={
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

# SPDX-License-Identifier: MIT
"""Scripts and recipes that point at the host, by way of the tree."""

from cases import Case, run

USERS = "{stage: users, name: people, users: [{name: mallory, uid: 2000}]}"
AGAIN = run("again", "true")
PERL = 'perl -e \'require "syscall.ph" if 0; %s\''


def moved(name, script, *stages, code=0, says=(), tree=(), plain=()):
    return Case(name, code, says, (run("hostile", script), *(stages or (AGAIN,))), tree=tree, plain=plain)


CASES = [
    # Links in the tree, and what kiln then removes, empties, reads and writes.
    moved("state on a data partition", "mkdir /data; mv /var /data/var; ln -s /data/var /var"
          "; mkdir -p /data/var/lib/mysql; touch /data/var/lib/mysql/table",
          tree=("/data/var/lib/dpkg/status", "!/data/var/lib/mysql/table")),
    moved("var is the host's", "mv /var /var2; ln -s /data/var /var"),
    moved("log is the host's", "rm -r /var/log; ln -s /victim/log /var/log"),
    moved("tmp of var is the host's", "rm -r /var/tmp; ln -s /victim/tmp /var/tmp"),
    moved("mysql is the host's", "ln -s /data/var/lib/mysql /var/lib/mysql"),
    moved("cache of root is the host's", "ln -s /victim/dir /root/.cache"),
    moved("machine-id is the host's", "rm -f /etc/machine-id; ln -s /victim/file /etc/machine-id"),
    moved("motd is the host's", "rm -f /etc/motd; ln -s /victim/file /etc/motd",
          "{stage: normalize, name: clean, empty: [/etc/motd]}"),
    moved("normalize removes behind a link", "ln -s /victim /srv/link",
          "{stage: normalize, name: clean, remove: [/srv/link/dir]}", tree=("/srv/link",)),
    moved("normalize removes the link", "ln -s /victim/dir /srv/link",
          "{stage: normalize, name: clean, remove: [/srv/link]}", tree=("!/srv/link",)),
    moved("etc is the host's", "mv /etc /etc2; /bin/ln -s /victim/etc /etc", USERS, code=1,
          says=("of the tree",)),
    moved("passwd is the host's", "mv /etc/passwd /p; ln -s /victim/passwd /etc/passwd", USERS,
          code=1, says=("'/etc/passwd' of the tree",)),
    moved("passwd lies elsewhere in the tree",
          "mkdir -p /usr/lib/accounts; mv /etc/passwd /usr/lib/accounts/passwd;"
          "ln -s /usr/lib/accounts/passwd /etc/passwd", USERS,
          run("look", "grep -q ^root: /etc/passwd; grep -q ^mallory: /usr/lib/accounts/passwd"),
          tree=("/usr/lib/accounts/passwd",)),
    moved("passwd is a pipe", "rm /etc/passwd; mkfifo /etc/passwd", code=1,
          says=("'/etc/passwd' of the tree is not a regular file",)),
    moved("passwd is a folder", "rm /etc/passwd; mkdir /etc/passwd", code=1,
          says=("is not a regular file",)),
    moved("passwd has blank and odd lines", "printf '\\n+\\n' >>/etc/passwd", USERS),
    moved("passwd is a loop", "rm /etc/passwd; ln -s passwd /etc/passwd", USERS, code=1,
          says=("'/etc/passwd' of the tree",)),
    # As useradd does: the link, which leads nowhere in the image.
    moved("skel holds a link to a secret", "ln -s /victim/file /etc/skel/stolen", USERS,
          tree=("/home/mallory/stolen",)),
    moved("skel is the host's", "rm -r /etc/skel; ln -s /victim/dir /etc/skel", USERS,
          tree=("!/home/mallory/file",)),
    moved("home is the host's", "rmdir /home; ln -s /victim/dir /home", USERS, code=1,
          says=("of the tree",)),
    moved("files are written behind a link", "ln -s /victim/dir /srv/link",
          '{stage: files, name: f, files: [{file: /srv/link/file, content: "owned"}]}', code=1,
          says=("of the tree",)),
    moved("files are written behind a link that the tree can follow",
          "mkdir -p /victim/dir; ln -s /victim/dir /srv/link",
          '{stage: files, name: f, files: [{file: /srv/link/file, content: "owned"}]}',
          tree=("/victim/dir/file",)),
    moved("files remove behind a link", "ln -s /victim /srv/link",
          "{stage: files, name: f, files: [{remove: /srv/link/dir}]}"),
    moved("a file in place of a link", "ln -s /victim/file /srv/file",
          '{stage: files, name: f, files: [{file: /srv/file, content: "own"}]}',
          tree=("/srv/file",)),
    moved("an overlay goes behind a link", "ln -s /victim/dir /srv/link",
          "{stage: overlay, name: o, from: ../overlays/debian-minimal, to: /srv/link}", code=1,
          says=("of the tree",)),
    moved("links lead up and up", "ln -s ../../../../../../victim /srv/link",
          "{stage: files, name: f, files: [{remove: /srv/link/dir}]}"),
    # What kiln does before and after it runs programs of the tree.
    moved("dpkg's folder is the host's", "mv /var/lib/dpkg/info /i; ln -s /victim/dir "
          "/var/lib/dpkg/info"),
    moved("hosts is the host's", "rm -f /etc/hosts; ln -s /victim/file /etc/hosts"),
    Case("tmp is the host's", 1, ("'/tmp' of the tree is not a directory",),
         ("{stage: files, name: t, files: [{remove: /tmp}, {link: /tmp, target: /victim/dir}]}",
          AGAIN)),
    Case("dev lies elsewhere in the tree", 1, ("'/dev' of the tree is not a directory",),
         ("{stage: files, name: t, files: [{remove: /dev}, {directory: /srv/dev},"
          " {link: /dev, target: srv/dev}]}", AGAIN)),
    moved("proc is a link", "true",
          "{stage: files, name: f, files: [{remove: /proc}, {link: /proc, target: /srv/../proc}]}",
          AGAIN, code=1, says=("'/proc' of the tree is not a directory",)),
    moved("the name of the staging folder", "ln -s /victim/dir /.kiln-staging"),
    # What scripts leave in the tree.
    moved("a file of exabytes", "truncate -s 4E /srv/big", code=1,
          says=("the tree has files of more than 256.0 GiB",)),
    moved("a large model for homes", "truncate -s 1G /etc/skel/big",
          USERS, code=1, says=("'/etc/skel/big' of the tree is larger than 64 MiB",)),
    moved("a very deep folder",
          "n=$(printf 'd%.0s' $(seq 200)); cd /srv; for i in $(seq 25); do mkdir $n; cd -P $n; done",
          code=1, says=("path too long in the tree",)),
    moved("pipes and sockets everywhere", "mkfifo /srv/p /var/log/p /etc/machine-id2 /var/tmp/p",
          tree=("/srv/p",)),
    moved("names with control characters",
          "touch \"/srv/$(printf 'a\\033[31mb')\" \"/srv/$(printf 'line\\nbreak')\" "
          "\"/srv/$(printf '\\377\\376')\""),
    moved("set-user-id programs", "cp /bin/true /srv/suid; chmod 6755 /srv/suid",
          tree=("/srv/suid",)),
    moved("a folder that nobody may enter", "mkdir /srv/closed; touch /srv/closed/x; "
          "chmod 0 /srv/closed", tree=("/srv/closed/x",)),
    moved("marks of overlay mounts",
          "touch /srv/.wh.etc /srv/.wh..wh..opq", code=1,
          says=("cannot be stored in an OCI layer",)),
    # The kernel may refuse either: then there is nothing to obey.
    moved("forged marks of overlay mounts",
          "for name in user trusted; do for mark in opaque redirect whiteout metacopy; do "
          "perl -e 'syscall(188, $ARGV[0], $ARGV[1], $ARGV[2], 1, 0)' /etc $name.overlay.$mark y; done; done",
          run("look", "grep -q ^root: /etc/passwd; test -d /etc/dpkg"), tree=("/etc/passwd",),
          plain=("/etc",)),
    moved("a forged whiteout", "rm -f /etc/motd; mknod /etc/motd c 0 0 || touch /srv/refused",
          run("look", "test -e /srv/refused || ! test -f /etc/motd")),
    moved("files are written over links to devices",
          "ln -s /dev/null /srv/null; ln -s /dev/full /srv/full; ln -sf /dev/null /etc/motd",
          '{stage: files, name: f, files: [{file: /srv/null, content: "own"}, {file: /srv/full, content: "own"}]}',
          "{stage: normalize, name: clean, empty: [/etc/motd]}",
          run("look", "test -f /srv/null; test -f /srv/full; test -c /dev/null"),
          tree=("/srv/null", "/srv/full")),
    # In the tree that is a file which is not there yet.
    moved("passwd is a link to a device", "ln -sf /dev/null /etc/passwd", USERS, tree=("/dev/null",)),
    moved("a loop of links", "ln -s b /srv/a; ln -s a /srv/b; ln -s . /srv/self"),
    # What scripts do while they run.
    moved("reads the environment", "env >/srv/env; if grep -q KILN_TEST_SECRET /srv/env; then exit 9; fi; "
          "! tr '\\0' '\\n' </proc/1/environ | grep -q KILN_TEST_SECRET"),
    moved("prints terminal escapes", "printf '\\033]0;owned\\007\\033[2J\\n'; exit 3", code=1,
          says=("\\x1b]0;owned\\x07",)),
    moved("prints bytes that are no text", "printf '\\377\\200\\n'; exit 3", code=1,
          says=("failed with exit code 3",)),
    moved("changes core_pattern", "! echo '|/tmp/x' >/proc/sys/kernel/core_pattern"),
    moved("prints for ever", "yes", code=1,
          says=("was stopped: it printed more than 64.0 MiB", "\n  y\n")),
    moved("leaves a server behind", "setsid sleep 3000 >/dev/null 2>&1 &"),
    moved("kills everything", "sleep 100 & kill -9 -1"),
    moved("mounts", "! mount -t tmpfs tmpfs /mnt"),
    moved("changes the host's name", "! hostname owned 2>/dev/null || ! echo x "
          ">/proc/sys/kernel/hostname"),
    moved("takes its host's name for granted", "getent hosts kiln"),
    moved("adds to hosts", "echo '10.0.0.1 mine' >>/etc/hosts", run("look",
          "grep -q mine /etc/hosts; ! grep -q 'localhost kiln' /etc/hosts"), tree=("/etc/hosts",)),
]

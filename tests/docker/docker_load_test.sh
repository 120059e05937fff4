#!/bin/sh
# SPDX-License-Identifier: MIT
# docker_load_test.sh MAKE_SAMPLE PROBE: Docker loads our archive and a container of it sees the tree
# that was written (Docker sets times before 1970 to 1970).
set -eu
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
digest=$("$1" "$2" "$dir/sample.docker.tar")
"$here/docker_load.sh" "$dir/sample.docker.tar" "$digest" \
    /etc/old '/etc/!first' /etc/shadow /usr/bin/sudo /usr/bin/ping /usr/bin/perl \
    /usr/bin/new /usr/big /var/spool /var/spool/a.d /var/spool/a/x /var/spool/a/y /usr/lib \
    >"$dir/found"
cat >"$dir/expected" <<END
/etc/old absent
/etc/!first mode 100644 owner 0:0 size 17 mtime 1775044800 links 1 capability -1
/etc/shadow mode 100640 owner 0:42 size 8 mtime 1775044800 links 1 capability -1
/usr/bin/sudo mode 104755 owner 0:0 size 6 mtime 1775044800 links 1 capability -1
/usr/bin/ping mode 100755 owner 0:0 size 4 mtime 1775044800 links 1 capability 20
/usr/bin/perl mode 100755 owner 0:0 size 10 mtime 1775044800 links 1 capability -1
/usr/bin/new mode 100755 owner 0:0 size 33 mtime 1775044800 links 2 capability -1
/usr/big mode 100644 owner 3000000:4000000 size 9 mtime 0 links 1 capability -1
/var/spool mode 40755 owner 0:0 size 0 mtime 1775044800 links 0 capability -1
/var/spool/a.d absent
/var/spool/a/x absent
/var/spool/a/y mode 100644 owner 0:0 size 1 mtime 1775044800 links 1 capability -1
/usr/lib mode 120777 owner 0:0 size 9 mtime 1775044800 links 1 capability -1
END
diff -u "$dir/expected" "$dir/found"

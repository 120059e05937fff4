# SPDX-License-Identifier: MIT
"""A PAUSE as large as the real one, as 'pause-export' writes it: dumps of both databases with the
stand-in's schema, and an archive of small files. What is in it hangs on nothing but the numbers."""

import bz2
import gzip
import os
import pathlib
import re

USERS = 15_000
FILES = 100_000
UPLOADS = 400_000
PACKAGES = 300_000

ROWS_OF_A_STATEMENT = 4000
BEGIN = 1_000_000_000  # of the uploads, as seconds since 1970
STANDIN = pathlib.Path(__file__).resolve().parents[2] / "overlays/pause-standin"


def user_id(number):
    letters = ""
    for _ in range(5):
        number, letter = divmod(number, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def upload(number):
    """(path below authors/id, user, time) of an upload; the last FILES of them are still there."""
    user = user_id(number % USERS)
    return (f"{user[0]}/{user[:2]}/{user}/Dist-Number{number}-1.{number % 90 + 10}.tar.gz", user,
            BEGIN + number * 1000)


def present():
    return range(UPLOADS - FILES, UPLOADS)


def package(number):
    """(name, number of the upload that has it)"""
    first = UPLOADS - FILES
    return f"Dist::Number{first + number % FILES}::Part{number // FILES}", first + number % FILES


def rows_of_mod():
    uploads = [upload(number) for number in range(UPLOADS)]
    yield "users", "userid, email, ustatus, fullname, introduced", (
        (user_id(n), f"u{n}@example.org", "active", f"Us\u00e9r N\u00famber {n}", BEGIN + n) for n in range(USERS))
    yield "uris", "uriid, userid, basename, uri, dgot, dverified, changed, changedby", (
        (path, user, path.rsplit("/", 1)[1], path.rsplit("/", 1)[1], "Y", "Y", time, user)
        for path, user, time in uploads)
    yield "distmtimes", "dist, distmtime, distmdatetime, indexing_at, indexed_at", (
        (uploads[n][0], uploads[n][2], "2020-01-01 00:00:00", "2020-01-01 00:00:00", "2020-01-01 00:00:01")
        for n in present())
    packages = [(name, *uploads[n]) for name, n in map(package, range(PACKAGES))]
    yield "packages", "package, lc_package, version, dist, distname, file, filemtime, status", (
        (name, name.lower(), "1.10", path, "Dist", "lib/Dist.pm", time, "index") for name, path, _, time in packages)
    for table in ("primeur", "perms"):
        yield table, "package, lc_package, userid", ((name, name.lower(), user) for name, _, user, _ in packages)


def rows_of_authen(password_hash):
    yield "usertable", "user, password, secretemail", (
        (user_id(n), password_hash, f"secret{n}@example.org") for n in range(USERS))
    yield "grouptable", "user, ugroup", [(user_id(0), "admin")]


def literal(value):
    return str(value) if isinstance(value, int) else f"'{value}'"


def dump(path, schema, tables):
    text = (STANDIN / "doc" / schema).read_text()
    text = re.sub(r"^DROP TABLE.*\n", "", text, flags=re.M)
    with bz2.open(path, "wb", compresslevel=1) as out:
        out.write(re.sub(r"^CREATE TABLE (\w+)", r"DROP TABLE IF EXISTS `\1`;\n\g<0>", text, flags=re.M).encode())
        for table, columns, rows in tables:
            out.write(f"LOCK TABLES `{table}` WRITE;\n".encode())
            rows = ["(" + ",".join(map(literal, row)) + ")" for row in rows]
            for start in range(0, len(rows), ROWS_OF_A_STATEMENT):
                values = ",\n".join(rows[start:start + ROWS_OF_A_STATEMENT])
                out.write(f"INSERT INTO `{table}` ({columns}) VALUES {values};\n".encode())
            out.write(b"UNLOCK TABLES;\n")


def archive(folder):
    """Each file has its own bytes, few of them, and the time that the tables know."""
    ids = folder / "authors/id"
    for n in present():
        relative, _, time = upload(n)
        path = ids / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"stand-in of a distribution %d\n" % n)
        os.utime(path, (time, time))
    index = folder / "modules/02packages.details.txt.gz"
    index.parent.mkdir()
    with gzip.open(index, "wt", compresslevel=1) as out:
        out.write(f"File: 02packages.details.txt\nLine-Count: {PACKAGES}\n\n")
        out.writelines(f"{name}  1.10  {upload(n)[0]}\n" for name, n in map(package, range(PACKAGES)))


def write(folder, password_hash):
    """All of it, into a folder that is there."""
    dump(folder / "moddump.current.bz2", "mod.schema.txt", rows_of_mod())
    dump(folder / "authen_pausedump.current.bz2", "authen_pause.schema.txt", rows_of_authen(password_hash))
    archive(folder / "PAUSE")

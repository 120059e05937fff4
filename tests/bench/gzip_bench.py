#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""gzip_bench.py UPLOAD_TOOL [RAW]: gzip of a raw disk on all cores beside `pigz -6`, in pairs. Bounds: 0.7
of its time, 3 % of its size. Without a disk one is made of this system's /usr."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import pairs

TIME_BOUND, SIZE_BOUND = 0.7, 1.03
MIB = 1 << 20


def copy_some(source, target, budget):
    """Files of a folder, in the order of their names, up to so many bytes; returns how many."""
    used = 0
    for path in sorted(source.rglob("*")):
        if path.is_symlink() or not path.is_file() or used + path.stat().st_size > budget:
            continue
        copy = target / path.relative_to("/usr")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        used += path.stat().st_size
    return used


def make_disk(folder):
    """A file system as a bake makes it: programs, libraries and texts, and free space."""
    tree = folder / "tree"
    used = sum(copy_some(pathlib.Path("/usr", name), tree, 40 * MIB)
               for name in ("bin", "sbin", "lib/x86_64-linux-gnu", "lib/python3", "share/doc", "share/perl"))
    disk = folder / "disk.raw"
    with open(disk, "wb") as file:
        file.truncate(used * 2 + 64 * MIB)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, disk], check=True)
    shutil.rmtree(tree)
    return disk


def main():
    tool = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        disk = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else make_disk(folder)
        disk.read_bytes()  # into the page cache, for both
        mine, peers = folder / "kiln.gz", folder / "pigz.gz"

        def ours(_):
            return pairs.run([tool, "gzip", disk, mine, str(pairs.cores())])

        def theirs(_):
            with open(peers, "wb") as out:
                return pairs.run(["pigz", "-6", "-c", "-p", str(pairs.cores()), disk], stdout=out)
        print(f"gzip of {disk.stat().st_size / 1e6:.0f} MB on {pairs.cores()} cores, kiln to pigz -6:")
        seconds, processors = pairs.compare(ours, theirs)
        subprocess.run(f"gzip -dc '{mine}' | cmp - '{disk}'", shell=True, check=True)
        size = mine.stat().st_size / peers.stat().st_size
        print(f"time {seconds:.2f} (bound {TIME_BOUND}), processors {processors:.2f}, "
              f"size {size:.3f} (bound {SIZE_BOUND})")
        if seconds > TIME_BOUND or size > SIZE_BOUND:
            sys.exit("too slow, or too large")


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang-tidy with the settings of .clang-tidy on what HEAD's commit and the work tree change in builder/.

    tidy.py BUILD_DIR [FILE...]

At most twelve files, which take about a minute on two cores; all files with KILN_ALL=yes. A header is checked by
way of the source file of its name, or of the first one that includes it. Exit status 77: this machine cannot.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = "clang-tidy-19"
LIMIT = 12
# gcc's precompiled headers, which clang cannot read.
PRECOMPILED = re.compile(r" -Winvalid-pch| -include \S*cmake_pch\.hxx")


class Skipped(Exception):
    pass


def git(*args):
    done = subprocess.run(["git", "-C", ROOT, *args], capture_output=True, text=True)
    if done.returncode != 0:
        raise Skipped(f"git {args[0]}: {done.stderr.strip() or 'failed'}")
    return [name for name in done.stdout.split("\0") if name]


def commands(build):
    """The compile commands of builder/ without precompiled headers, by file."""
    database = pathlib.Path(build) / "compile_commands.json"
    if not database.exists():
        raise Skipped(f"{database} not found")
    out = {}
    for entry in json.loads(database.read_text()):
        file = pathlib.Path(entry["file"])
        if file.is_relative_to(ROOT / "builder"):
            out[file] = {**entry, "command": PRECOMPILED.sub("", entry["command"])}
    return out


def changed_files():
    """Of HEAD's commit and of the work tree; a merge is compared with its first parent."""
    try:
        git("rev-parse", "--verify", "--quiet", "HEAD~1")
        before = "HEAD~1"
    except Skipped:
        print("the commit before HEAD is not here; only the work tree is compared")
        before = "HEAD"
    names = git("diff", "-z", "--name-only", "--diff-filter=d", before, "--", "builder")
    names += git("ls-files", "-z", "--others", "--exclude-standard", "--", "builder")
    return [ROOT / name for name in sorted(set(names))]


def source_for(header, sources):
    own = header.with_suffix(".cpp")
    if own in sources:
        return own
    line = f'#include "{header.relative_to(ROOT / "builder")}"'
    return next((file for file in sorted(sources) if line in file.read_text()), None)


def chosen(sources):
    if os.environ.get("KILN_ALL"):
        return sorted(sources)
    files = changed_files()
    direct = [file for file in files if file in sources]
    indirect = [source_for(file, sources) for file in files if file.suffix == ".hpp"]
    wanted = list(dict.fromkeys(direct + [file for file in indirect if file]))
    if len(wanted) > LIMIT:
        print(f"{len(wanted) - LIMIT} of {len(wanted)} changed files are not checked; KILN_ALL=yes checks all files")
    return wanted[:LIMIT]


def check(database, file):
    """What clang-tidy found in a file, or nothing."""
    done = subprocess.run([TOOL, "-p", database, "--quiet", file], capture_output=True, text=True)
    return "" if done.returncode == 0 else (done.stdout or done.stderr)


def main():
    if not shutil.which(TOOL):
        raise Skipped(f"{TOOL} is not installed (builder/tools/setup test)")
    sources = commands(sys.argv[1])
    files = [pathlib.Path(name).resolve() for name in sys.argv[2:]] or chosen(sources)
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "compile_commands.json").write_text(json.dumps(list(sources.values())))
        workers = int(os.environ.get("KILN_TIDY_JOBS") or min(2, os.cpu_count() or 1))
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for file, output in zip(files, pool.map(lambda file: check(folder, file), files)):
                if output:
                    faults += 1
                    print(f"{file.relative_to(ROOT)}:\n{output}", flush=True)
    print(f"{len(files)} files checked, {faults} with findings")
    return 1 if faults else 0


try:
    sys.exit(main())
except Skipped as reason:
    print(f"skipped: {reason}")
    sys.exit(77)

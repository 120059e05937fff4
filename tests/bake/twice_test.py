# SPDX-License-Identifier: MIT
"""Groups of packages, each baked and then rebuilt: the trees are the same but for the paths in
twice_known.txt. All groups with KILN_ALL, those named on the command line, or the first one."""

import os
import sys

import groups

KNOWN = groups.patterns("twice_known.txt")


def bake_group(kitchen, name, *args):
    """The manifest lines of the group's stage, and what lint says; None when it cannot be baked."""
    done = kitchen.bake(name, *args)
    if done.failed:
        return None
    said = [line.strip() for line in done.stderr.splitlines() if "(stage 'group')" in line]
    return set((kitchen.stage("group") / "manifest").read_text().splitlines()), said


def differing(kitchen, name, packages):
    """Paths of the group's stage that differ; None when there is no such stage."""
    kitchen.write_recipe(name, packages)
    first = bake_group(kitchen, name, "--refresh")
    kitchen.kiln("cache", "prune", "--all")
    again = first and bake_group(kitchen, name, "--offline")
    if not again:
        return None
    for line in again[1]:
        print(f"{name}: lint: {line}")
    return sorted({line.split(" ")[7] for line in first[0] ^ again[0]})


def is_the_same(kitchen, name, packages):
    paths = differing(kitchen, name, packages)
    kitchen.forget()
    if paths is None:
        return False
    new = [p for p in paths if not groups.matches(p, KNOWN)]
    print(f"{name}: {len(packages)} packages, {len(paths)} paths differ, {len(new)} not known")
    for path in new:
        print(f"  {path}")
    return not new


def main():
    every = groups.groups()
    wanted = sys.argv[1:] or (list(every) if "KILN_ALL" in os.environ else list(every)[:1])
    kitchen = groups.Kitchen("twice")
    try:
        results = {name: is_the_same(kitchen, name, every[name]) for name in wanted}
    finally:
        kitchen.remove()
    print(f"{sum(results.values())} of {len(results)} groups are the same but for what is known, "
          f"{sum(len(every[n]) for n in wanted)} packages")
    sys.exit(0 if all(results.values()) else 1)


main()

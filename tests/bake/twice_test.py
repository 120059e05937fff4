# SPDX-License-Identifier: MIT
"""Groups of packages, each baked and then rebuilt: the trees are the same but for the paths in
twice_known.txt. All groups with KILN_ALL, those named on the command line, or the first one."""

import fnmatch
import os
import pathlib
import shutil
import sys

import world

MOST_IN_POOL = 3 << 30
HERE = pathlib.Path(__file__).resolve().parent
RECIPE = """\
kiln: 1
name: {name}
extends: debian-minimal.yaml
limits: {{time: 1h, output: 512MiB, memory: 8GiB}}
stages:
  - {{stage: packages, name: group, install: [{packages}]}}
images: [../images/oci.yaml]
"""


def lines_of(name):
    for line in (HERE / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line


def groups():
    return {name: words.split() for name, words in (line.split(":") for line in lines_of("twice_groups.txt"))}


def known():
    return [line.split("  #")[0].strip() for line in lines_of("twice_known.txt")]


class Twice:
    def __init__(self):
        self.folder = world.FAST / "twice"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        world.copy_recipes(self.folder)
        # Of its own: the trees of a group are large, and go before the next one.
        self.cache = self.folder / "cache"
        self.cache.mkdir()
        shutil.copytree(world.CACHE / "pool", self.cache / "pool")

    def kiln(self, *args):
        return world.kiln(*args, cwd=self.folder, env=world.environment(KILN_CACHE=self.cache), timeout=3600)

    def bake(self, name, *args):
        return self.kiln("bake", name, "--out", self.folder / "out", "--image", "oci", *args)

    def forget(self):
        self.kiln("cache", "prune", "--all")
        pool = self.cache / "pool"
        if sum(p.stat().st_size for p in pool.rglob("*") if p.is_file()) > MOST_IN_POOL:
            shutil.rmtree(pool)

    def differing(self, name, packages):
        """Paths of the group's stage that differ; None when there is no such stage."""
        (self.folder / f"recipes/{name}.yaml").write_text(
            RECIPE.format(name=name, packages=", ".join(packages)))
        first = self.bake(name, "--refresh")
        again = self.bake(name, "--offline", "--rebuild")
        for done in (first, again):
            if done.returncode not in (0, 4) and "must not enter one" not in done.stderr:
                print(f"{name}: exit code {done.returncode}\n{done.stderr[-3000:]}")
                return None
        refused = [line.strip() for line in again.stderr.splitlines() if "(stage 'group')" in line]
        for line in refused:
            print(f"{name}: lint: {line}")
        return [line.strip().removeprefix("warning:").strip().split(": ")[0]
                for line in again.stderr.splitlines() if line.strip().startswith("warning:   /")]

    def run(self, name, packages):
        paths = self.differing(name, packages)
        self.forget()
        if paths is None:
            return False
        new = [p for p in paths if not any(fnmatch.fnmatch(p, pattern) for pattern in known())]
        print(f"{name}: {len(packages)} packages, {len(paths)} paths differ (first ten), {len(new)} not known")
        for path in new:
            print(f"  {path}")
        return not new


def main():
    every = groups()
    wanted = sys.argv[1:] or (list(every) if "KILN_ALL" in os.environ else list(every)[:1])
    twice = Twice()
    try:
        results = {name: twice.run(name, every[name]) for name in wanted}
    finally:
        shutil.rmtree(twice.folder, ignore_errors=True)
    print(f"{sum(results.values())} of {len(results)} groups are the same but for what is known, "
          f"{sum(len(every[n]) for n in wanted)} packages")
    sys.exit(0 if all(results.values()) else 1)


main()

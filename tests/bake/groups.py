# SPDX-License-Identifier: MIT
"""The groups of packages of twice_groups.txt, baked on top of debian-minimal in a folder of their own."""

import fnmatch
import json
import pathlib
import shutil

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


def patterns(name):
    """The shell patterns of a file whose lines are a pattern, two spaces, and why."""
    return [line.split("  #")[0].strip() for line in lines_of(name)]


def cleanup_rules():
    """The shell patterns of what kiln removes after every stage, as its documentation lists them."""
    lines = (world.SOURCE / "docs/reproducibility.md").read_text().splitlines()
    table = lines[lines.index("<!-- leftovers -->"):]
    paths = [line.split("`")[1] for line in table[:table.index("<!-- end -->")] if line.startswith("| `/")]
    return paths + [path + "/*" for path in paths]


def matches(path, wanted):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in wanted)


class Kitchen:
    def __init__(self, name):
        self.folder = world.FAST / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        world.copy_recipes(self.folder)
        # Of its own: the trees of a group are large, and go before the next one.
        self.cache = self.folder / "cache"
        self.cache.mkdir()
        shutil.copytree(world.CACHE / "pool", self.cache / "pool")

    def write_recipe(self, name, packages):
        (self.folder / f"recipes/{name}.yaml").write_text(
            RECIPE.format(name=name, packages=", ".join(packages)))

    def kiln(self, *args):
        return world.kiln(*args, cwd=self.folder, env=world.environment(KILN_CACHE=self.cache), timeout=3600)

    def bake(self, name, *args):
        """`failed` of the result: not baked, and for another reason than that lint refuses the image."""
        done = self.kiln("bake", name, "--out", self.folder / "out", "--image", "oci", *args)
        done.failed = done.returncode not in (0, 4) and "must not be shipped" not in done.stderr
        if done.failed:
            print(f"{name}: exit code {done.returncode}\n{done.stderr[-3000:]}")
        return done

    def stage(self, name):
        """Where the store keeps the stage, of which it has one of this name."""
        return next(f for f in (self.cache / "stages").iterdir()
                    if json.loads((f / "stage.json").read_text())["name"] == name)

    def lock(self, name):
        return self.folder / f"recipes/{name}.lock"

    def forget(self):
        self.kiln("cache", "prune", "--all")
        pool = self.cache / "pool"
        if sum(p.stat().st_size for p in pool.rglob("*") if p.is_file()) > MOST_IN_POOL:
            shutil.rmtree(pool)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

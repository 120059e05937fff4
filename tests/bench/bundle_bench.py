# SPDX-License-Identifier: MIT
"""The core perl bundle: built with all cores beside built one thing at a time, in one run; then
pushed to a registry on loopback, pulled into an empty cache and placed into a tree. Prints ratios
and seconds. Needs root, and what tests/bake/bundle_test.py has left (tests/run --all)."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bake"))
import registry
import world


def timed(*args, cache, **more):
    start = time.monotonic()
    done = world.succeed(
        *args, "--json", env=world.environment(KILN_CACHE=cache, **more), timeout=3600)
    return time.monotonic() - start, done


def new_cache(folder, name):
    cache = folder / name
    cache.mkdir()
    (cache / "pool").symlink_to(world.CACHE / "pool")
    return cache


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench", dir=world.FAST))
    try:
        many, one = new_cache(folder, "many"), new_cache(folder, "one")
        build = ["artifact", "build", "core", "--offline"]
        together, done = timed(*build, cache=many)
        apart, _ = timed(*build, "--jobs", "1", cache=one)
        print(f"whole build {together:.0f} s, one thing at a time {apart:.0f} s: "
              f"ratio {together / apart:.2f} (bound 0.65)")
        shutil.rmtree(one)
        with registry.running() as server:
            env = server.environment()
            repository = f"{server.host}/bench"
            _, pushed = timed("artifact", "push", "core", repository, cache=many, **env)
            empty = new_cache(folder, "empty")
            pull, _ = timed("artifact", "pull", "core", repository, cache=empty, **env)
        key = json.loads(done.stdout)["key"].removeprefix("sha256:")
        tree = next(f for f in (empty / "stages").iterdir() if key.startswith(f.name)) / "tree"
        start = time.monotonic()
        subprocess.run(["cp", "-a", tree, folder / "image"], check=True)
        place = time.monotonic() - start
        print(f"pull {pull:.1f} s and place {place:.1f} s (bound 15 together)")
        print(f"compressed {json.loads(pushed.stdout)['bytes'] / 2**20:.1f} MiB (bound 45)")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()

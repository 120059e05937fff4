# SPDX-License-Identifier: MIT
"""The core perl bundle: built with all cores beside built one thing at a time, in one run; then
pushed to a registry on loopback, pulled into an empty cache and placed into a tree. Prints ratios
and seconds. With KILN_PAIRS=N the two are built N times, each time the other one first, and the
median ratio counts. Needs root, and what tests/bake/bundle_test.py has left (tests/run --all)."""

import json
import os
import pathlib
import shutil
import statistics
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


def build_pair(folder, first):
    """Builds core in both ways, one of them first: the ratio, and the artifact in cache "all"."""
    jobs = {"all": (), "one": ("--jobs", "1")}
    seconds, told = {}, {}
    for name in sorted(jobs, key=lambda name: name != first):
        cache = folder / name
        shutil.rmtree(cache, ignore_errors=True)
        seconds[name], done = timed(
            "artifact", "build", "core", "--offline", *jobs[name], cache=new_cache(folder, name))
        told[name] = json.loads(done.stdout)
    assert told["all"] == told["one"], f"other bytes: {told}"
    ratio = seconds["all"] / seconds["one"]
    print(f"whole build {seconds['all']:.0f} s, one thing at a time {seconds['one']:.0f} s, "
          f"'{first}' first: ratio {ratio:.2f}", flush=True)
    return ratio, told["all"]


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench", dir=world.FAST))
    try:
        pairs = int(os.environ.get("KILN_PAIRS", "1"))
        built = [build_pair(folder, ("all", "one")[i % 2]) for i in range(pairs)]
        print(f"median ratio {statistics.median(ratio for ratio, _ in built):.2f} (bound 0.65)")
        artifact = built[-1][1]
        many = folder / "all"
        shutil.rmtree(folder / "one")
        with registry.running() as server:
            env = server.environment()
            repository = f"{server.host}/bench"
            _, pushed = timed("artifact", "push", "core", repository, cache=many, **env)
            empty = new_cache(folder, "empty")
            pull, _ = timed("artifact", "pull", "core", repository, cache=empty, **env)
        key = artifact["key"].removeprefix("sha256:")
        tree = next(f for f in (empty / "stages").iterdir() if key.startswith(f.name)) / "tree"
        start = time.monotonic()
        subprocess.run(["cp", "-a", tree, folder / "image"], check=True)
        place = time.monotonic() - start
        print(f"pull {pull:.1f} s and place {place:.1f} s (bound 15 together)")
        print(f"compressed {json.loads(pushed.stdout)['bytes'] / 2**20:.1f} MiB (bound 45)")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()

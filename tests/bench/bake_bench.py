# SPDX-License-Identifier: MIT
"""kiln beside mmdebstrap on the same packages, in one run; prints ratios. mmdebstrap makes its tar
alone, kiln its tree and all images. Both take the packages from files. Needs root."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bake"))
import mmdebstrap
import world

RECIPE = "debian-minimal"


def timed(command, **options):
    """Runs a command; returns its seconds and the peak memory, in MiB, of it and what it ran."""
    start = time.monotonic()
    done = subprocess.run(
        ["/usr/bin/time", "-f", "%M", *command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-6000:]}")
    return time.monotonic() - start, int(done.stderr.splitlines()[-1]) / 1024


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench", dir=world.FAST))
    try:
        world.copy_recipes(folder)
        shutil.copy(world.WORK / f"recipes/{RECIPE}.lock", folder / "recipes")
        packages = mmdebstrap.locked_packages(folder / f"recipes/{RECIPE}.lock")
        mmdebstrap.make_repository(folder / "repository", packages)
        cache = folder / "cache"
        cache.mkdir()
        (cache / "pool").symlink_to(world.CACHE / "pool")
        env = world.environment(KILN_CACHE=cache, TMPDIR=folder)
        bake = [world.KILN, "bake", RECIPE, "--offline", "--check", "none", "--out", folder / "out"]
        cold, cold_peak = timed(bake, cwd=folder, env=env)
        motd = folder / f"overlays/{RECIPE}/etc/motd"
        motd.write_text(motd.read_text() + "another line\n")
        warm, warm_peak = timed(bake, cwd=folder, env=env)
        other, _ = timed(mmdebstrap.command(folder / "repository", packages, folder / "other.tar"), env=env)
        print(f"{len(packages)} packages, both images; mmdebstrap: tar alone")
        print(f"cold bake {cold:.1f} s, mmdebstrap {other:.1f} s: ratio {cold / other:.2f} (bound 0.60)")
        print(f"bake after a one-line overlay change: {warm:.1f} s (bound 5)")
        print(f"peak memory of one process: {cold_peak:.0f} MiB cold, {warm_peak:.0f} MiB after the change "
              "(bound 1024)")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()

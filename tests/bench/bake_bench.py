# SPDX-License-Identifier: MIT
"""kiln beside mmdebstrap on the same packages, in one run; prints ratios. mmdebstrap makes its tar
alone, kiln its tree and all images. Both take the packages from files. Needs root."""

import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bake"))
import world

RECIPE = "debian-minimal"


def timed(command, **options):
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-3000:]}")
    return time.monotonic() - start


def locked_packages(lock):
    """The packages of the disk: (name, version, digest)."""
    data = json.loads(lock.read_text())
    wanted = {n for s in data["stages"] if s["branch"] in ("common", "vm") for n in s["packages"]}
    return [(p["package"], p["version"], p["sha256"]) for p in data["packages"] if p["package"] in wanted]


def make_repository(folder, packages):
    folder.mkdir()
    for name, version, digest in packages:
        digest = digest.removeprefix("sha256:")
        pool = world.CACHE / "pool/sha256" / digest[:2] / digest
        shutil.copy(pool, folder / f"{name}_{version.replace(':', '%3a')}.deb")
    index = subprocess.run(["dpkg-scanpackages", "-m", "."], cwd=folder, check=True, capture_output=True)
    (folder / "Packages").write_bytes(index.stdout)


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench", dir=world.FAST))
    try:
        world.copy_recipes(folder)
        shutil.copy(world.WORK / f"recipes/{RECIPE}.lock", folder / "recipes")
        packages = locked_packages(folder / f"recipes/{RECIPE}.lock")
        make_repository(folder / "repository", packages)
        cache = folder / "cache"
        cache.mkdir()
        (cache / "pool").symlink_to(world.CACHE / "pool")
        env = world.environment(KILN_CACHE=cache, TMPDIR=folder)
        bake = [world.KILN, "bake", RECIPE, "--offline", "--no-check", "--out", folder / "out"]
        cold = timed(bake, cwd=folder, env=env)
        motd = folder / f"overlays/{RECIPE}/etc/motd"
        motd.write_text(motd.read_text() + "another line\n")
        warm = timed(bake, cwd=folder, env=env)
        names = ",".join(name for name, _, _ in packages)
        other = timed(
            ["mmdebstrap", "--variant=essential", f"--include={names}", "bookworm", folder / "other.tar",
             f"deb [trusted=yes] copy:{folder}/repository ./"],
            env=env,
        )
        memory = subprocess.run(
            ["/usr/bin/time", "-v", *bake], cwd=folder,
            env=world.environment(KILN_CACHE=cache, TMPDIR=folder), capture_output=True, text=True,
        ).stderr
        peak = int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", memory).group(1)) / 1024
        print(f"{len(packages)} packages, both images; mmdebstrap: tar alone")
        print(f"cold bake {cold:.1f} s, mmdebstrap {other:.1f} s: ratio {cold / other:.2f} (bound 0.60)")
        print(f"bake after a one-line overlay change: {warm:.1f} s (bound 5)")
        print(f"peak memory of kiln's process, all stages kept: {peak:.0f} MiB (bound 1024)")
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory of any process of the run: {children:.0f} MiB")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()

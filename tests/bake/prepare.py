# SPDX-License-Identifier: MIT
"""Locks and bakes debian-minimal once, checked through libguestfs; the other bake tests start here."""

import shutil

import world


def main():
    for folder in (world.WORK, world.FAST):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    world.copy_recipes(world.WORK)
    done = world.succeed("bake", "debian-minimal", "--refresh", "--out", world.WORK / "reference")
    print(done.stderr[-3000:])
    print(done.stdout)
    assert "paths as recorded" in done.stderr, "the disk was not checked"


main()

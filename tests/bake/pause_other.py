# SPDX-License-Identifier: MIT
"""Bakes another image of PAUSE, which pause_accept_test.py upgrades to: pause-production's, so that
its options are accepted too, with one file of its own."""

import world

OTHER = """\
kiln: 1
name: pause-other
extends: pause-production-standin.yaml
final:
  stages:
    - stage: files
      name: other
      files: [{file: /etc/pause/release, content: "another image\\n"}]
"""


def main():
    (world.WORK / "recipes/pause-other.yaml").write_text(OTHER)
    world.succeed("lock", "pause-other")
    world.succeed("bake", "pause-other", "--check", "none", "--image", "docker,qcow2", "--out", world.WORK / "other")


main()

# SPDX-License-Identifier: MIT
"""What a hostile case is."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass
class Case:
    name: str
    code: int = 0
    says: tuple = ()  # what standard error must contain
    stages: tuple = ()  # further stages of the recipe, as flow maps
    before: tuple = ()  # the same, before the stage of the hostile package
    plain: tuple = ()  # paths that the image has without extended attributes
    tree: tuple = ()  # paths that the image has, or with "!" has not
    after: str = ""  # the stage after which it has them; otherwise the last one
    data: Callable = lambda: b""


def run(name, script):
    """A stage that runs a script."""
    lines = "\n".join("      " + line for line in script.splitlines())
    return f"stage: run\n    name: {name}\n    why: to be hostile\n    script: |\n{lines}"

# SPDX-License-Identifier: MIT
"""Includes go downwards only, and docs/architecture.md names every layer's folder."""

import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BELOW = {
    "base": set(),
    "firstrun": {"base"},
    "recipe": {"base"},
    "formats": {"base"},
    "perl": {"base", "formats"},
    "publish": {"base", "formats"},
    "stages": {"base", "recipe", "formats"},
    "check": {"base", "recipe", "formats"},
    "run": {"base", "recipe", "formats", "check"},
    "pipeline": {"base", "recipe", "formats", "perl", "publish", "stages", "check"},
    "cli": {"base", "recipe", "formats", "perl", "publish", "stages", "check", "run", "pipeline"},
}


def faults():
    include = re.compile(r'^#include "([a-z_]+)/', re.MULTILINE)
    for layer, below in BELOW.items():
        for path in sorted((SOURCE / "builder" / layer).rglob("*.[ch]pp")):
            for other in include.findall(path.read_text()):
                if other != layer and other not in below:
                    yield f"{path.relative_to(SOURCE)}: layer '{layer}' must not include '{other}'"
    text = (SOURCE / "docs/architecture.md").read_text()
    for layer in BELOW:
        if f"`builder/{layer}`" not in text:
            yield f"docs/architecture.md does not name builder/{layer}"


found = list(faults())
print("\n".join(found) or "includes go downwards")
sys.exit(1 if found else 0)

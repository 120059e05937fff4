# SPDX-License-Identifier: MIT
"""Includes go downwards by builder/rooms.txt, folders have no circles and are small, files are
short, and docs/architecture.md has the same rooms."""

import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILDER = SOURCE / "builder"
INCLUDE = re.compile(r'^#include "([a-z0-9_/]+)\.hpp"', re.MULTILINE)
MOST_MODULES = 15
MOST_LINES = 450


def rooms():
    for line in (BUILDER / "rooms.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, below, knows = (word.strip() for word in line.split("|"))
            yield name, below.split(), knows


def sources(folder):
    return sorted(folder.rglob("*.[ch]pp"))


def folder_of(name):
    return name.rpartition("/")[0]


def upward(room, below):
    for path in sources(BUILDER / room):
        for name in INCLUDE.findall(path.read_text()):
            other = name.split("/")[0]
            if other != room and other not in below:
                yield f"{path.relative_to(SOURCE)}: room '{room}' must not include '{other}'"


def folder_graph():
    graph = {}
    for path in sources(BUILDER):
        folder = str(path.parent.relative_to(BUILDER))
        others = graph.setdefault(folder, {})
        for name in INCLUDE.findall(path.read_text()):
            if folder_of(name) != folder:
                others.setdefault(folder_of(name), path)
    return graph


def circles(graph):
    def reachable(start):
        seen, left = set(), [start]
        while left:
            for other in graph.get(left.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    left.append(other)
        return seen

    for folder, others in sorted(graph.items()):
        for other, path in sorted(others.items()):
            if folder in reachable(other):
                yield f"{path.relative_to(SOURCE)}: '{folder}' and '{other}' include each other"


def crowded(graph):
    for folder in sorted(graph):
        modules = {path.stem for path in (BUILDER / folder).glob("*.[ch]pp")}
        if len(modules) > MOST_MODULES:
            yield f"builder/{folder} has {len(modules)} modules (at most {MOST_MODULES})"


def long_files():
    for path in sources(BUILDER) + sources(SOURCE / "tests"):
        lines = path.read_text().count("\n")
        if lines > MOST_LINES:
            yield f"{path.relative_to(SOURCE)} has {lines} lines (at most {MOST_LINES})"


def faults():
    graph = folder_graph()
    text = (SOURCE / "docs/architecture.md").read_text()
    listed = []
    for room, below, knows in rooms():
        yield from (f"rooms.txt: '{room}' is below '{other}', which comes later"
                    for other in below if other not in listed)
        listed.append(room)
        yield from upward(room, below)
        if f"| `{room}` | {knows} |" not in text:
            yield f"docs/architecture.md does not have '| `{room}` | {knows} |'"
    for folder in sorted(path.name for path in BUILDER.iterdir() if path.is_dir()):
        if folder not in listed and sources(BUILDER / folder):
            yield f"rooms.txt does not have builder/{folder}"
    yield from circles(graph)
    yield from crowded(graph)
    yield from long_files()


found = list(faults())
print("\n".join(found) or "the rooms are as planned")
sys.exit(1 if found else 0)

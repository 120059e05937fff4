# SPDX-License-Identifier: MIT
"""Every test that docs/security.md names is there: in its paragraphs "Held by:" and in the last column
of its tables of kinds of attacks. A name is `Suite.Test` or `Class.test_name` (with wildcards), what ctest
calls it, or the case of a corpus: `hostile: CASE`, `foreign: CASE`, `escape: CASE`."""

import fnmatch
import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TESTS = SOURCE / "tests"
GTEST = re.compile(r"^(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)
CTEST = re.compile(r"add_test\(\s*(?:NAME )?([\w.]+)[\s)]|kiln_add_(bake)_test\((\w+) ")
CORPORA = {"hostile": "hostile/*.py", "foreign": "hostile/*.py", "escape": "sandbox/escape_probe.cpp"}


def text_of(pattern):
    return "\n".join(path.read_text() for path in sorted(TESTS.glob(pattern)))


def gtests():
    return {f"{suite}.{name}" for suite, name in GTEST.findall(text_of("**/*_test.cpp"))}


def python_tests():
    for path in TESTS.rglob("*_test.py"):
        name = ""
        for line in path.read_text().splitlines():
            if found := re.match(r"class (\w+)", line):
                name = found[1]
            elif found := re.match(r"    def (test_\w+)", line):
                yield f"{name}.{found[1]}"


def ctests():
    for name, bake, of_bake in CTEST.findall(text_of("**/CMakeLists.txt")):
        yield f"{bake}.{of_bake}" if bake else name
    for folder in ("sandbox", "firstrun"):
        for path in (TESTS / folder).glob("*_test.py"):
            yield f"{folder}.{path.stem.removesuffix('_test')}"


def named(document):
    """What the document calls tests, with the line for messages."""
    holding = False
    for number, line in enumerate(document.splitlines(), 1):
        holding = line.startswith("Held by:") or holding and line != ""
        cells = line.split(" | ")
        words = line if holding else cells[-1] if line.startswith("| ") and len(cells) == 3 else ""
        for name in re.findall(r"`([^`]+)`", words):
            if re.fullmatch(r"(hostile|foreign|escape): .+|\w+\*?\.[\w*]+", name):
                yield number, name


def is_there(name, tests, corpora):
    corpus, colon, case = name.partition(": ")
    if colon:
        return f'"{case}"' in corpora[corpus]
    return any(fnmatch.fnmatchcase(test, name) for test in tests)


def main():
    tests = gtests() | set(python_tests()) | set(ctests())
    corpora = {name: text_of(pattern) for name, pattern in CORPORA.items()}
    names = list(named((SOURCE / "docs/security.md").read_text()))
    missing = [f"docs/security.md:{line}: there is no test '{name}'"
               for line, name in names if not is_there(name, tests, corpora)]
    print("\n".join(missing) or f"{len(names)} tests are named, and all are there")
    if len(names) < 100:
        missing.append("few")
        print(f"only {len(names)} names were found in the document: was its form changed?")
    sys.exit(1 if missing else 0)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails on the phrases of words.txt in messages, documents and identifiers."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LITERAL = r'"(?:[^"\\\n]|\\.)*"'
TOKEN = re.compile(r'//[^\n]*|R"(\w*)\((?:.*?)\)\1"|\'(?:[^\'\\\n]|\\.)\'|(?:' + LITERAL + r")(?:\s*"
                   + LITERAL + ")*", re.S)


def rules():
    """The rules by place: [(pattern, what to write instead)]."""
    out = {"text": [], "docs": [], "code": []}
    for line in (ROOT / "tests/lint/words.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            place, phrase, instead = line.split("\t")
            flags = 0 if place == "code" else re.IGNORECASE
            out[place].append((re.compile(phrase, flags), instead))
    return out


def literals(text):
    """String literals of a C++ file with their lines; adjacent ones are joined."""
    for match in TOKEN.finditer(text):
        token = match.group(0)
        if token.startswith(('"', "R")):
            joined = re.sub(r'"\s*"', "", token).replace("\\n", "\n")
            yield text.count("\n", 0, match.start()) + 1, joined.strip('"')


def without_strings(text):
    """The file with strings and comments blanked out, lines kept."""
    return TOKEN.sub(lambda match: "\n" * match.group(0).count("\n"), text)


def prose(text):
    """Lines of a document outside of code blocks, without inline code."""
    in_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            in_code = not in_code
        elif not in_code:
            yield number, re.sub(r"`[^`]*`", "`", line)


def findings(texts, patterns, path):
    for number, text in texts:
        for line in text.splitlines():
            for pattern, instead in patterns:
                if match := pattern.search(line):
                    yield f"{path}:{number}: '{match.group(0)}': write '{instead}'"


def check(path, wanted):
    text = path.read_text()
    name = path.relative_to(ROOT)
    if path.suffix == ".md":
        return list(findings(prose(text), wanted["text"] + wanted["docs"], name))
    out = list(findings(enumerate(without_strings(text).splitlines(), 1), wanted["code"], name))
    if name.parts[0] == "builder":
        out += findings(literals(text), wanted["text"], name)
    return out


def main():
    wanted = rules()
    files = [path for folder in ("builder", "tests") for suffix in ("cpp", "hpp")
             for path in (ROOT / folder).rglob("*." + suffix)]
    files += list((ROOT / "docs").rglob("*.md")) + list(ROOT.glob("*.md"))
    if len(files) < 100:
        sys.exit("error: found no sources")
    wrong = [line for path in sorted(files) for line in check(path, wanted)]
    print("\n".join(wrong) or f"{len(files)} files use the standard terms")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

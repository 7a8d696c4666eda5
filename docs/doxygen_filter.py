#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Doxygen's input filter: prints the file named, with plain comments as those that Doxygen reads.

A header's first comment is about the file, one behind code is about what stands before it, any other
about what comes next. In Markdown, headings get the names that links call them by.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
LICENCE = re.compile(r"/\* SPDX-License-Identifier: [\w-]+ \*/\n")
SPECIAL = re.compile(r"([\\@<>#%&])")  # text here, commands there


def header(text):
    about_file = True

    def comment(match):
        nonlocal about_file
        line = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
        start = "/**<" if line.strip() else "/** @file\n *" if about_file else "/**"
        about_file = False
        return start + SPECIAL.sub(r"\\\1", match[0][2:])

    text = LICENCE.sub("\n", text)
    return COMMENT.sub(comment, text)


def label(path, heading):
    """A name for a heading, from the one that GitHub gives it and the file's."""
    slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return f"{'_'.join(path.relative_to(ROOT).with_suffix('').parts)}_{slug}"


def markdown(text, path):
    def heading(match):
        main = path == ROOT / "README.md" and match[1] == "#"
        return f"{match[0]} {{#{'mainpage' if main else label(path, match[2])}}}"

    def link(match):
        target = (path.parent / match[1]).resolve() if match[1] else path
        return f"](#{label(target, match[2])})"

    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    for number in range(0, len(parts), 2):  # between fenced blocks
        parts[number] = re.sub(r"^(#+) (.*)$", heading, parts[number], flags=re.MULTILINE)
        parts[number] = re.sub(r"\]\(([^)\s#:]*)#([^)\s]*)\)", link, parts[number])
    return "".join(parts)


def main():
    path = pathlib.Path(sys.argv[1]).resolve()
    text = path.read_text(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    print(header(text) if path.suffix == ".h" else markdown(text, path), end="")


main()

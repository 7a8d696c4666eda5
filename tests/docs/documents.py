# SPDX-License-Identifier: BSD-2-Clause
"""The project's Markdown files and their fenced blocks."""

import dataclasses
import functools
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@functools.cache
def files():
    """Returns all files of the project; without git, all that are not generated."""
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    if done.returncode == 0:
        return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).exists()]
    return [path for path in ROOT.rglob("*") if path.is_file()
            and path.relative_to(ROOT).parts[0] not in (".git", "build", "results")
            and "__pycache__" not in path.parts]


def documents():
    return sorted(path for path in files() if path.suffix == ".md")


def manuals():
    """Returns the documents whose commands are run."""
    return [path for path in documents() if path.parent in (ROOT, ROOT / "docs")]


@dataclasses.dataclass(frozen=True)
class Block:
    document: str
    kind: str  # the word after the three backquotes; empty if each line is a command
    text: str


def blocks():
    for path in manuals():
        for kind, text in FENCE.findall(path.read_text(encoding="utf-8")):
            yield Block(str(path.relative_to(ROOT)), kind, text)


def prose(path):
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def code_spans(path):
    return re.findall(r"(?<!`)`([^`\n]+)`", prose(path))


def commands():
    """Yields (document, command) for each line of the blocks without a kind. Lines that end with a
    backslash are joined, and comments removed."""
    for block in blocks():
        if block.kind == "":
            for line in re.sub(r"\s*\\\n\s*", " ", block.text).splitlines():
                command = re.sub(r"(^|\s+)# .*", "", line).strip()
                if command:
                    yield block.document, command

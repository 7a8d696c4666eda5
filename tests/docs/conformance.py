# SPDX-License-Identifier: BSD-2-Clause
"""Checks docs/conformance.md against the sources, and prints its counts. The named code and tests must
exist, the tests must be run, and a feature that is "not negotiated" must not be known."""

import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/conformance.md"
STATEMENTS = 274  # no section may be lost
VERDICTS = ("kept", "not negotiated", "not applicable", "deviation")
DEFINED = re.compile(r"^[a-z][^\n;{}=]*?\b(\w+)\([^;{]*\)\s*\{|^#define (\w+)", re.MULTILINE)
REGISTERED = re.compile(r"\bcmocka_unit_test\w*\(\s*(\w+)")
FEATURES = re.compile(r"^#define VIRTIO_NET_FEATURES_KNOWN(.*\\\n)+.*\n", re.MULTILINE)


def load(*patterns):
    """Returns the texts of these files by file name. A name of two files is omitted."""
    texts = {}
    for path in (path for pattern in patterns for path in ROOT.glob(pattern)):
        texts[path.name] = "" if path.name in texts else path.read_text(encoding="utf-8")
    return texts


def load_all():
    """Returns the texts of the code, and of the tests with their fakes."""
    return (load("virtio/**/*.[ch]", "pci/**/*.[ch]", "net/**/*.[ch]"),
            load("tests/unit/*.[ch]", "tests/system/test_*.py", "tests/docs/test_compilers.py"))


@functools.cache
def defined(text):
    return {name for names in DEFINED.findall(text) for name in names if name}


def run(name, text):
    """Returns the names of the tests in a file that are run."""
    if name.endswith(".py"):
        return set(re.findall(r"^def (test_\w+)\(", text, re.MULTILINE))
    return set(REGISTERED.findall(text)) & defined(text)


def named(cell):
    """Yields (file, name) of each in "`file.c`: `name`, `name`; `file.c`: `name`". Commands are skipped."""
    file = None
    for span in re.findall(r"`([^`]+)`", cell):
        if re.fullmatch(r"\w+\.(c|h|py)", span):
            file = span
        elif " " not in span:
            yield file, span


def negotiated(code):
    return set(re.findall(r"VIRTIO_(?:NET_)?F_(\w+)", FEATURES.search(code["virtio_net.h"]).group()))


def check_kept(where, test, code, tests):
    is_tested = False
    if not list(named(where)):
        yield "no code is named"
    for file, name in named(where):
        if name not in defined(code.get(file, "")):
            yield f"{file} has no {name}"
    for file, name in named(test):
        text = tests.get(file, "")
        is_test = (file or "").startswith("test_")
        if name not in (run(file, text) if is_test else defined(text)):
            yield f"{file} has no {name}, or does not run it"
        is_tested |= is_test
    if not is_tested:
        yield "no test is named"


def rows(text):
    """Yields (statement, verdict, where or why not, test) of each statement."""
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith(("| statement", "|---")):
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def check(text, code, tests):
    """Returns the errors, and the number of statements with each verdict."""
    wrong, counts = [], dict.fromkeys(VERDICTS, 0)
    agreed = negotiated(code)
    for row in rows(text):
        if len(row) != 4 or row[1] not in VERDICTS or not row[2]:
            wrong.append(f"{row[0]}: not four cells, with a verdict of {', '.join(VERDICTS)}")
            continue
        statement, verdict, where, test = row
        counts[verdict] += 1
        if verdict == "kept":
            wrong += [f"{statement}: {each}" for each in check_kept(where, test, code, tests)]
        elif verdict == "not negotiated":
            wrong += [f"{statement}: {name} is negotiated" for name in
                      re.findall(r"[A-Z][A-Z0-9_]+", where) if name in agreed]
    if sum(counts.values()) < STATEMENTS:
        wrong.append(f"{sum(counts.values())} statements instead of {STATEMENTS}")
    return wrong, counts


def main():
    wrong, counts = check(DOCUMENT.read_text(encoding="utf-8"), *load_all())
    for each in wrong:
        print(f"docs/conformance.md: {each}", file=sys.stderr)
    print(f"conformance: {sum(counts.values())} statements: " +
          ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) +
          f"; wrong: {len(wrong)}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

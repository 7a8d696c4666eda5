# SPDX-License-Identifier: BSD-2-Clause
"""tests/static/circles: circles that its table does not have, and lines of the table that no circle needs."""

import importlib.machinery
import importlib.util

import documents

PATH = str(documents.ROOT / "tests/static/circles")
TABLE = [({"net/a", "net/b", "net/c"}, "one driver"), ({"boot/d", "boot/e"}, "the parser")]


def differences(i386, ppc=()):
    loader = importlib.machinery.SourceFileLoader("circles", PATH)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("circles", loader))
    loader.exec_module(module)
    return module.differences(TABLE, {"i386": list(i386), "ppc": list(ppc)})


def test_circles_of_the_table_pass():
    assert not differences([["net/a", "net/b", "net/c"], ["boot/d", "boot/e"]])
    assert not differences([["net/a", "net/b"], ["boot/d", "boot/e"]], [["net/b", "net/c"]])  # one of each architecture


def test_another_circle_fails():
    found = [["net/a", "net/b", "net/c"], ["boot/d", "boot/e"]]
    assert differences(found, [["boot/d", "net/a"]]) == [
        "ppc: a circle of files that circles.txt does not have: boot/d net/a"
    ]


def test_line_without_a_circle_fails():
    assert differences([["net/a", "net/b", "net/c"]]) == [
        "circles.txt: in no circle any more: boot/d boot/e (the parser)"
    ]


def test_file_that_left_its_circle_fails():
    assert differences([["net/a", "net/b"], ["boot/d", "boot/e"]]) == [
        "circles.txt: in no circle any more: net/c (one driver)"
    ]

# SPDX-License-Identifier: BSD-2-Clause
"""The instruction budget: the number of guest instructions per packet must not grow."""

import json
import sys

import pytest

from guest import ROOT

sys.path.append(str(ROOT / "bench/trace"))
import icount_cases  # noqa: E402
from icount_trace import LAYERS, Image  # noqa: E402

BOUND = 1.02
ROUNDING = 4  # instructions
ATTEMPTS = 3  # a busy machine may split bursts; such extra work does not repeat
REMEDY = "if that is meant: make bench-icount ICOUNT=--update"


def expected_rows(arch):
    expected = json.loads((ROOT / "bench/trace/icount.json").read_text())
    compiler = Image(arch.name, ROOT / arch.image[1]).compiler()
    if compiler not in expected:
        pytest.skip(f"the image is by {compiler or 'an unknown compiler'}; bench/trace/icount.json has "
                    f"{', '.join(expected)}: make bench-icount ICOUNT=--update adds it")
    return expected[compiler][arch.name]


def excesses(expected, rows):
    """Describes what exceeds its bound, one line per case and layer."""
    for case, (row, _) in rows.items():
        sums = dict(row, all=sum(row.values()))
        bounds = dict(expected[case], all=sum(expected[case].values()))
        for name in (*LAYERS, "all"):
            if sums[name] > max(0, bounds[name]) * BOUND + ROUNDING:
                yield (f"{case}, {name}: {sums[name]} instructions for a packet, "
                       f"{bounds[name]} expected")


def test_instructions_of_a_packet(arch):
    expected = expected_rows(arch)
    for _ in range(ATTEMPTS):
        rows = icount_cases.measure(arch)
        assert rows.keys() == expected.keys(), f"the cases are others; {REMEDY}"
        found = list(excesses(expected, rows))
        if not found:
            return
    raise AssertionError("\n".join([*found, REMEDY]))


def test_what_is_a_regression():
    row = dict.fromkeys(LAYERS, 1000)
    for other, names in ((row, []), (dict(row, driver=1020), []), (dict(row, glue=1030), ["glue"]),
                         (dict.fromkeys(LAYERS, 1021), ["all"])):
        found = excesses({"case": row}, {"case": (other, 0)})
        assert [text.split()[1] for text in found] == [f"{name}:" for name in names]

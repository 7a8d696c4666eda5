# SPDX-License-Identifier: BSD-2-Clause
"""The tests of bench/runner/run and bench/report/render. They boot no guest."""

import pathlib
import sys

sys.dont_write_bytecode = True
for folder in ("runner", "report"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / folder))

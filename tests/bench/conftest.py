# SPDX-License-Identifier: BSD-2-Clause
"""The tests of bench/run and bench/report, which boot nothing."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

# SPDX-License-Identifier: BSD-2-Clause
"""The clock of an idle guest ticks slowly. Rates are by the guest's clock; a busy host can only lower
them, as it delays ticks, so that the fast one may take several attempts."""

import time

import services
from guest import ADDRESS

SLOW = 75  # wakes a second: a second of 100 ticks, and two of less than 25
FAST = 40  # 100 ticks, of which a busy host loses some


def wakes_a_second(seconds):
    """From one question to the next, each of which is work."""
    before = services.statistics_by_http(ADDRESS)
    time.sleep(seconds)
    after = services.statistics_by_http(ADDRESS)
    woken = after["loop"]["sleeps"] - before["loop"]["sleeps"]
    return woken / (after["clock_ns"] - before["clock_ns"]) * 1e9


def ticks_are_fast():
    return any(wakes_a_second(0.5) > FAST for _ in range(20))


def test_ticks_of_an_idle_guest(boot):
    guest = boot("")
    assert ticks_are_fast()
    assert wakes_a_second(3) < SLOW
    assert ticks_are_fast(), "ticks stay slow after work"
    guest.assert_well()

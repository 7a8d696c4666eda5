# SPDX-License-Identifier: BSD-2-Clause
"""The parts of a round trip's time: all are present, and their sum is the whole. Their lengths
depend on the host and are not asserted."""

import sys

import pytest

from guest import ROOT

sys.path.append(str(ROOT / "bench/trace"))
import anatomy_trips  # noqa: E402

COUNT = 200
US, S = 1000, 10**9  # ns
BEHIND = 5 * S  # the guest's clock minus the host's, in an invented round trip


@pytest.mark.parametrize("mode", anatomy_trips.SEGMENTS)
def test_segments_make_up_the_round_trip(arch, mode):
    result = anatomy_trips.measure(arch, mode, COUNT)
    assert (result["platform"], result["mode"]) == (arch.name, mode)
    names = [segment["name"] for segment in result["segments"]]
    assert names == [name for name, _ in anatomy_trips.SEGMENTS[mode]]
    times = [segment["us"] for segment in result["segments"]]
    assert min(times) >= 0
    assert sum(times) == pytest.approx(result["round_trip_us"])
    assert COUNT / 8 <= result["n"] <= COUNT


class MadeUpTrace:
    """QEMU saw number 7 in the microsecond that begins 60 us after the message was sent."""
    flushes = [10 * US]
    kicks = [20 * US]
    keys = {anatomy_trips.KEY | 7: [60 * US]}


def made_up_trip(**changes):
    points = {"interrupt": 12, "pass": 13, "receive": 14, "application": 15, "transmit": 16,
              "flush": 18, "end": 21}
    trip = {"number": 7, "sent": 0, "tap_out": 5 * US, "tap_in": 30 * US, "received": 40 * US,
            "shown": [60 * US + BEHIND, 62 * US + BEHIND],
            **{point: at * US + BEHIND for point, at in points.items()}}
    return {**trip, **changes}


@pytest.mark.parametrize("mode", anatomy_trips.SEGMENTS)
def test_clocks_are_brought_together(mode):
    trip = made_up_trip()
    assert anatomy_trips.add_qemu(trip, MadeUpTrace)
    within = anatomy_trips.to_host_clock(trip, mode, MadeUpTrace)
    assert 0 <= within <= 1.5 * US
    assert abs(trip["application"] - 15 * US) <= within
    assert anatomy_trips.in_order(trip, mode)


def test_impossible_round_trips_are_left_out():
    contradiction = made_up_trip(interrupt=5 * US + BEHIND)  # before the ring had the frame
    assert anatomy_trips.add_qemu(contradiction, MadeUpTrace)
    assert anatomy_trips.to_host_clock(contradiction, "irq", MadeUpTrace) is None
    polled = made_up_trip(interrupt=0)
    assert anatomy_trips.add_qemu(polled, MadeUpTrace)
    assert anatomy_trips.to_host_clock(polled, "irq", MadeUpTrace) is None
    assert anatomy_trips.to_host_clock(polled, "poll", MadeUpTrace) is not None
    assert not anatomy_trips.add_qemu(made_up_trip(tap_in=None), MadeUpTrace)
    assert not anatomy_trips.add_qemu(made_up_trip(tap_in=15 * US), MadeUpTrace)

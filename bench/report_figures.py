# SPDX-License-Identifier: BSD-2-Clause
"""From records of rounds to figures: medians, spreads, ratios with their confidence intervals.

docs/measuring.md says what each figure is.
"""

import dataclasses
import random
import statistics

RESAMPLES = 2000
CONFIDENCE = 0.95
SEED = 1  # the same records give the same intervals


@dataclasses.dataclass(frozen=True)
class Metric:
    key: str
    title: str
    unit: str
    path: tuple  # where it is in a round's record
    scale: float = 1
    less_is_better: bool = True


def test(key, title, unit, *path, less=True):
    return Metric(key, title, unit, ("tests", *path), less_is_better=less)


def memory(key, title, after, name):
    return Metric(key, title, "KiB", ("memory", after, name), 1 / 1024)


METRICS = [
    test("udp-rtt", "UDP round trip", "us", "udp-rtt", "median_us"),
    test("udp-rtt-p99", "its 99th percentile", "us", "udp-rtt", "p99_us"),
    test("udp-rtt-one-cpu", "UDP round trip, one processor", "us", "udp-rtt-one-cpu", "median_us"),
    test("tcp-rtt", "TCP round trip", "us", "tcp-rtt", "median_us"),
    test("udp-burst", "UDP bursts, both ways", "Mbit/s", "udp-burst", "sum_mbit_per_s", less=False),
    test("tcp-both", "TCP, both ways", "Mbit/s", "tcp-both", "sum_mbit_per_s", less=False),
    test("udp-in", "UDP in", "Mbit/s", "udp-in", "mbit_per_s", less=False),
    test("udp-out", "UDP out", "Mbit/s", "udp-out", "mbit_per_s", less=False),
    test("tcp-in", "TCP in", "Mbit/s", "tcp-in", "mbit_per_s", less=False),
    test("tcp-out", "TCP out", "Mbit/s", "tcp-out", "mbit_per_s", less=False),
    memory("held-rest", "receive buffers, at rest", "rest", "rx_held"),
    memory("held-burst", "receive buffers, most in UDP bursts", "udp-burst", "rx_held_peak"),
    memory("held-tcp", "receive buffers, most in TCP both ways", "tcp-both", "rx_held_peak"),
    memory("all-rest", "all memory taken, at rest", "rest", "used"),
    memory("all-burst", "all memory taken, most in UDP bursts", "udp-burst", "peak"),
    memory("all-tcp", "all memory taken, most in TCP both ways", "tcp-both", "peak"),
]
BY_KEY = {metric.key: metric for metric in METRICS}


def value_of(metric, record):
    """Of one round, or None where it has none: it or the test failed, or nobody counts it."""
    at = record
    if record.get("error") or "error" in record.get(metric.path[0], {}).get(metric.path[1], {}):
        return None
    for name in metric.path:
        at = at.get(name)
        if at is None:
            return None
    return at * metric.scale


@dataclasses.dataclass(frozen=True)
class Figure:
    """Over the rounds; by_round: {number: value}."""
    by_round: dict

    @property
    def n(self):
        return len(self.by_round)

    @property
    def median(self):
        return statistics.median(self.by_round.values())

    @property
    def low(self):
        return min(self.by_round.values())

    @property
    def high(self):
        return max(self.by_round.values())


def figure(metric, rounds):
    """rounds: {number: record}. None where no round has a value."""
    found = {number: value_of(metric, record) for number, record in rounds.items()}
    by_round = {number: value for number, value in found.items() if value is not None}
    return Figure(by_round) if by_round else None


@dataclasses.dataclass(frozen=True)
class Ratio:
    value: float
    low: float
    high: float
    n: int

    def improvement(self, less_is_better):
        """In percent, as the paper has it, with its interval."""
        sign = -1 if less_is_better else 1
        ends = sorted(sign * (one - 1) * 100 for one in (self.low, self.high))
        return sign * (self.value - 1) * 100, *ends


def quantile(ordered, share):
    """Of sorted values, between two neighbours by their distance."""
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def ratio(of, to):
    """The ratio of two figures' medians over the rounds that both have; None without any.

    The interval is a percentile bootstrap's: rounds are drawn, so that what a slow spell of the
    machine did to both of them stays together.
    """
    if of is None or to is None:
        return None
    both = sorted(of.by_round.keys() & to.by_round.keys())
    pairs = [(of.by_round[number], to.by_round[number]) for number in both]
    if not pairs or statistics.median(pair[1] for pair in pairs) <= 0:
        return None

    def of_medians(drawn):
        below = statistics.median(pair[1] for pair in drawn)
        return statistics.median(pair[0] for pair in drawn) / below if below > 0 else float("inf")
    generator = random.Random(SEED)
    drawn = sorted(of_medians(generator.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    outside = (1 - CONFIDENCE) / 2
    return Ratio(of_medians(pairs), quantile(drawn, outside), quantile(drawn, 1 - outside),
                 len(pairs))

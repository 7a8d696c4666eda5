# SPDX-License-Identifier: BSD-2-Clause
"""Computes figures from the records of rounds: medians, spreads, ratios with confidence intervals.
docs/measuring.md defines each figure."""

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
    paths: tuple  # its place in a round's record; of several values the largest
    scale: float = 1
    less_is_better: bool = True


def latency(key, title, test, name="median_us"):
    return Metric(key, title, "us", (("tests", test, name),))


def bandwidth(key, title, *tests, name="mbit_per_s"):
    return Metric(key, title, "Mbit/s", tuple(("tests", test, name) for test in tests),
                  less_is_better=False)


def memory(key, title, after, name):
    return Metric(key, title, "KiB", (("memory", after, name),), 1 / 1024)


BURSTS = "udp-burst-8", "udp-burst-32"
METRICS = [
    latency("udp-rtt", "UDP round trip", "udp-rtt"),
    latency("udp-rtt-p99", "its 99th percentile", "udp-rtt", "p99_us"),
    latency("udp-rtt-one-cpu", "UDP round trip, one processor", "udp-rtt-one-cpu"),
    latency("tcp-rtt", "TCP round trip", "tcp-rtt"),
    bandwidth("udp-burst", "UDP bursts, both ways", *BURSTS, name="sum_mbit_per_s"),
    bandwidth("udp-burst-8", "those of 8 messages", BURSTS[0], name="sum_mbit_per_s"),
    bandwidth("udp-burst-32", "those of 32 messages", BURSTS[1], name="sum_mbit_per_s"),
    bandwidth("tcp-both", "TCP, both ways", "tcp-both", name="sum_mbit_per_s"),
    bandwidth("udp-in", "UDP in", "udp-in"),
    bandwidth("udp-out", "UDP out", "udp-out"),
    bandwidth("tcp-in", "TCP in", "tcp-in"),
    bandwidth("tcp-out", "TCP out", "tcp-out"),
    memory("held-rest", "receive buffers, at rest", "rest", "rx_held"),
    memory("held-burst", "receive buffers, most in UDP bursts", BURSTS[1], "rx_held_peak"),
    memory("held-tcp", "receive buffers, most in TCP both ways", "tcp-both", "rx_held_peak"),
    memory("all-rest", "all memory taken, at rest", "rest", "used"),
    memory("all-burst", "all memory taken, most in UDP bursts", BURSTS[1], "peak"),
    memory("all-tcp", "all memory taken, most in TCP both ways", "tcp-both", "peak"),
]
BY_KEY = {metric.key: metric for metric in METRICS}


def at_path(record, path):
    """Returns None if there is nothing, or the test failed."""
    for name in path:
        if record is None or "error" in record and record["error"]:
            return None
        record = record.get(name)
    return record


def value_of(metric, record):
    """The value of one round, or None if there is none: the round or the test failed, or it is not
    counted."""
    found = [at_path(record, path) for path in metric.paths]
    return max((value * metric.scale for value in found if value is not None), default=None)


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure over the rounds; by_round: {number: value}."""
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
    """rounds: {number: record}. Returns None if no round has a value."""
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
        """The improvement in percent, as in the paper, with its interval."""
        sign = -1 if less_is_better else 1
        ends = sorted(sign * (one - 1) * 100 for one in (self.low, self.high))
        return sign * (self.value - 1) * 100, *ends


def quantile(ordered, share):
    """A quantile of sorted values, interpolated between two neighbours."""
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def ratio(of, to):
    """The ratio of two figures' medians over their common rounds, or None without any.

    The interval is that of a percentile bootstrap. Whole rounds are drawn, so a time in which the
    machine was slow affects both figures of a sample.
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

# SPDX-License-Identifier: BSD-2-Clause
"""Stalls, their lengths, and whether a known event explains them."""

import os
import threading
import time

STALL = 1.0  # seconds; a longer stall must be explained
RETRANSMISSION = 3.5  # limit in seconds until the guest's stack retransmits a lost segment
STEP, LATE = 0.05, 0.3  # how often the machine is checked, and the delay that is recorded


class Machine(threading.Thread):
    """Records when this program itself did not run in time: measurements of that time do not count."""

    def __init__(self):
        super().__init__(daemon=True)
        self.late = []  # (from, to)
        self.loads = []  # (time, load average)
        self.ended = threading.Event()

    def run(self):
        before = time.monotonic()
        while not self.ended.wait(STEP):
            now = time.monotonic()
            if now - before > STEP + LATE:
                self.late.append((before, now))
            if not self.loads or now - self.loads[-1][0] > 1:
                self.loads.append((now, os.getloadavg()[0]))
            before = now

    def load_at(self, when):
        return min(self.loads, key=lambda each: abs(each[0] - when), default=(0, 0.0))[1]


class Gaps:
    """The times without progress of one service."""

    def __init__(self):
        self.last = None
        self.longest = 0.0
        self.stalls = []  # (from, to)

    def mark(self):
        now = time.monotonic()
        if self.last is not None:
            self.longest = max(self.longest, now - self.last)
            if now - self.last > STALL:
                self.stalls.append((self.last, now))
        self.last = now

    def forget(self):
        """Nothing is expected for now."""
        self.last = None


def uncovered(stall, windows):
    """The seconds of a stall outside of all windows."""
    at, left = stall[0], 0.0
    for start, end in sorted(windows):
        if end <= at:
            continue
        if start >= stall[1]:
            break
        left += max(0.0, start - at)
        at = max(at, end)
    return left + max(0.0, stall[1] - at)


def explain(stall, windows, machine):
    """A word for the cause of a stall; windows: (from, to, class) of the events."""
    within = [(start, end, name) for start, end, name in windows
              if start < stall[1] and end > stall[0]]
    if uncovered(stall, [(start, end) for start, end, _ in within]) <= STALL:
        return "+".join(sorted({name for *_, name in within}))
    late = [(start, end) for start, end, *_ in [*within, *machine.late]]
    if uncovered(stall, late) <= STALL:
        return "this machine"
    return ""


def explain_connection(stall, windows, pings):
    """The same for TCP. Its next retransmission comes after twice the previous time, and may be
    lost by the next event. The time counts from the start of the events, since earlier
    retransmissions have made the timer as long. Without events, a lost segment is retransmitted
    while pings are answered; these are their stalls."""
    begin, end = stall
    within = [(start, stop, name) for start, stop, name in windows if start < end and stop > begin]
    if within:
        outage = max(stop for _, stop, _ in within) - min(begin, *(start for start, *_ in within))
        if end - begin <= 2 * outage + RETRANSMISSION:
            return "+".join(sorted({name for *_, name in within})) + ", retransmission"
    if end - begin <= RETRANSMISSION and not any(start < end and stop > begin for start, stop in pings):
        return "a lost segment"
    return ""

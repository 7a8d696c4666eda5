# SPDX-License-Identifier: BSD-2-Clause
"""The machine's load by other processes, from /proc/stat."""

import os
import pathlib
import time

TICKS = os.sysconf("SC_CLK_TCK")
PROCESSORS = os.cpu_count()


class Meter:
    """Measures from its creation: the share of all processors' time that other processes used, and that the host stole.

    This process and its children that have ended are ours. The time of interrupts is not counted.
    """

    def __init__(self, stat="/proc/stat"):
        self.stat = pathlib.Path(stat)
        self.start = self.read()

    def read(self):
        user, nice, system, _idle, _iowait, _irq, _softirq, steal = (
            int(value) / TICKS for value in self.stat.read_text().split("\n")[0].split()[1:9])
        own = os.times()
        return (time.monotonic(), user + nice + system, steal,
                own.user + own.system + own.children_user + own.children_system)

    def shares(self):
        elapsed, busy, stolen, own = (now - then for now, then in zip(self.read(), self.start))
        whole = max(elapsed, 1 / TICKS) * PROCESSORS
        return {"foreign": round(max(0, busy - own) / whole, 4), "steal": round(stolen / whole, 4),
                "load": round(os.getloadavg()[0], 2)}


def disturbed(shares, tolerance):
    """Returns the reason why these shares disturb a measurement, or an empty text; tolerance: a share."""
    reasons = []
    if shares["foreign"] > tolerance:
        reasons.append(f"other processes took {shares['foreign']:.0%} of the processors")
    if shares["steal"] > tolerance:
        reasons.append(f"the host stole {shares['steal']:.0%} of the processors")
    return ", ".join(reasons)


def look(seconds=1):
    """Returns the shares while this process sleeps for a moment."""
    meter = Meter()
    time.sleep(seconds)
    return meter.shares()


def busiest(count=3, seconds=0.5):
    """Returns the names of the processes that use the most time."""
    def ticks():
        found = {}
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = path.read_text().partition("(")[2].rpartition(")")
            except OSError:  # the process has ended
                continue
            fields = rest.split()
            found[path.parent.name] = (int(fields[11]) + int(fields[12]), name)
        return found
    before = ticks()
    time.sleep(seconds)
    grown = sorted(((now - before.get(pid, (now,))[0], name, pid)
                    for pid, (now, name) in ticks().items()), reverse=True)
    return [f"{name} ({pid})" for more, name, pid in grown[:count]
            if more > 0 and int(pid) != os.getpid()]

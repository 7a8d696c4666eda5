#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""All services at full load for a long time, while links, devices and machines change: make soak."""

import argparse
import collections
import contextlib
import ctypes
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve()
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))

from guest import ARCHITECTURES  # noqa: E402
from segment import Segment, make_bridge  # noqa: E402
from watch import Machine  # noqa: E402

SEGMENT = (120, 360)  # seconds, by lot
LEFT_MIN = 10  # less is no segment of its own
COLUMNS = ("bytes", "messages", "connections", "lost", "late", "not sent", "unreachable", "failed")


class Result:
    """The sums of all segments."""

    def __init__(self, arch, seed):
        self.arch, self.seed, self.began = arch, seed, time.monotonic()
        self.services = collections.defaultdict(collections.Counter)
        self.longest = collections.defaultdict(float)
        self.events = collections.Counter()
        self.event_seconds = collections.defaultdict(float)
        self.stalls, self.failures = [], []
        self.segments = 0

    def add(self, segment):
        self.segments += 1
        for worker in segment.workers:
            self.services[worker.service].update(worker.totals)
            self.longest[worker.service] = max(self.longest[worker.service], worker.gaps.longest)
        for start, end, name in segment.windows:
            self.events[name] += 1
            self.event_seconds[name] = max(self.event_seconds[name], end - start)
        self.stalls += [(segment.number, *stall) for stall in segment.stalls]
        self.failures += segment.failures

    def together(self):
        """The stalls of one segment and one cause."""
        table = collections.defaultdict(list)
        for number, worker, (start, end), reason in self.stalls:
            table[number, reason].append((start, end, str(worker)))
        return table

    def lines(self, watcher):
        yield f"== {self.arch.name}: {self.segments} segments, " \
              f"{time.monotonic() - self.began:.0f} s, seed {self.seed}"
        yield "event        times  longest"
        for name, count in sorted(self.events.items()):
            yield f"{name:<12} {count:5}  {self.event_seconds[name]:.2f} s"
        yield "service          " + "".join(f"{name:>16}" for name in COLUMNS) + "     longest gap"
        for name, totals in sorted(self.services.items()):
            yield f"{name:<17}" + "".join(f"{totals[each]:>16}" for each in COLUMNS) + \
                  f"{self.longest[name]:>14.2f} s"
        yield f"stalls of over a second: {len(self.stalls)}"
        for (number, reason), stalls in sorted(self.together().items()):
            starts, ends, workers = zip(*stalls)
            yield f"  segment {number}, from {min(starts) - self.began:.1f} s on, load " \
                  f"{watcher.load_at(min(starts)):.1f}: {len(stalls)}, the longest " \
                  f"{max(end - start for start, end in zip(starts, ends)):.2f} s: " + \
                  (reason or f"NOTHING EXPLAINS {', '.join(sorted(set(workers)))}")
        yield f"this machine was late {len(watcher.late)} times, at the most by " \
              f"{max((end - start for start, end in watcher.late), default=0):.1f} s"
        yield f"verdict: {f'{len(self.failures)} FAILURES' if self.failures else 'well'}"


def soak(options):
    """In a separate network, for one architecture."""
    arch, = (each for each in ARCHITECTURES if each.name == options.arch)
    watcher = Machine()
    watcher.start()
    make_bridge()
    result = Result(arch, options.seed)
    lot = random.Random(f"{options.seed} {arch.name}")
    end = time.monotonic() + options.seconds
    number = 0
    with contextlib.suppress(KeyboardInterrupt):
        while (left := end - time.monotonic()) > LEFT_MIN or not number:
            seconds = min(left, lot.uniform(*SEGMENT))
            number += 1
            if options.segment in (0, number):
                run_segment(Segment(arch, options.seed, number, watcher), seconds, result, options)
                if options.segment:
                    break
    print("\n".join(result.lines(watcher)), flush=True)
    return 1 if result.failures else 0


def run_segment(segment, seconds, result, options):
    try:
        segment.run(seconds)
    except KeyboardInterrupt:
        segment.failures.clear()  # of a guest that was ended in the middle
        result.add(segment)
        print(f"{segment.arch.name}: ended in segment {segment.number}", flush=True)
        raise
    result.add(segment)
    verdict = "well" if not segment.failures else "FAILED"
    print(f"{segment.arch.name}: segment {segment.number}, {seconds:.0f} s, "
          f"{len(segment.windows)} events, {segment.options}: {verdict}", flush=True)
    if segment.failures:
        log = ROOT / f"build/soak-{segment.arch.name}-{options.seed}-{segment.number}.log"
        log.write_text(segment.log)
        print("\n".join(f"  {line}" for line in segment.failures))
        print(f"  consoles and QEMU's commands: {log}\n  again: make soak ARCH={segment.arch.name} "
              f"SEED={options.seed} SEGMENT={segment.number} SOAK_S={options.seconds:g}", flush=True)


def interrupt(*_):
    raise KeyboardInterrupt


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def start_all(options):
    """Each architecture in its own process and network, at the same time."""
    children = []
    for arch in [options.arch] if options.arch else [each.name for each in ARCHITECTURES]:
        children.append(subprocess.Popen(
            [ROOT / "vm", "netns", "--", sys.executable, HERE, "--in-own-network", "--arch", arch,
             "--seconds", str(options.seconds), "--seed", str(options.seed), "--segment",
             str(options.segment)], start_new_session=True, preexec_fn=end_with_parent))
    status = 0
    for child in children:
        while True:
            try:
                status = max(status, abs(child.wait()))
                break
            except KeyboardInterrupt:
                for each in children:
                    if each.poll() is None:
                        each.send_signal(signal.SIGINT)
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, help="default: another each time")
    parser.add_argument("--arch", choices=[arch.name for arch in ARCHITECTURES])
    parser.add_argument("--segment", type=int, default=0, help="this one only")
    parser.add_argument("--in-own-network", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has them ignored
        signal.signal(number, interrupt)
    if options.in_own_network:
        return soak(options)
    print(f"soak: seed {options.seed}, {options.seconds:g} s", flush=True)
    return start_all(options)


if __name__ == "__main__":
    sys.exit(main())

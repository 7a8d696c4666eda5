# SPDX-License-Identifier: BSD-2-Clause
"""The records of an invented run. As a program it writes them to a folder, so that one can view a report."""

import random
import sys

import run_plan
from run_records import Records

# Round trip in us, bursts in Mbit/s, receive buffers in KiB
USUAL = {"vtnet/virtio": (80, 2000, 150), "vtnet/NE2000": (120, 300, 24),
         "vtnet/i82559": (95, 1500, 100), "linux/virtio": (130, 900, 0),
         "linux/e1000": (150, 800, 0), "linux/i82559": (100, 700, 0), "linux/NE2000": (110, 200, 0),
         "native": (12, 9000, 0)}
TCP_PACE = 3  # TCP's bandwidth as a multiple of that of bursts


def tests(subject, generator):
    trip, burst, _ = USUAL[subject.name.partition("/")[2]]
    found = {}
    for test in run_plan.TESTS:
        pace = generator.uniform(0.9, 1.1) * (0.4 if test.one_cpu else 1)
        if test.name.endswith("rtt"):
            found[test.key] = {"median_us": trip * pace, "p99_us": 3 * trip * pace,
                               "quantiles_us": [trip * pace * (0.7 + 0.006 * at if at < 95 else
                                                               1.3 + (at - 94) ** 2 / 5)
                                                for at in range(101)]}
        elif test.name.endswith(("burst", "both")):
            pace *= TCP_PACE if test.name.startswith("tcp") else 0.7 if test.in_flight == 8 else 1
            found[test.key] = {"sum_mbit_per_s": burst * pace}
        else:
            found[test.key] = {"mbit_per_s": burst * pace}
    return found


def memory(subject):
    held = USUAL[subject.name.partition("/")[2]][2] * 1024
    return {after: {"rx_held": 3224, "rx_held_peak": held if after != "rest" else 3224,
                    "used": 75000, "peak": 75000 + held}
            for after in ("rest", *(test.key for test in run_plan.TESTS))}


def round_of(subject, number, **changed):
    generator = random.Random(f"{subject.name} {number}")
    return {"kind": "round", "round": number, "subject": subject.name, "error": "",
            "disturbed": "", "at": "2020-01-01T00:00:00+0000", "seconds": 1,
            "load": {"foreign": 0, "steal": 0, "load": 0}, "tests": tests(subject, generator),
            "memory": memory(subject) if subject.tells else {}, **changed}


def timeline_of(subject):
    held = USUAL[subject.name.partition("/")[2]][2] * 1024
    phases = [["at rest", 0], ["ping-pong", 1], ["burst", 2.1], ["TCP both ways", 3.7],
              ["afterwards", 5.8]]
    samples = [[at / 10, held if 21 < at < 80 else 3224] for at in range(98)]
    return {**round_of(subject, run_plan.TIMELINE), "tests": {}, "memory": {}, "phases": phases,
            "samples": samples}


def write(folder, rounds=5):
    """A complete run in which one round was disturbed and another failed."""
    records = Records(folder)
    found = run_plan.subjects()
    records.add({"kind": "plan", "subjects": [subject.name for subject in found]})
    records.add({"kind": "start", "at": "2020-01-01T00:00:00+0000", "command": ["bench/runner/run"],
                 "cpu": "A processor", "processors": 2, "kernel": "6.1", "qemu": "QEMU 7.2",
                 "version": "1234567", "load": 0.1})
    for subject in found:
        reason = "no vmx/svm" if subject.platform == "i386-kvm" else \
            "no image" if subject.guest == "freebsd" else ""
        records.add({"kind": "subject", "subject": subject.name, "platform": subject.platform,
                     "guest": subject.guest, "card": subject.card, "label": subject.label,
                     "reason": reason, "qemu": "" if reason else "qemu-system -nographic"})
        if reason:
            continue
        for number in range(1, rounds + 1):
            records.add(round_of(subject, number))
        if subject.own:
            records.add(timeline_of(subject))
    first = found[0]
    records.add(round_of(first, 1, disturbed="other processes took 9% of the processors"))
    records.add(round_of(first, 2, error="not done within 80 s", tests={}))
    return records


if __name__ == "__main__":
    write(sys.argv[1])

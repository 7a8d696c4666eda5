#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures the guest beside which ./vm started it, and prints the figures as JSON.

  ./vm run -- bench/runner/run_beside.py '{"seconds": 1, "count": 2000, "tells": true, "timeline": false}'
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import guest_stats
from run_plan import ROOT, TESTS

VTBENCH = str(ROOT / "build/host/vtbench")
WARM_UP = 300  # round trips
WAITS = 20  # seconds that a guest may take to serve after it is up
INTERVAL = 0.1  # seconds between two samples of the timeline
MEMORY = ("used", "peak")  # bytes allocated in the guest, for everything: buffers, rings and sockets
COUNTERS = ("rx_held", "rx_held_peak", "rx_posted", "rx_packets", "tx_packets", "interrupts",
            "rx_no_memory")


def vtbench(test, spec, **changed):
    """Returns the figures of one round of a test, or its error."""
    values = dict(spec, **changed)
    command = [VTBENCH, "--json", "--quiet"]
    for option in ("seconds", "count", "in-flight"):
        command += [f"--{option}", str(values[option])] if values.get(option) else []
    command += [os.environ["VTNET_GUEST"], test]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=30 + 2 * values["seconds"], check=False)
        return json.loads(done.stdout)["tests"][test]["rounds"][0]
    except subprocess.TimeoutExpired:
        return {"error": f"{test} hung"}
    except (ValueError, KeyError, IndexError):
        return {"error": done.stderr.strip() or f"{test} has no figures"}


def warm_up(spec):
    """Waits until the guest serves: it may be up earlier."""
    for _ in range(WAITS):
        result = vtbench("udp-rtt", spec, count=WARM_UP)
        if "error" not in result:
            return ""
        time.sleep(1)
    return result["error"]


def memory():
    """Returns the bytes of the driver's receive buffers, and of all memory that the guest has allocated,
    if it reports them."""
    figures = guest_stats.read()
    counters = figures["cards"][0]["counters"]
    counters.setdefault("rx_held_peak", counters["rx_held"])
    return {**{name: counters[name] for name in COUNTERS if name in counters},
            **{name: figures["memory"][name] for name in MEMORY if "memory" in figures}}


def measured_processes():
    """Returns the pids of QEMU, or of the server without one: the other children of our parent."""
    children = pathlib.Path(f"/proc/{os.getppid()}/task/{os.getppid()}/children").read_text()
    return [pid for pid in children.split() if int(pid) != os.getpid()]


@contextlib.contextmanager
def on_one_processor():
    """Makes the measured processes, and those started in the body, share one processor."""
    before = os.sched_getaffinity(0)

    def everyone(processors):
        os.sched_setaffinity(0, processors)
        for pid in measured_processes():
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(task.name), processors)
    everyone({min(before)})
    try:
        yield
    finally:
        everyone(before)


def measure(spec):
    results = {"tests": {}, "memory": {}}
    if spec["tells"]:
        results["memory"]["rest"] = memory()
    error = warm_up(spec)
    if error:
        return {**results, "error": error}
    failed, why_not = 0, ""
    for test in TESTS:
        if why_not:
            results["tests"][test.key] = {"error": f"not run: {why_not}"}
            continue
        with on_one_processor() if test.one_cpu else contextlib.nullcontext():
            result = vtbench(test.name, spec, **{"in-flight": test.in_flight})
        results["tests"][test.key] = result
        failed = failed + 1 if "error" in result else 0
        why_not = "two tests before it failed" if failed == 2 else ""
        try:
            results["memory"].update({test.key: memory()} if spec["tells"] else {})
        except SystemExit as error:  # for example, a guest that was flooded
            why_not = f"after {test.key}, {error}"
    return results


def timeline():
    """Returns the receive buffers over time, [[seconds, bytes], ...], and the start of each phase."""
    # label, test, minimum of seconds
    phases = [("at rest", None, 1), ("ping-pong", "udp-rtt", 1), ("burst", "udp-burst", 0),
              ("TCP both ways", "tcp-both", 0), ("afterwards", None, 4)]
    start = time.monotonic()
    begins, samples = [], []
    for label, test, seconds in phases:
        begins.append([label, round(time.monotonic() - start, 3)])
        process = test and subprocess.Popen(
            [VTBENCH, "--quiet", "--seconds", "1.5", "--count", "8000", os.environ["VTNET_GUEST"],
             test], stdout=subprocess.DEVNULL)
        end = time.monotonic() + seconds
        while (process and process.poll() is None) or time.monotonic() < end:
            held = guest_stats.counters()["rx_held"]
            samples.append([round(time.monotonic() - start, 3), held])
            time.sleep(INTERVAL)
    return {"phases": begins, "samples": samples}


def main():
    spec = json.loads(sys.argv[1])
    print(json.dumps(timeline() if spec["timeline"] else measure(spec)))


if __name__ == "__main__":
    # an exception, so that subprocess.run() ends its child
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    main()

# SPDX-License-Identifier: BSD-2-Clause
"""One round of one subject: boots it, measures it, says how disturbed that was."""

import contextlib
import json
import subprocess
import time

import run_load
from run_plan import NATIVE, ROOT, TIMELINE

BESIDE = str(ROOT / "bench/runner/run_beside.py")
NATIVE_SERVER = str(ROOT / "bench/runner/run_native.py")


def command(subject, number, depth):
    spec = {"seconds": depth.seconds, "count": depth.count, "tells": subject.tells,
            "timeline": number == TIMELINE}
    server = [NATIVE_SERVER] if subject.platform == NATIVE else []
    return [*subject.vm_command(), "--", *server, BESIDE, json.dumps(spec)]


def last_words(text):
    """Of a program that failed: what ./vm said itself, else the last line that is no console's."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("  | ")]
    lines = [line for line in lines if not line.endswith("console:")]
    own = [line for line in lines if line.startswith("vm: ")]
    return (own or lines or ["no reason given"])[-1].strip()


def run_to_end(words, seconds):
    """Its output and an error, one of the two empty. It does not outlive us, nor the seconds."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return "", f"not done within {seconds:.0f} s"
    finally:
        if process.poll() is None:
            process.terminate()  # on which ./vm ends the guest and what runs beside it
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=10)
            process.kill()
    return (out, "") if process.returncode == 0 else ("", last_words(err))


def measure(subject, number, depth, limit, tolerance):
    """The record of it. limit: seconds after which it has failed; tolerance: of run_load."""
    record = {"kind": "round", "round": number, "subject": subject.name,
              "at": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
    start = time.monotonic()
    meter = run_load.Meter()
    out, error = run_to_end(command(subject, number, depth), limit)
    record["load"] = meter.shares()
    record["seconds"] = round(time.monotonic() - start, 2)
    try:
        record.update(json.loads(out) if out else {})
    except ValueError:
        error = error or last_words(out)
    record["error"] = error or record.get("error", "")
    record["disturbed"] = run_load.disturbed(record["load"], tolerance)
    return record

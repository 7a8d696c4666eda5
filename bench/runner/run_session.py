# SPDX-License-Identifier: BSD-2-Clause
"""One round of one subject: boots it, measures it, and records the disturbance by other load."""

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
    """Returns the error of a failed program: the message of ./vm, or the last line that is not from the
    guest's console."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("  | ")]
    lines = [line for line in lines if not line.endswith("console:")]
    own = [line for line in lines if line.startswith("vm: ")]
    return (own or lines or ["no reason given"])[-1].strip()


def run_to_end(words, seconds):
    """Runs a command and returns its output and an error; one of them is empty. The command is ended with
    this process, and after this many seconds."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return "", f"not done within {seconds:.0f} s"
    finally:
        if process.poll() is None:
            process.terminate()  # on SIGTERM ./vm ends the guest and the command beside it
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=10)
            process.kill()
    return (out, "") if process.returncode == 0 else ("", last_words(err))


def measure(subject, number, depth, limit, tolerance):
    """Returns the record of a round. limit: seconds after which it has failed; tolerance: see run_load."""
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

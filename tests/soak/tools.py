# SPDX-License-Identifier: BSD-2-Clause
"""netperf and iperf, one short run after another."""

import contextlib
import re
import subprocess
import time

from guest import ROOT, die_with_parent
from worker import Worker

RUN_MAX = 90  # timeout in seconds, for what takes two on an idle machine
TROUBLE = ("WARN", "failed", "refused", "rror")


def netperf_program():
    done = subprocess.run([ROOT / "setup", "--netperf"], text=True, capture_output=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


class Tool(Worker):
    """A failed run is an error, unless an event occurred that the tool may not survive."""

    def __init__(self, address, seed, program):
        super().__init__(address, seed)
        self.program = program
        self.failed = []  # (from, to, what it said)
        self.floods = []  # (from, to, "flood"): a flood that displaces other traffic

    def work(self):
        while not self.end.wait(0.2):
            self.call(self.arguments())

    def arguments(self):
        raise NotImplementedError

    def result(self, output):
        """The bytes and losses in the output are added to the totals."""
        raise NotImplementedError

    def call(self, arguments):
        begin = time.monotonic()
        with subprocess.Popen([self.program, *arguments], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              preexec_fn=die_with_parent) as process:
            try:
                output, _ = process.communicate(timeout=RUN_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                output = process.communicate()[0] + f"\nhas not ended in {RUN_MAX} s"
        self.totals["messages"] += 1
        if "UDP_STREAM" in arguments:
            self.floods.append((begin, time.monotonic(), "flood"))
        if process.returncode != 0 or any(word in output for word in TROUBLE):
            self.totals["failed"] += 1
            self.failed.append((begin, time.monotonic(),
                                f"{self} {' '.join(arguments)}: {output.strip()}"))
        else:
            with contextlib.suppress(AttributeError):  # a run in which nothing came through
                self.result(output)


class Netperf(Tool):
    service = "netperf"
    TESTS = ("TCP_STREAM", "TCP_MAERTS", "TCP_RR", "TCP_CRR", "UDP_STREAM", "UDP_RR")

    def arguments(self):
        test = self.random.choice(self.TESTS)
        own = ["-m", str(self.random.randint(1, 1472))] if test == "UDP_STREAM" else []
        return ["-6" if ":" in self.address else "-4", "-H", self.address, "-t", test, "-l", "1",
                "-P", "0", "--", *own, "-k", "LOCAL_BYTES_SENT,LOCAL_BYTES_RECVD"]

    def result(self, output):
        self.totals["bytes"] += sum(map(int, re.findall(r"_(?:SENT|RECVD)=(\d+)", output)))


class Iperf(Tool):
    service = "iperf"
    WAYS = ([], ["-d"], ["-r"], ["-P", "3"], ["-R"], ["--full-duplex"], ["-u", "-b", "50M"])

    def arguments(self):
        family = ["-V"] if ":" in self.address else []
        return ["-c", self.address, *family, "-t", "1", "-f", "K", *self.random.choice(self.WAYS)]

    def result(self, output):
        found = re.findall(r"^\[ *\*?\d+\].* sec +(\d+) KBytes +\d+ KBytes/sec", output, re.M)
        self.totals["bytes"] += 1024 * sum(map(int, found))
        for lost in re.findall(r" ms +(\d+)/ *\d+ ", output):
            self.totals["lost"] += int(lost)

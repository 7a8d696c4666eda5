# SPDX-License-Identifier: BSD-2-Clause
"""The progress of bench/runner/run: one line that is rewritten on a terminal, otherwise a line for each
step."""

import sys
import time

WIDTH = 24  # width of the bar in characters


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


class Progress:
    """steps: (name, usual seconds), in order."""

    def __init__(self, steps, stream=sys.stderr):
        self.steps = steps
        self.stream = stream
        self.done = 0
        self.start = time.monotonic()

    def __enter__(self):
        self.show()
        return self

    def __exit__(self, *_):
        if self.stream.isatty():
            print("\r\x1b[K", end="", file=self.stream, flush=True)

    def left(self):
        """Returns the remaining seconds, from the usual ones and the speed so far."""
        usual_done = sum(seconds for _, seconds in self.steps[:self.done])
        usual_left = sum(seconds for _, seconds in self.steps[self.done:])
        elapsed = time.monotonic() - self.start
        return usual_left * (elapsed / usual_done if usual_done else 1)

    def show(self):
        if self.done == len(self.steps):
            return
        name = self.steps[self.done][0]
        filled = WIDTH * self.done // len(self.steps)
        line = (f"[{'#' * filled}{'.' * (WIDTH - filled)}] {self.done + 1}/{len(self.steps)} "
                f"{name}, {clock(self.left())} left")
        terminal = self.stream.isatty()
        print(f"\r\x1b[K{line[:100]}" if terminal else line, end="" if terminal else "\n",
              file=self.stream, flush=True)

    def step(self):
        self.done += 1
        self.show()

    def note(self, record):
        """Prints what failed in a round, on its own line."""
        wrong = {name: test["error"] for name, test in record.get("tests", {}).items()
                 if "error" in test}
        for text in filter(None, [record["error"], record["disturbed"],
                                  *(f"{name}: {error}" for name, error in wrong.items())]):
            start = "\r\x1b[K" if self.stream.isatty() else ""
            print(f"{start}run: {record['subject']}: {text}", file=self.stream, flush=True)

# SPDX-License-Identifier: BSD-2-Clause
"""results/NAME/rounds.jsonl: a line a record, only ever added to, whole or not there."""

import json
import os
import pathlib

FILE = "rounds.jsonl"


class Records:
    """The lines of one folder's file; a last line that was cut short is taken away."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / FILE
        self.all = []
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        whole = data[:data.rfind(b"\n") + 1]
        if len(whole) != len(data):
            os.truncate(self.path, len(whole))
        self.all = [json.loads(line) for line in whole.splitlines()]

    def add(self, record):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="ascii") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.all.append(record)

    def of_kind(self, kind):
        return [record for record in self.all if record["kind"] == kind]

    @property
    def plan(self):
        """What was to be measured when it was started, or None."""
        return next(iter(self.of_kind("plan")), None)

    def attempts(self, number, subject):
        return [record for record in self.of_kind("round")
                if record["round"] == number and record["subject"] == subject]

    def failures_in_a_row(self, subject):
        """At the end of what was measured of it."""
        count = 0
        for record in reversed(self.of_kind("round")):
            if record["subject"] == subject:
                if not record["error"]:
                    break
                count += 1
        return count


def chosen(records):
    """Of each round of each subject the attempt that counts: {subject: {round: record}}.

    That is the last one of those that were not disturbed, or the last one where all were.
    """
    best = {}
    for record in records:
        rounds = best.setdefault(record["subject"], {})
        before = rounds.get(record["round"])
        if before is None or before["disturbed"] or not record["disturbed"]:
            rounds[record["round"]] = record
    return best

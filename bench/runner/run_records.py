# SPDX-License-Identifier: BSD-2-Clause
"""results/NAME/rounds.jsonl: one line per record. Lines are only appended; incomplete lines are not used."""

import json
import os
import pathlib

FILE = "rounds.jsonl"


class Records:
    """The records of one folder's file. An incomplete last line is removed."""

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
        """The plan of the run, or None."""
        return next(iter(self.of_kind("plan")), None)

    def attempts(self, number, subject):
        return [record for record in self.of_kind("round")
                if record["round"] == number and record["subject"] == subject]

    def failures_in_a_row(self, subject):
        """Returns how many of the subject's last rounds in a row have failed."""
        count = 0
        for record in reversed(self.of_kind("round")):
            if record["subject"] == subject:
                if not record["error"]:
                    break
                count += 1
        return count


def chosen(records):
    """Returns for each round of each subject the attempt that counts: {subject: {round: record}}.

    This is the last undisturbed attempt, or the last one if all were disturbed.
    """
    best = {}
    for record in records:
        rounds = best.setdefault(record["subject"], {})
        before = rounds.get(record["round"])
        if before is None or before["disturbed"] or not record["disturbed"]:
            rounds[record["round"]] = record
    return best

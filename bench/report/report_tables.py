# SPDX-License-Identifier: BSD-2-Clause
"""The tables of the report: a title, headings and rows of cells, as Markdown and as HTML."""

import dataclasses
import html

from report_figures import BY_KEY, METRICS, figure, ratio
from run_plan import LEGACY, PLATFORMS, TIMELINE
from run_records import chosen

# "Virtio Front-End Network Driver for RTEMS", Tables I and II: us, Mbit/s, KB; improvements in %.
PAPER_1 = {"ppc-tcg": ("PPC over QEMU", (832, 87, 128), (401, 233, 106), (52, 168, 17)),
           "i386-kvm": ("i386 over KVM", (444, 1424, 36), (411, 1611, 23), (7, 13, 36))}
PAPER_2 = [("Linux", 408, 1612), ("FreeBSD", 387, 1604), ("RTEMS", 411, 1611)]
PAPER_METRICS = ("udp-rtt", "udp-burst", "held-burst", "all-burst")
NOT_MEASURED = "not measured"


@dataclasses.dataclass
class Table:
    title: str
    heads: list
    rows: list
    note: str = ""

    def markdown(self):
        lines = [f"## {self.title}", "", "| " + " | ".join(self.heads) + " |",
                 "|---" * len(self.heads) + "|"]
        lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
                  for row in self.rows]
        return "\n".join(lines + (["", self.note] if self.note else []) + [""])

    def html(self):
        heads = "".join(f"<th>{html.escape(head)}</th>" for head in self.heads)
        rows = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n"
                       for row in self.rows)
        note = f"<p class=note>{html.escape(self.note)}</p>" if self.note else ""
        return (f"<h2>{html.escape(self.title)}</h2>\n<table><thead><tr>{heads}</tr></thead>\n"
                f"<tbody>{rows}</tbody></table>\n{note}")


class Run:
    """The figures in the records of one run."""

    def __init__(self, records):
        rounds = chosen(records.of_kind("round"))
        self.records = records
        self.subjects = {one["subject"]: one for one in records.of_kind("subject")}
        self.rounds = {name: {number: record for number, record in rounds.get(name, {}).items()
                              if number != TIMELINE} for name in self.subjects}
        self.timelines = {name: rounds[name][TIMELINE] for name in self.subjects
                          if "samples" in rounds.get(name, {}).get(TIMELINE, {})}
        self._figures = {}

    def figure(self, subject, key):
        """Returns None if there is none."""
        if (subject, key) not in self._figures:
            self._figures[subject, key] = figure(BY_KEY[key], self.rounds.get(subject, {}))
        return self._figures[subject, key]

    def ratio(self, subject, reference, key):
        return ratio(self.figure(subject, key), self.figure(reference, key))

    def why_missing(self, subject):
        """Why a subject has no figures."""
        if subject not in self.subjects:
            return NOT_MEASURED
        if self.subjects[subject]["reason"]:
            return f"{NOT_MEASURED}: {self.subjects[subject]['reason']}"
        errors = [record["error"] for record in self.rounds[subject].values() if record["error"]]
        return f"failed: {errors[-1]}" if errors else NOT_MEASURED

    def measured(self, platform):
        return [name for name, one in self.subjects.items()
                if one["platform"] == platform and not one["reason"]]


def number(value):
    """At least three digits, and no more decimals than these need."""
    return f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def cell(found):
    if found is None:
        return "-"
    return f"{number(found.median)} ({number(found.low)} to {number(found.high)}), n={found.n}"


def percent(found, key):
    if found is None:
        return "-"
    value, low, high = found.improvement(BY_KEY[key].less_is_better)
    return f"{value:+.0f} %" + (f" [{low:+.0f}, {high:+.0f}]" if found.n > 1 else ", one round")


def ratio_cell(found):
    if found is None:
        return "-"
    return f"{found.value:.2f}" + (f" [{found.low:.2f}, {found.high:.2f}]" if found.n > 1 else
                                   ", one round")


def name_of(platform, guest, card):
    return f"{platform}/{guest}/{card}"


def table_1(run):
    """The paper's table: each platform's legacy card, virtio, and the improvement."""
    heads = ["platform", "card", *(f"{BY_KEY[key].title} ({BY_KEY[key].unit})"
                                   for key in PAPER_METRICS)]
    rows = []
    for platform in ("ppc-tcg", "i386-kvm", "i386-tcg"):
        if platform in PAPER_1:
            title, legacy, virtio, gained = PAPER_1[platform]
            rows += [[f"paper: {title}", "legacy", *map(str, legacy), ""],
                     ["", "virtio", *map(str, virtio), ""],
                     ["", "improvement", *(f"{value:+d} %" for value in gained), ""]]
        card = {"ne2k_pci": "NE2000", "i82559er": "i82559"}[LEGACY[platform]]
        legacy, virtio = name_of(platform, "vtnet", card), name_of(platform, "vtnet", "virtio")
        for title, label, subject in ((f"here: {PLATFORMS[platform]}", card, legacy),
                                      ("", "virtio", virtio)):
            cells = [cell(run.figure(subject, key)) for key in PAPER_METRICS]
            if all(one == "-" for one in cells):
                cells = [run.why_missing(subject)] + [""] * (len(PAPER_METRICS) - 1)
            rows.append([title, label, *cells])
        rows.append(["", "improvement", *(percent(run.ratio(virtio, legacy, key), key)
                                          for key in PAPER_METRICS)])
    return Table("Table I: virtio against emulated cards", heads, rows,
                 "Median (lowest to highest) over n rounds; improvement of virtio over the legacy "
                 "card with its 95 % confidence interval: less time, more bandwidth, less memory. "
                 "The paper does not say which of the two memories its KB are; its client was on "
                 "another machine.")


def table_2(run):
    heads = ["", *(f"{BY_KEY[key].title} ({BY_KEY[key].unit})" for key in PAPER_METRICS[:2]),
             "ratio of round trips", "ratio of bandwidths"]
    rows = [[f"paper, KVM: {guest}", str(latency), str(bandwidth),
             f"{latency / PAPER_2[2][1]:.2f}", f"{bandwidth / PAPER_2[2][2]:.2f}"]
            for guest, latency, bandwidth in PAPER_2]
    for platform in ("i386-kvm", "i386-tcg"):
        ours = name_of(platform, "vtnet", "virtio")
        for title, guest in (("Linux", "linux"), ("FreeBSD", "freebsd"), ("vtnet", "vtnet")):
            subject = name_of(platform, guest, "virtio")
            cells = [cell(run.figure(subject, key)) for key in PAPER_METRICS[:2]]
            if cells == ["-", "-"]:
                cells = [run.why_missing(subject), ""]
            ratios = [ratio_cell(run.ratio(subject, ours, key)) for key in PAPER_METRICS[:2]]
            rows.append([f"{PLATFORMS[platform]}: {title}", *cells,
                         *(ratios if subject != ours else ["reference"] * 2)])
    return Table("Table II: virtio of several systems", heads, rows,
                 "Ratios are to the last row of each platform: to RTEMS in the paper, to vtnet "
                 "here, with their 95 % confidence intervals.")


def all_figures(run, platform):
    """Each metric of all subjects of the platform, and the ratio to vtnet with virtio."""
    reference = name_of(platform, "vtnet", "virtio")
    rows = []
    for metric in METRICS:
        title = f"{metric.title} ({metric.unit})"
        for subject in run.measured(platform):
            found = run.figure(subject, metric.key)
            if found is None:
                continue
            rows.append([title, run.subjects[subject]["label"], number(found.median),
                         f"{number(found.low)} to {number(found.high)}", str(found.n),
                         "reference" if subject == reference
                         else ratio_cell(run.ratio(subject, reference, metric.key))])
            title = ""
    heads = ["figure", "guest, card", "median", "lowest to highest", "n", "ratio [95 %]"]
    return Table(f"All figures: {PLATFORMS[platform]}", heads, rows,
                 f"Ratios are to {run.subjects[reference]['label']}." if reference in run.subjects
                 else "")


def troubles(run):
    """Rounds that failed or were disturbed, and subjects that are missing."""
    rows = []
    for name, one in run.subjects.items():
        if one["reason"]:
            rows.append([name, "", f"{NOT_MEASURED}: {one['reason']}"])
    for record in run.records.of_kind("round"):
        where = f"round {record['round']}" if record["round"] != TIMELINE else "over time"
        rows += [[record["subject"], where, text] for text in
                 (record["error"], record["disturbed"] and f"disturbed: {record['disturbed']}")
                 if text]
        rows += [[record["subject"], where, f"{key}: {result['error']}"]
                 for key, result in record.get("tests", {}).items() if "error" in result]
    return Table("What was not measured, failed or was disturbed", ["subject", "round", "why"],
                 rows or [["nothing", "", ""]],
                 "A disturbed round was measured again, and counts only where each attempt at it "
                 "was disturbed.")


def anatomy_name(one):
    """The table of a platform, or of a platform in one mode."""
    return one["platform"] + (f", mode={one['mode']}" if "mode" in one else "")


def anatomy_table(found):
    """One column per platform."""
    times = [{part["name"]: part["us"] for part in one["segments"]} for one in found]
    names = list(dict.fromkeys(name for one in times for name in one))
    rows = [[name, *(f"{one[name]:.2f}" if name in one else "-" for one in times)]
            for name in names]
    if rows:
        rows.append(["all", *(f"{sum(one.values()):.2f}" for one in times)])
    return Table("Latency anatomy",
                 ["part of a round trip", *(f"{anatomy_name(one)} (us)" for one in found)],
                 rows or [[NOT_MEASURED]])


def icount_table(found):
    layers = ("driver", "glue", "lwip", "application", "runtime")
    rows = [[one["platform"], row["case"], *(str(row.get(name, "-")) for name in layers),
             str(sum(row.get(name, 0) for name in layers))]
            for one in found for row in one["rows"]]
    return Table("Instruction budget", ["platform", "case", *layers, "all"],
                 rows or [[NOT_MEASURED] + [""] * (len(layers) + 2)])


def surroundings(run):
    starts = run.records.of_kind("start")
    last = starts[-1] if starts else {}
    rows = [["measured", ", ".join(start["at"] for start in starts)],
            ["host", f"{last.get('cpu', '')}, {last.get('processors', '')} processors, Linux "
                     f"{last.get('kernel', '')}"],
            ["QEMU", last.get("qemu", "")], ["vtnet", last.get("version", "")],
            ["load at the start", ", ".join(f"{start['load']:.2f}" for start in starts)],
            ["command", " ".join(last.get("command", []))]]
    return Table("Measured on", ["", ""], rows)


def commands(run):
    rows = [[name, one["qemu"]] for name, one in run.subjects.items() if one["qemu"]]
    return Table("QEMU's command lines", ["subject", "command"], rows)

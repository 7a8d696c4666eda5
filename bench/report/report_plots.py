# SPDX-License-Identifier: BSD-2-Clause
"""The plots of the report, each as the text of an SVG element."""

import io
import statistics

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.ticker import FuncFormatter, NullFormatter  # noqa: E402

from report_figures import BY_KEY  # noqa: E402
from report_tables import anatomy_name  # noqa: E402
from run_plan import NATIVE  # noqa: E402

WIDTH = 10.5  # inches
BAR = 0.34  # height of a bar in inches
BARS = ("udp-burst", "tcp-both", "udp-in", "udp-out", "tcp-in", "tcp-out")
ROUND_TRIPS = (("udp-rtt", "UDP"), ("tcp-rtt", "TCP"), ("udp-rtt-one-cpu", "UDP, one processor"))
COLOURS = pyplot.get_cmap("tab10").colors


def svg(figure, name):
    """Returns only the <svg> element; its ids differ from those of other plots."""
    matplotlib.rcParams["svg.hashsalt"] = name
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    return text.getvalue()[text.getvalue().index("<svg"):].replace(
        'id="', f'id="{name}-').replace('"#', f'"#{name}-').replace("url(#", f"url(#{name}-")


def colours(run, platform):
    return {subject: COLOURS[at % len(COLOURS)]
            for at, subject in enumerate(run.measured(platform))}


def plain(axis):
    """Labels a logarithmic axis with ordinary numbers."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def distribution(run, subject, key):
    """The percentiles of the round trips, each the median over the rounds, or None without any."""
    found = [record["tests"][key]["quantiles_us"] for record in run.rounds[subject].values()
             if "quantiles_us" in record.get("tests", {}).get(key, {})]
    return [statistics.median(values) for values in zip(*found)] or None


def latency(run, platform):
    """Returns None without data, as do the functions below."""
    subjects = [*run.measured(platform), *run.measured(NATIVE)]
    lines = {(subject, key): distribution(run, subject, key)
             for subject in subjects for key, _ in ROUND_TRIPS}
    if not any(lines.values()):
        return None
    figure, panels = pyplot.subplots(1, len(ROUND_TRIPS), sharey=True, figsize=(WIDTH, 4.6))
    of = {**colours(run, platform), **{subject: "black" for subject in run.measured(NATIVE)}}
    for axes, (key, title) in zip(panels, ROUND_TRIPS):
        for subject in subjects:
            line = lines[subject, key]
            if line:
                axes.plot(line, [at / (len(line) - 1) for at in range(len(line))],
                          color=of[subject], label=run.subjects[subject]["label"],
                          linestyle=":" if subject in run.measured(NATIVE) else "-")
        axes.set_xscale("log")
        plain(axes.xaxis)
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("round trip (us)")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("share of messages that took no longer")
    handles = {label: handle for axes in panels
               for handle, label in zip(*axes.get_legend_handles_labels())}
    rows = -(-len(handles) // 4)
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncol=4, frameon=False)
    figure.tight_layout(rect=(0, 0.03 + 0.05 * rows, 1, 1))
    return svg(figure, f"latency-{platform}")


def bandwidth(run, platform):
    subjects = run.measured(platform)
    found = {(subject, key): run.figure(subject, key) for subject in subjects for key in BARS}
    if not any(found.values()):
        return None
    subjects = [subject for subject in subjects if any(found[subject, key] for key in BARS)]
    rows = (len(BARS) + 1) // 2
    figure, panels = pyplot.subplots(rows, 2, sharey=True, squeeze=False,
                                     figsize=(WIDTH, rows * (0.9 + BAR * len(subjects))))
    of = colours(run, platform)
    for axes, key in zip(panels.flat, BARS):
        for at, subject in enumerate(subjects):
            one = found[subject, key]
            if one is None:
                axes.annotate("no figure", (0, at), xytext=(4, 0), textcoords="offset points",
                              va="center", fontsize=8, color="gray")
                continue
            axes.barh(at, one.median, color=of[subject], alpha=0.75, height=0.7,
                      xerr=[[one.median - one.low], [one.high - one.median]], capsize=3)
            axes.annotate(f"{one.median:.0f}", (one.high, at), xytext=(5, 0), va="center",
                          textcoords="offset points", fontsize=8)
        axes.margins(x=0.14)
        axes.set_xlim(left=0)
        axes.set_title(BY_KEY[key].title, fontsize=11)
        axes.set_xlabel("payload delivered (Mbit/s)")
    panels[0][0].set_yticks(range(len(subjects)),
                            [run.subjects[subject]["label"] for subject in subjects])
    panels[0][0].invert_yaxis()
    figure.tight_layout()
    return svg(figure, f"bandwidth-{platform}")


def memory(run, platform):
    lines = {subject: run.timelines[subject] for subject in run.measured(platform)
             if subject in run.timelines}
    if not lines:
        return None
    figure, panels = pyplot.subplots(len(lines), 1, squeeze=False,
                                     figsize=(WIDTH, 0.4 + 2.2 * len(lines)))
    of = colours(run, platform)
    longest = max(line["samples"][-1][0] for line in lines.values())
    for axes, (subject, line) in zip(panels.flat, lines.items()):
        axes.step([at for at, _ in line["samples"]], [held / 1024 for _, held in line["samples"]],
                  where="post", color=of[subject])
        axes.set_title(run.subjects[subject]["label"], fontsize=11)
        axes.set_ylabel("held (KiB)")
        axes.set_xlim(0, longest)
        axes.set_ylim(0, 1.35 * max(1, *(held / 1024 for _, held in line["samples"])))
        for at, (label, begin) in enumerate(line["phases"]):
            axes.axvline(begin, color="gray", linewidth=0.6)
            axes.annotate(label, (begin, 1), xycoords=("data", "axes fraction"), fontsize=8,
                          xytext=(3, -22 if at % 2 else -11), textcoords="offset points")
    panels[-1][0].set_xlabel("time since the start (s)")
    figure.tight_layout()
    return svg(figure, f"memory-{platform}")


def anatomy(found):
    """found: the results of bench/trace/anatomy, one per platform."""
    if not found:
        return None
    figure, axes = pyplot.subplots(figsize=(WIDTH, 1.7 + 0.6 * len(found)))
    names = list(dict.fromkeys(part["name"] for one in found for part in one["segments"]))
    of = {name: pyplot.get_cmap("tab20").colors[at % 20] for at, name in enumerate(names)}
    for at, one in enumerate(found):
        left = 0
        for part in one["segments"]:
            axes.barh(at, part["us"], left=left, height=0.6, color=of[part["name"]],
                      edgecolor="white", label=part["name"])
            left += part["us"]
        axes.annotate(f"{left:.1f}", (left, at), xytext=(5, 0), va="center",
                      textcoords="offset points", fontsize=9)
    axes.set_yticks(range(len(found)), [anatomy_name(one) for one in found])
    axes.invert_yaxis()
    axes.margins(x=0.08)
    axes.set_xlim(left=0)
    axes.set_xlabel("time in one round trip (us)")
    handles = dict(zip(*reversed(axes.get_legend_handles_labels())))
    rows = -(-len(handles) // 4)
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncol=4, frameon=False,
                  fontsize=9)
    figure.tight_layout(rect=(0, min(0.6, 0.24 * rows / figure.get_figheight() + 0.02), 1, 1))
    return svg(figure, "anatomy")

# SPDX-License-Identifier: BSD-2-Clause
"""report.html: one file that needs no other files."""

import report_plots
import report_tables
from run_plan import NATIVE, PLATFORMS

STYLE = """
body { font: 15px/1.45 sans-serif; color: #222; max-width: 1080px; margin: 1.5em auto;
       padding: 0 1.5em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin: 2em 0 .5em; }
h3 { font-size: 1em; margin: 1.5em 0 .3em; }
table { border-collapse: collapse; width: 100%; font-size: .87em; }
th { text-align: left; border-bottom: 2px solid #888; vertical-align: bottom; }
th, td { padding: .25em .6em .25em 0; overflow-wrap: break-word; }
td { border-bottom: 1px solid #ddd; vertical-align: top; font-variant-numeric: tabular-nums; }
td:first-child { min-width: 9em; }
svg { width: 100%; height: auto; } .note { color: #555; font-size: .87em; }
"""

DEFINITIONS = """
<p>The clock is the host's. A <b>round trip</b> is a message of 1 KiB sent to the guest's echo until
all of it is back, one at a time: the median of a round. <b>Bandwidth</b> is payload delivered, both
directions added where it goes both ways. <b>UDP bursts</b>: 8 or 32 messages of 1 KiB in flight to
the echo, the better of the two; what came back counts twice, once in and once out. <b>TCP both ways</b>: a stream into the
guest's sink and one out of its source. <b>Receive buffers</b> are the bytes of those that exist,
posted to the card or held by the stack; <b>all memory</b> is what the guest has taken at run time:
these, the rings, and the sockets' share. <b>n</b> rounds, in turn, each with a guest booted anew;
the interval of a ratio is a bootstrap over rounds. More in docs/measuring.md.</p>
"""


def plots(run):
    kinds = ((report_plots.latency, "Latency: distribution of round trips"),
             (report_plots.bandwidth, "Bandwidth: medians; whiskers from the lowest to the highest"),
             (report_plots.memory, "Receive buffers over time"))
    for draw, title in kinds:
        drawn = {platform: draw(run, platform) for platform in PLATFORMS
                 if platform != NATIVE and run.measured(platform)}
        yield f"<h2>{title}</h2>"
        if not any(drawn.values()):
            yield f"<p>{report_tables.NOT_MEASURED}</p>"
        for platform, text in drawn.items():
            if text:
                yield f"<h3>{PLATFORMS[platform]}</h3>\n{text}"


def render(run, anatomy, icount):
    parts = ["<!doctype html><html lang=en><head><meta charset=utf-8>",
             '<meta name=viewport content="width=device-width"><title>vtnet: measurements</title>',
             f"<style>{STYLE}</style></head><body>", "<h1>vtnet: measurements</h1>", DEFINITIONS,
             report_tables.surroundings(run).html(), report_tables.table_1(run).html(),
             report_tables.table_2(run).html(), *plots(run),
             report_tables.anatomy_table(anatomy).html(), report_plots.anatomy(anatomy) or "",
             report_tables.icount_table(icount).html()]
    parts += [report_tables.all_figures(run, platform).html() for platform in PLATFORMS
              if run.measured(platform)]
    parts += [report_tables.troubles(run).html(), report_tables.commands(run).html(),
              "</body></html>"]
    return "\n".join(parts) + "\n"

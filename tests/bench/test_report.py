# SPDX-License-Identifier: BSD-2-Clause
"""bench/report/render: tables and page from the records of an invented run."""

import html.parser
import json
import re
import subprocess

import made_up
import pytest
from run_plan import ROOT
from run_records import Records

SECTIONS = ["Measured on", "Table I: virtio against emulated cards",
            "Table II: virtio of several systems", "Latency anatomy", "Instruction budget",
            "All figures: PowerPC (40p) under TCG", "All figures: i386 under TCG",
            "What was not measured, failed or was disturbed"]
ANATOMY = [{"platform": "i386", "mode": "irq", "segments": [{"name": "tap to QEMU", "us": 3.25},
                                             {"name": "driver & <ring>", "us": 1.5}]}]
ICOUNT = {"platform": "ppc", "rows": [{"case": "rx per packet", "driver": 1201, "glue": 303,
                                       "lwip": 999, "application": 11, "runtime": 7}]}


def render(folder):
    subprocess.run([ROOT / "bench/report/render", folder], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)
    return (folder / "tables.md").read_text(), (folder / "report.html").read_text()


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    made_up.write(folder)
    (folder / "anatomy.json").write_text(json.dumps(ANATOMY))
    (folder / "icount.json").write_text(json.dumps(ICOUNT))
    return render(folder)


def section(text, title):
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def row(text, *starts):
    """Returns the cells of the only row that begins with these cells."""
    lines = [line.strip("| \n").split(" | ") for line in text.splitlines()
             if line.startswith("| " + " | ".join(starts))]
    assert len(lines) == 1, lines
    return lines[0]


def test_all_sections_are_there(rendered):
    markdown, page = rendered
    for title in SECTIONS:
        assert f"## {title}\n" in markdown
        assert f"<h2>{title}</h2>" in page
    for title in ("Latency: distribution", "Bandwidth: medians", "Receive buffers over time",
                  "QEMU&#x27;s command lines"):
        assert f"<h2>{title}" in page


def test_table_1_has_the_paper_and_us(rendered):
    text = section(rendered[0], SECTIONS[1])
    assert row(text, "paper: PPC over QEMU")[1:5] == ["legacy", "832", "87", "128"]
    assert "| improvement | +52 % | +168 % | +17 % |" in text
    assert "| improvement | +7 % | +13 % | +36 % |" in text
    here = row(text, "here: PowerPC (40p) under TCG", "NE2000")
    assert all("n=5" in cell for cell in here[2:])
    # in the invented run virtio's round trips are about a third shorter, its bursts six times as fast
    gained = text.split("here: PowerPC")[1].split("improvement | ")[1].split(" | ")
    assert 15 < float(gained[0].split()[0]) < 50
    assert 400 < float(gained[1].split()[0]) < 800
    assert float(gained[2].split()[0]) < 0  # in the invented run it uses more memory
    for cell in gained[:3]:
        value, low, high = map(float, re.match(r"(\S+) % \[(\S+), (\S+)\]", cell).groups())
        assert low <= value <= high


def test_what_is_not_there_is_said(rendered):
    markdown, _ = rendered
    assert row(section(markdown, SECTIONS[1]), "here: i386 under KVM")[2] == \
        "not measured: no vmx/svm"
    assert row(section(markdown, SECTIONS[2]), "i386 under TCG: FreeBSD")[1] == \
        "not measured: no image"
    text = section(markdown, SECTIONS[-1])
    assert "disturbed: other processes took 9% of the processors" in text
    assert "not done within 80 s" in text


def test_table_2_refers_to_us(rendered):
    text = section(rendered[0], SECTIONS[2])
    linux, own = (row(text, f"i386 under TCG: {guest}") for guest in ("Linux", "vtnet"))
    assert own[3:] == ["reference", "reference"]
    assert 1.2 < float(linux[3].split()[0]) < 2.2
    assert float(linux[4].split()[0]) < 0.7


def test_a_failed_round_is_not_counted(rendered):
    """Round 2 of the first subject."""
    text = section(rendered[0], SECTIONS[5])
    assert row(text, "UDP round trip (us)", "vtnet, virtio")[4] == "4"


def test_other_tools_figures(rendered):
    markdown, page = rendered
    assert "i386, mode=irq (us)" in section(markdown, SECTIONS[3])
    assert row(section(markdown, SECTIONS[3]), "tap to QEMU")[1] == "3.25"
    assert row(section(markdown, SECTIONS[3]), "all")[1] == "4.75"
    assert row(section(markdown, SECTIONS[4]), "ppc")[1:] == \
        ["rx per packet", "1201", "303", "999", "11", "7", "2521"]
    assert "driver &amp; &lt;ring&gt;" in page


class Page(html.parser.HTMLParser):
    """Collects the elements and references of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.outside, self.refers = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            elif name in ("src", "href", "xlink:href"):
                (self.refers if value.startswith("#") else self.outside).append(value)


def test_page_is_one_file_with_its_plots(rendered):
    page = Page(rendered[1])
    assert page.tags.count("svg") == 2 * 3 + 1  # two platforms measured, and the anatomy
    assert not page.outside and "script" not in page.tags and "link" not in page.tags
    assert len(page.ids) == len(set(page.ids))
    assert {one[1:] for one in page.refers} <= set(page.ids)


def test_a_run_just_begun_has_a_report(tmp_path):
    Records(tmp_path).add({"kind": "plan", "subjects": []})
    markdown, page = render(tmp_path)
    assert "not measured" in markdown and "<svg" not in page


def test_one_round_has_no_interval(tmp_path):
    made_up.write(tmp_path, rounds=1)
    assert "% [" not in render(tmp_path)[0]


def test_no_run_is_told(tmp_path):
    done = subprocess.run([ROOT / "bench/report/render", tmp_path], stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1 and "bench/runner/run writes it" in done.stderr

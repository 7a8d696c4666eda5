# SPDX-License-Identifier: BSD-2-Clause
"""The page that runs the guest (web/), in Chromium, used as a user would."""

import pathlib
import re
import socket
import subprocess

import pytest

from browser import PATIENCE, WIDTHS, chromium, serve

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def address():
    with serve(ROOT / "build/web") as url:
        yield url


@pytest.fixture(scope="module")
def page(address):
    with chromium() as browser:
        browser.open(address)
        yield browser


def test_file_without_a_server():
    """Browsers load no modules of a file. The page says so instead of loading for ever."""
    with chromium() as browser:
        browser.open((ROOT / "build/web/index.html").as_uri())
        browser.wait("the reason", lambda: "make web-serve" in browser.text("#state"))


def test_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([ROOT / "web/serve", ROOT / "build/web", port], text=True, capture_output=True,
                              timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"web: cannot serve at port {port}: ") and done.stderr.count("\n") == 1


def wait_ready(page, name):
    page.wait(f"{name} at work", lambda: page.text("#state") == f"{name} at 10.0.0.2")


def ping(page):
    page.click("#ping")
    summary = page.wait("ten answers", lambda: next(
        (line for line in page.texts("#answers li") if " of 10 answered" in line), None))
    assert summary.startswith("10 of 10 answered"), page.texts("#answers li")
    times = [float(re.fullmatch(r"ping \d+: ([\d.]+) ms", line)[1])
             for line in page.texts("#answers li") if line.startswith("ping ")]
    assert len(times) == 10 and min(times) > 0


def burst(page):
    """How many of the 200 datagrams of each burst arrived."""
    page.wait("the button", lambda: page.find("#burst").is_enabled())
    page.click("#burst")
    page.wait("five bursts", lambda: any(line.startswith("burst 5") for line in page.texts("#answers li")))
    return [int(re.fullmatch(r"burst \d: (\d+) of 200 arrived", line)[1])
            for line in page.texts("#answers li") if line.startswith("burst ")]


def received(page):
    return int(re.match(r"([\d,]+) packets", page.row("Received"))[1].replace(",", ""))


def test_guest_starts(page):
    wait_ready(page, "virtio-net")
    console = page.text("#console")
    assert "vtnet: ready at 10.0.0.2/24\n" in console
    assert "virtio-net" in console and "panic" not in console
    # v86's counter counts nanoseconds of the browser's clock, which has a resolution of 0.1 ms. On a busy
    # machine the guest may not succeed in measuring it, and takes the timer.
    clock, rate = re.search(r"clock (.*) at (\d+) kHz", console).groups()
    assert clock == "8254 timer" or 0.9e6 < int(rate) < 1.1e6
    assert page.row("Card") == "virtio-net, modern PCI, INTx"


def test_ping(page):
    before = received(page)
    ping(page)
    page.wait("packets counted", lambda: received(page) >= before + 10)


def test_commands(page):
    """The guest pings the page."""
    page.find("#line").send_keys("ping 10.0.0.1 2\n")
    page.wait("the guest's ping", lambda: "2 sent, 2 answered" in page.text("#console"))
    page.find("#line").send_keys("help")
    page.click("#command button")
    page.wait("help", lambda: "Ctrl-C ends" in page.text("#console"))
    assert page.find("#line").get_property("value") == ""


def test_buffers_grow_with_bursts(page):
    arrived = burst(page)
    assert arrived[0] >= 32 and arrived[0] < 64, arrived
    assert arrived == sorted(arrived) and arrived[-1] == 200, arrived
    page.wait("the highest limit", lambda: "at the most 256" in page.row("Receive buffers"))
    page.wait("the limit in the chart", lambda: "limit" in page.find("svg").get_attribute("aria-label"))
    points = page.find("polyline").get_attribute("points").split()
    assert len({point.split(",")[1] for point in points}) >= 4  # 32, 64, 128, 256


def test_limit_comes_down(page):
    page.wait("32 buffers", lambda: "limit 32," in page.row("Receive buffers"))


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(page, width):
    page.resize(width)
    assert not page.is_too_wide()
    page.resize(WIDTHS[0])


def test_ne2000(page):
    page.click("input[value=ne2k]")
    wait_ready(page, "NE2000")
    assert page.row("Card").startswith("NE2000, ")
    assert "virtio" not in page.text("#console")
    ping(page)
    # A ring that a burst fills to the last page counts as empty for the card, which overwrites it: none arrives.
    assert max(burst(page)) > 0
    before = received(page)
    page.wait("that it goes on", lambda: received(page) > before)


def test_virtio_again(page):
    page.click("input[value=virtio]")
    wait_ready(page, "virtio-net")
    ping(page)


def test_restart(page):
    page.find("#line").send_keys("reboot\n")
    page.wait("silence", lambda: page.text("#state") == "the guest does not answer")
    page.click("#restart")
    wait_ready(page, "virtio-net")
    ping(page)


def test_every_control_has_a_name(page):
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    for node in tree:
        if not node.get("ignored") and node["role"]["value"] in ("button", "radio", "textbox", "img", "log", "table"):
            assert node["name"]["value"], node


def test_without_an_error(page):
    assert page.errors() == []

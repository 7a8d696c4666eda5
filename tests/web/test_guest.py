# SPDX-License-Identifier: BSD-2-Clause
"""The guest's own page, in Chromium in the guest's network: ./vm run -- pytest tests/web/test_guest.py."""

import re
import socket
import subprocess

import pytest

from browser import WIDTHS, chromium
from test_page import ROOT, received

ADDRESS = "10.0.0.2"
SINK = 9
FRAMES = 20000


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        browser.open(f"http://{ADDRESS}/")
        yield browser


def peak(page):
    """The highest value of each chart's scale."""
    return [int(text.replace(",", "")) for text in page.texts(".most")]


def test_figures_come(page):
    assert page.wait("the card", lambda: page.row("Card")).startswith("virtio-net, ")
    assert page.row("Address").startswith(f"{ADDRESS}, ")
    assert page.text("#state") == ""


def test_figures_go_on(page):
    before = received(page)
    page.wait("more packets", lambda: received(page) > before)
    assert page.find("svg polyline").get_attribute("points").count(",") >= 2


def test_traffic_is_seen(page):
    before = received(page)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(FRAMES):
            sock.sendto(bytes(1000), (ADDRESS, SINK))
    page.wait("the burst", lambda: received(page) > before + FRAMES / 20)
    assert peak(page)[1] > FRAMES / 40
    assert re.search(r"received [\d,]+", page.find("figure:nth-of-type(2) svg").get_attribute("aria-label"))


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(page, width):
    page.resize(width)
    assert not page.is_too_wide()
    folder = ROOT / "build/web-pictures"
    folder.mkdir(parents=True, exist_ok=True)
    page.picture(folder / f"guest-{width}.png", width)
    page.resize(WIDTHS[0])


def test_without_an_error(page):
    assert page.errors() == []


def test_silence_is_said(page):
    def tap(state):
        subprocess.run(["ip", "link", "set", "tap0", state], check=True)

    tap("down")
    try:
        page.wait("what is wrong", lambda: page.text("#state") == "It does not answer.")
    finally:
        tap("up")
    before = page.row("Running for")
    page.wait("that it goes on", lambda: page.text("#state") == "" and page.row("Running for") != before)

# SPDX-License-Identifier: BSD-2-Clause
"""The own page of a guest with two cards, in Chromium: mk/web.mk starts the guest."""

import subprocess

from browser import WIDTHS, chromium
from test_page import ROOT

ADDRESS = "10.0.0.2"
PINGS = 500


def row(page, number, name):
    return page.find(f"section:nth-of-type({number + 1})").find_element(
        "xpath", f".//th[.='{name}']/../td").get_property("textContent")


def received(page, number):
    return int(row(page, number, "Received").partition(" ")[0].replace(",", ""))


def test_each_card_is_shown():
    with chromium() as page:
        page.open(f"http://{ADDRESS}/")
        page.wait("both cards", lambda: len(page.texts("h2")) == 2)
        assert page.texts("h2") == ["Card 0", "Card 1"]
        assert row(page, 0, "Card").startswith("virtio-net, ")
        assert row(page, 0, "Address").startswith(f"{ADDRESS}, ")
        assert row(page, 1, "Card").startswith("NE2000, ")
        page.wait("the second card's address", lambda: row(page, 1, "Address").startswith("10.0.2.15, "))
        before = [received(page, card) for card in (0, 1)]
        subprocess.run(["ping", "-qfc", str(PINGS), ADDRESS], check=True, stdout=subprocess.DEVNULL)
        page.wait("the pings", lambda: received(page, 0) >= before[0] + PINGS)
        assert received(page, 1) < before[1] + PINGS
        assert len(page.texts("svg")) == 4
        folder = ROOT / "build/web-pictures"
        folder.mkdir(parents=True, exist_ok=True)
        for width in WIDTHS:
            page.resize(width)
            assert not page.is_too_wide()
            page.picture(folder / f"cards-{width}.png", width)
        assert page.errors() == []

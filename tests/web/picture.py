#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures of the page after a ping and bursts: docs/page.png, and build/web-pictures to look at."""

from PIL import Image

from browser import WIDTHS, chromium, serve
from test_page import ROOT, burst, ping, wait_ready

FOLDER = ROOT / "build/web-pictures"
COLOURS = 128  # enough for text, panels and two lines


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    with serve(ROOT / "build/web") as address:
        for dark in (False, True):
            with chromium(dark) as page:
                page.open(address)
                wait_ready(page, "virtio-net")
                page.wait("its name", lambda: "name vtnet.local" in page.text("#console"))
                ping(page)
                burst(page)
                page.wait("fewer buffers", lambda: "limit 32," in page.row("Receive buffers"))
                for width in WIDTHS:
                    page.picture(FOLDER / f"{'dark' if dark else 'light'}-{width}.png", width)
    picture = Image.open(FOLDER / f"light-{WIDTHS[0]}.png").convert("RGB")
    picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(ROOT / "docs/page.png", optimize=True)


if __name__ == "__main__":
    main()

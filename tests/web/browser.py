# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium at a page, and what a user does there."""

import contextlib
import functools
import http.server
import os
import threading
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

PATIENCE = 60  # seconds
WIDTHS = (1280, 390)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serve(folder):
    """The address at which the files of a folder are."""
    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


@contextlib.contextmanager
def chromium(dark=False):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ("headless=new", "disable-dev-shm-usage", "hide-scrollbars",
                     "disable-background-networking"):
        options.add_argument(f"--{argument}")
    if os.getuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses to run as root with it
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    try:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        yield Browser(driver)
    finally:
        driver.quit()


class Browser:
    def __init__(self, driver):
        self.driver = driver

    def open(self, address, width=WIDTHS[0]):
        """A window of this width, as high as the page."""
        self.resize(width)
        self.driver.get(address)

    def resize(self, width, height=900):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.find(selector).get_property("textContent")

    def texts(self, selector):
        return [found.get_property("textContent")
                for found in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def click(self, selector):
        self.find(selector).click()

    def wait(self, what, condition):
        """Until condition() is true, or fails with what it was."""
        end = time.monotonic() + PATIENCE
        while not (value := condition()):
            assert time.monotonic() < end, f"not within {PATIENCE} s: {what}\n{self.page_text()}"
            time.sleep(0.05)
        return value

    def page_text(self):
        return self.find("body").text

    def row(self, name):
        """A cell of the counters."""
        return self.driver.find_element(
            By.XPATH, f"//th[.='{name}']/../td").get_property("textContent")

    def errors(self):
        return [entry for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def is_too_wide(self):
        """Whether one has to scroll to the side."""
        return self.driver.execute_script(
            "return document.documentElement.scrollWidth > document.documentElement.clientWidth")

    def picture(self, path, width):
        self.resize(width)
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        self.resize(width, height)
        self.driver.save_screenshot(str(path))
        self.resize(width)

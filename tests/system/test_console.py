# SPDX-License-Identifier: BSD-2-Clause
"""The serial console. One that nobody reads must not stop the network."""

import os
import re
import select
import socket
import time

import pytest

import host
from guest import PATIENCE, Guest
from test_stats import by_http

LOST = re.compile(rb"\nvtnet: console: (\d+) characters lost\r\n")
# Each argument is reported as unknown: some 4,000 characters before the network starts.
UNKNOWN = " ".join(f"argument-of-no-meaning-{number}" for number in range(64))


def unread_socket(folder):
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{folder}/serial")
    server.listen(1)
    return f"unix:{folder}/serial", lambda: server.accept()[0].detach()


def unread_pipe(folder):
    for end in ("in", "out"):
        os.mkfifo(f"{folder}/serial.{end}")
    # QEMU opens it in both directions. Bytes of the test fill it except for one page.
    pipe = os.open(f"{folder}/serial.out", os.O_RDWR | os.O_NONBLOCK)
    os.write(pipe, bytes(60 << 10))
    return f"pipe:{folder}/serial", lambda: pipe


def read_until(file, pattern):
    """Reads from a file descriptor until a pattern appears."""
    text = b""
    deadline = time.monotonic() + PATIENCE
    while not (found := pattern.search(text)):
        assert time.monotonic() < deadline, f"no {pattern.pattern} in {text[-2000:]}"
        if select.select([file], [], [], 0.1)[0]:
            text += os.read(file, 65536)
    return found


@pytest.mark.parametrize("unread", [unread_socket, unread_pipe])
def test_console_that_nobody_reads(arch, unread):
    guest = Guest(arch, f"stats=1 {UNKNOWN}")
    serial, console = unread(guest.folder.name)
    guest.command[guest.command.index("stdio")] = serial
    with guest:
        host.settle(guest.address)
        host.ping(guest.address)
        deadline = time.monotonic() + PATIENCE
        lost = by_http(guest.address)["console_lost"]
        while by_http(guest.address)["console_lost"] == lost:
            assert time.monotonic() < deadline, f"{lost} characters lost, and no more"
            time.sleep(0.1)
        file = console()
        try:
            assert int(read_until(file, LOST)[1]) > lost
            read_until(file, re.compile(rb"\nvtnet: stats: .* frames\r\n"))
        finally:
            os.close(file)
        guest.assert_well()

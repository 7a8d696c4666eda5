# SPDX-License-Identifier: BSD-2-Clause
"""More load than a guest can handle, and whether it is well afterwards."""

import contextlib
import multiprocessing
import socket
import time

import pytest

import host
from guest import ADDRESS


def flood(seconds):
    payload = bytes(1024)
    with host.udp_socket(ADDRESS, host.SINK) as sock:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    sock.send(payload)


@pytest.mark.parametrize("mode", ["irq", "hybrid"])
def test_flood(boot, mode):
    guest = boot(f"mode={mode}").wait_ready()
    before = host.sink_statistics(ADDRESS)
    senders = [multiprocessing.Process(target=flood, args=(2,), daemon=True) for _ in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
        assert sender.exitcode == 0
    assert host.sink_statistics(ADDRESS)[0] - before[0] > 1000
    host.ping(guest.address, count=50)
    host.serves(guest.address)


def test_connections_that_are_aborted_leave_nothing(boot):
    """Buffers and control blocks of connections that were reset are freed."""
    guest = boot("stats=1").wait_ready()

    def kib_in_use():
        count = len(guest.stats()) + 2  # the line after the next one covers a whole second
        return int(guest.wait_for(r"^vtnet: stats: .* (\d+) KiB in use", count=count)[1])

    def abort(_):
        with host.tcp_socket(ADDRESS, host.ECHO) as sock:
            sock.sendall(bytes(50_000))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def round_of_aborts():
        for _ in range(20):
            host.all_at_once(abort, range(5))

    round_of_aborts()
    before = kib_in_use()
    for _ in range(3):
        round_of_aborts()
    assert kib_in_use() <= before + 200
    host.serves(ADDRESS)


@pytest.mark.parametrize("buffers", ["", "bufinit=1 bufmax=1"])
def test_jumbo_frame_at_the_start(boot, buffers):
    """A frame that needs more buffers than are posted must not block the following ones."""
    guest = boot(buffers).wait_ready()
    host.ip("link", "set", "tap0", "mtu", "9000")
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind(("tap0", 0))
            raw.send(bytes.fromhex("525400123456020000000001") + b"\x88\xb5" + bytes(8000))
    finally:
        host.ip("link", "set", "tap0", "mtu", "1500")
    host.ping(guest.address, count=20)

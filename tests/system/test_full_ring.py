# SPDX-License-Identifier: BSD-2-Clause
"""Other traffic while the transmit ring is full."""

import contextlib

import pytest

import host
from guest import TRANSPORTS


@pytest.fixture(params=["legacy", "modern"])
def guest(boot, request):
    return boot(device=TRANSPORTS[request.param]).wait_ready()


@contextlib.contextmanager
def source_read(address):
    """A TCP connection on which the guest sends as fast as possible during the body."""
    def read(sock):
        with contextlib.suppress(OSError):
            while sock.recv(1 << 16):
                pass

    with host.tcp_socket(address, host.SOURCE) as sock:
        with host.in_background(read, sock, until=lambda: sock.shutdown(0)):
            yield


@pytest.mark.parametrize("size", [8192, 60_000])
def test_burst_of_fragmented_datagrams(guest, size):
    """The ring becomes full in the middle of a datagram, which must not lose its other fragments."""
    for _ in range(5):
        host.burst(guest.address, 200, size)


def test_ping_beside_a_fast_tcp_connection(guest):
    with source_read(guest.address):
        host.ping(guest.address, count=50)


def test_udp_echo_beside_a_fast_tcp_connection(guest):
    with source_read(guest.address):
        host.udp_echo(guest.address, range(0, host.UDP_MAX + 1, 32), patience=5)


def test_replies_after_a_long_burst(guest):
    """A sender that waited for room continues when there is some."""
    host.burst(guest.address, 20_000, 64)
    host.serves(guest.address)

# SPDX-License-Identifier: BSD-2-Clause
"""A client with idle connections, or that does not read, blocks no other client and uses little memory."""

import contextlib
import time

import pytest

import host
from guest import ADDRESS, Guest
from services import HTTP, IPERF, NETPERF, is_open, works
from station import SACK_PERMITTED, SYN, Station, scale
from test_ipv6 import GUEST_MAC
from test_stats import by_http, by_udp

PLACES = {host.ECHO: 32, host.SINK: 32, host.SOURCE: 32, HTTP: 32, IPERF: 64, NETPERF: 16}


@pytest.fixture(name="guest", scope="module")
def fixture_guest(arch):
    with Guest(arch, qemu=("-m", "32")) as guest:
        yield guest.wait_ready()


@pytest.fixture(name="peer")
def fixture_peer(guest):
    assert guest.process.poll() is None
    with Station(ADDRESS, GUEST_MAC, "10.0.0.99") as peer:
        yield peer
    host.serves(ADDRESS)


def used():
    return by_udp(ADDRESS)["memory"]["used"]


def wait_closed(socks):
    """Waits until one of these connections is closed; the others must remain open."""
    deadline = time.monotonic() + host.PATIENCE
    while all(is_open(sock) for sock in socks):
        assert time.monotonic() < deadline, "the oldest connection stays"
        time.sleep(0.01)
    assert sum(not is_open(sock) for sock in socks) == 1


@pytest.mark.parametrize("port", PLACES)
def test_oldest_goes_first(guest, port):
    """All places are taken by idle connections. (The source's fill up one by one.)"""
    assert guest.process.poll() is None
    with contextlib.ExitStack() as stack:
        def connect():
            return stack.enter_context(host.tcp_socket(ADDRESS, port))

        idle = [connect() for _ in range(PLACES[port])]
        host.settle(ADDRESS)
        assert all(is_open(sock) for sock in idle)
        newcomer = connect()
        wait_closed(idle if port == host.SOURCE else idle[:1])
        assert sum(is_open(sock) for sock in idle) == PLACES[port] - 1
        works(ADDRESS, port)
        assert sum(is_open(sock) for sock in idle) == PLACES[port] - 2
        assert is_open(newcomer)


def test_one_in_use_stays(guest):
    assert guest.process.poll() is None
    with contextlib.ExitStack() as stack:
        busy = stack.enter_context(host.tcp_socket(ADDRESS, host.ECHO))
        for _ in range(8):
            busy.sendall(b"still here")
            assert host.receive_exactly(busy, 10) == b"still here"
            for _ in range(PLACES[host.ECHO] // 2):
                stack.enter_context(host.tcp_socket(ADDRESS, host.ECHO))
        busy.sendall(b"still here")
        assert host.receive_exactly(busy, 10) == b"still here"


def test_half_open_connections(peer):
    """Sends SYNs from addresses that do not answer, more than lwIP's backlog."""
    before = used()
    for number in range(600):
        peer.send_segment(10000 + number, HTTP, 1, 0, SYN)
        if number % 50 == 49:
            host.settle(ADDRESS)
            by_http(ADDRESS)
    assert used() - before < 128 << 10


def test_connections_in_time_wait(peer):
    assert peer
    by_http(ADDRESS)
    before = used()
    for _ in range(1000):
        by_http(ADDRESS)
    assert used() - before < 128 << 10


def test_answers_that_nobody_takes(peer):
    """An HTTP client that never acknowledges costs no more than a place."""
    by_http(ADDRESS)
    before = used()
    for number in range(300):
        client = peer.connect(20000 + number, HTTP)
        client.send(b"GET / HTTP/1.0\r\n\r\n")
    by_http(ADDRESS)
    assert used() - before < 512 << 10


def test_bytes_that_nobody_reads(peer):
    """The echo's memory grows with the bytes, not by a pbuf for each."""
    clients = [peer.connect(30000 + i, host.ECHO, options=scale(3) + SACK_PERMITTED)
               for i in range(24)]
    figures = []
    for round_ in range(3001):
        for client in clients:
            client.send(b"x", window=0)
        if round_ % 10 == 0:
            host.settle_udp(ADDRESS)  # its answer may be lost among theirs
        if round_ % 1000 == 0:
            figures.append(used())
    assert figures[3] - figures[2] < 256 << 10, figures
    assert figures[3] - figures[0] < 8 << 20, figures
    host.tcp_echo(ADDRESS, 100_000)
    for client in clients:
        client.reset()


def test_small_pieces_that_wait(peer):
    """All bytes come back in order when the client reads."""
    sent = host.pattern(9000)
    client = peer.connect(31000, host.ECHO, options=scale(3) + SACK_PERMITTED)
    for number, piece in enumerate(host.in_chunks(sent, (1, 2, 3) * 50 + (600,))):
        client.send(piece, window=0)
        if number % 50 == 49:
            host.udp_echo(ADDRESS, (4,))
    received = bytearray()
    while len(received) < len(sent):
        client.send()
        segment = client.receive(lambda s: s.data and s.seq == client.ack)
        assert segment, f"{len(received)} bytes came"
        received += segment.data
        client.ack += len(segment.data)
    host.compare(sent, bytes(received), "what was echoed")
    client.reset()

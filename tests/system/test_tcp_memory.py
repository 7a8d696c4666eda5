# SPDX-License-Identifier: BSD-2-Clause
"""A few connections of a misbehaving peer do not use up scarce receive buffers."""

import json

import pytest

import host
from guest import ADDRESS
from station import RST, SACK_PERMITTED, Station, scale
from test_ipv6 import GUEST, GUEST_MAC, guest_of_both_families

CONNECTIONS = 8


@pytest.fixture(name="guest", scope="module")
def fixture_guest(arch):
    with guest_of_both_families(arch) as guest:
        yield guest


@pytest.fixture(name="peer", params=[(ADDRESS, "10.0.0.99"), (GUEST, "fd00::99")],
                ids=["ipv4", "ipv6"])
def fixture_peer(guest, request):
    assert guest.process.poll() is None
    with Station(request.param[0], GUEST_MAC, request.param[1]) as peer:
        yield peer


def figures():
    """The share of all receive buffers that the stack holds, and its counters."""
    with host.udp_socket(ADDRESS, 81) as sock:
        sock.send(b"")
        stats = json.loads(sock.recv(65536))
    counters = stats["cards"][0]["counters"]
    return counters["rx_lent"] / counters["rx_buffers_max"], stats["stack"]


def open_all(peer, port, first):
    options = scale(3) + SACK_PERMITTED
    return [peer.connect(first + i, port, window=65535, options=options)
            for i in range(CONNECTIONS)]


def reset_all(peer, connections):
    """The guest has not taken all data: a reset must have the sequence number that it expects."""
    while peer.next_segment(0.2):
        pass
    for connection in connections:
        connection.send(seq=999)  # an old one: answered with the expected one
    expected = {}
    while segment := peer.next_segment(0.2 if len(expected) == len(connections) else host.PATIENCE):
        expected[segment.port] = segment.ack
    assert len(expected) == len(connections), "an old sequence number is not answered"
    for connection in connections:
        connection.send(flags=RST, seq=expected[connection.source])
    host.settle(ADDRESS)
    assert figures()[0] < 0.05


def others_are_served():
    for address in (ADDRESS, GUEST):
        host.tcp_echo(address, host.MIB)
    host.serves(ADDRESS)


def test_bytes_out_of_order(peer):
    connections = open_all(peer, host.SINK, 4000)
    for round_ in range(200):
        for connection in connections:
            connection.send(b"x", seq=connection.seq + 2 + 2 * round_)
        if round_ % 20 == 0:
            host.settle(ADDRESS)
    share, _ = figures()
    assert share < 0.25
    others_are_served()
    reset_all(peer, connections)


def test_much_data_out_of_order(peer):
    connections = open_all(peer, host.SINK, 4100)
    for round_ in range(170):
        for connection in connections:
            connection.send(bytes(1400), seq=connection.seq + 1 + 1400 * round_)
        if round_ % 10 == 0:
            host.settle(ADDRESS)
    share, counted = figures()
    assert share < 0.35
    assert counted["out_of_order_dropped"] > 0
    others_are_served()
    reset_all(peer, connections)


def test_data_that_nobody_reads(peer):
    """The memory that the echo keeps for a peer whose window is closed."""
    connections = open_all(peer, host.ECHO, 4200)
    for round_ in range(180):
        for connection in connections:
            connection.send(bytes(1400), window=0)
        if round_ % 10 == 0:
            host.settle(ADDRESS)
    share, counted = figures()
    assert share < 0.85
    assert counted["segments_dropped"] > 0
    others_are_served()
    reset_all(peer, connections)


def test_data_that_nobody_reads_behind_gaps(peer):
    """When buffers are scarce, data behind a gap counts like any other."""
    connections = open_all(peer, host.ECHO, 4300)
    for round_ in range(300):
        for connection in connections[3:] if round_ < 200 else []:
            connection.send(bytes(1400), window=0)
        for connection in connections[:3] if round_ >= 200 else []:
            connection.send(bytes(1400), seq=connection.seq + 1400 * (round_ - 199), window=0)
        if round_ % 10 == 0:
            host.settle(ADDRESS)
    share, _ = figures()
    assert share < 0.85
    others_are_served()
    reset_all(peer, connections)

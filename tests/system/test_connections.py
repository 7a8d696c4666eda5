# SPDX-License-Identifier: BSD-2-Clause
"""Each of many connections gets its segments, whatever becomes of another one: lwIP's list of connections
is replaced while it looks for one, and must be whole again at once."""

import itertools
import struct

import pytest

from guest import ADDRESS, Guest
from station import ACK, FIN, RST, SYN, TCP, Station, mss
from test_ipv6 import GUEST, GUEST_MAC

PORT = 84  # of tests/guest/connections.c
COUNT = 40
PORTS = itertools.count(20_000, COUNT)  # the first of the peer, others in each test


@pytest.fixture(name="guest", scope="module")
def fixture_guest(arch):
    with Guest(arch, f"ip6={GUEST}/64", image="connections") as guest:
        guest.wait_ready()
        guest.wait_for(f"^vtnet: IPv6 address {GUEST}/64$")
        yield guest
        guest.assert_well()


@pytest.fixture(name="connections", params=[(ADDRESS, "10.0.0.99"), (GUEST, "fd00::99")],
                ids=["ipv4", "ipv6"])
def fixture_connections(guest, request):
    assert guest.process.poll() is None
    address, own = request.param
    with Station(address, GUEST_MAC, own) as peer:
        first = next(PORTS)
        connections = [peer.connect(first + i, PORT, options=mss(1460)) for i in range(COUNT)]
        yield connections
        for connection in connections:
            connection.reset()


def ask(connection, data):
    connection.send(data)
    echo = connection.receive(lambda s: s.data or s.flags & (RST | FIN))
    assert echo and echo.data == data, f"port {connection.source}: {echo}"
    connection.ack += len(data)
    connection.send()


def ask_all(connections):
    """Twice, in other orders: first the newest, where lwIP's list begins, then the oldest."""
    for connection in (*reversed(connections), *connections):
        ask(connection, connection.source.to_bytes(4, "big"))


def order(connections, by, letter, number):
    """One connection makes the guest end another one, which must be told: with this flag."""
    flag = FIN if letter == b"C" else RST
    data = letter + struct.pack("!H", connections[number].source)
    echoed = ended = False
    connections[by].send(data)
    while not (echoed and ended):
        segment = connections[by].station.next_segment()
        assert segment, f"echoed: {echoed}, ended: {ended}"
        echoed |= segment.port == connections[by].source and segment.data == data
        ended |= segment.port == connections[number].source and bool(segment.flags & flag)
    connections[by].ack += len(data)
    connections[by].send()


def close_by_guest(connections, by, number):
    """Leaves the guest's connection in TIME_WAIT."""
    order(connections, by, b"C", number)
    connection = connections[number]
    connection.ack += 1
    connection.send(flags=ACK | FIN)
    assert connection.receive(lambda s: s.ack == connection.seq & 0xffffffff)


def test_another_one_ends(connections):
    """A callback aborts or closes another connection, on either side of the own one in the list."""
    ask_all(connections)
    for by, number in ((20, 0), (19, 39), (10, 11), (12, 10)):
        order(connections, by, b"A", number)
        connections[number].send(b"gone")
        assert connections[number].receive(lambda s: s.flags & RST)
    for by, number in ((20, 5), (6, 30), (7, 8)):
        close_by_guest(connections, by, number)
    gone = (0, 39, 11, 10, 5, 30, 8)
    ask_all([connection for i, connection in enumerate(connections) if i not in gone])


def test_own_one_ends(connections):
    """By a reset of the peer's, by the program; and the ports are used again, also from TIME_WAIT."""
    ends = (0, 12), (20, 14), (38, 16)
    for number, closed in ends:
        connections[number].reset()
        own = connections[number + 1]
        own.send(b"A" + struct.pack("!H", own.source))
        assert own.receive(lambda s: s.flags & RST)
        close_by_guest(connections, 10, closed)
    for number in (end for n, closed in ends for end in (n, n + 1, closed)):
        old = connections[number]
        connections[number] = old.station.connect(old.source, PORT, options=mss(1460),
                                                  seq=old.seq + 100_000)
    ask_all(connections)


def bad_segments(connection):
    """Their ports are those of a connection, and lwIP drops them before it looks for it, or after."""
    def header(length, flags=ACK):
        return struct.pack("!HHIIBBHHH", connection.source, PORT, connection.seq & 0xffffffff,
                           connection.ack & 0xffffffff, length << 4, flags, 1000, 0, 0)
    yield header(5) + b"wrong checksum"
    yield header(15)
    yield header(4)
    yield header(5, SYN)
    yield header(5)[:16]
    yield header(5)[:4]


def test_dropped_segments(connections):
    for number in (0, 20, 39):
        for bad in bad_segments(connections[number]):
            connections[number].station.send_packet(TCP, bad)
            ask(connections[COUNT - 1 - number], b"between")
        connections[number].send(b"before", seq=connections[number].seq - 70_000)  # an old one
        ask_all(connections)

# SPDX-License-Identifier: BSD-2-Clause
"""What anybody may send to a guest's TCP: nothing of it stops the guest or its other clients."""

import json
import random
import struct
import time
import urllib.request

import pytest

import host
import station
from guest import ADDRESS
from station import ACK, FIN, RST, SYN, Station, mss, scale
from test_ipv6 import GUEST, GUEST_MAC, guest_of_both_families

SERVICES = (7, 9, 19, 80, 5001, 12865)
PERSIST = 4  # seconds in which lwIP's timer for a closed window has come twice


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


def stack(address=ADDRESS):
    with urllib.request.urlopen(f"http://{address}/", timeout=15) as reply:
        return json.load(reply)["stack"]


def assert_serves(guest):
    guest.assert_well()
    host.ping(ADDRESS, count=5)
    for address in (ADDRESS, GUEST):
        host.tcp_echo(address, 30_000)
        host.source_is_right(address, 10_000)
    host.serves(ADDRESS)
    assert stack()["assertions"] == 0


def test_closed_windows(guest, peer):
    """The windows of a peer may be closed from the start, and open by a byte."""
    a = peer.connect(2001, host.ECHO, window=0)
    a.send(b"a", window=0)
    probe = a.receive(lambda s: s.data == b"a")
    assert probe, "a closed window is not asked about"
    a.send(window=0, ack=probe.seq + 1)  # the byte has arrived, the window is closed
    b = peer.connect(2002, host.ECHO, window=0)
    b.send(bytes(500), window=0)
    b.send(b"b", window=2)
    c = peer.connect(2003, host.ECHO, window=0, options=scale(14))
    c.send(bytes(500), window=0)
    c.send(window=4)  # 65,536 bytes
    for window in (1, 3, 96, 97, 65535):
        b.send(b"b", window=window)
        c.send(b"c", window=window)
    time.sleep(PERSIST)
    assert_serves(guest)
    for connection in (a, b, c):
        connection.reset()


def test_largest_segment_changes(guest, peer):
    """Only a SYN says what the largest segment is, and it has a lower bound."""
    a = peer.connect(2011, host.ECHO, window=2000)
    a.send(window=0)
    a.send(bytes(500), window=0)
    a.send(b"a", window=0, options=mss(1))
    b = peer.connect(2012, host.ECHO, window=0, options=mss(1460))
    b.send(bytes(1000), window=0)
    b.send(window=300, options=mss(100))
    time.sleep(PERSIST)
    c = peer.connect(2013, host.SOURCE, options=mss(1))
    assert len(c.receive(lambda s: s.data).data) >= 48
    assert_serves(guest)
    for connection in (a, b, c):
        connection.reset()


def test_out_of_order_beyond_the_window(guest, peer):
    """Data that the window has no room for when the hole before it is filled."""
    a = peer.connect(2021, host.ECHO)  # without scaling: 65,535 bytes
    a.send(bytes(1000), seq=a.seq + 65534)
    while a.seq < 1001 + 65534:
        a.send(bytes(min(1000, 1001 + 65534 - a.seq)), window=0)
    b = peer.connect(2022, host.ECHO)  # an end in the midst of what follows
    edge = b.seq + 65535
    while b.seq < edge - 500:
        b.send(bytes(min(1000, edge - 500 - b.seq)), window=0)
    b.send(flags=FIN | ACK, seq=b.seq + 100, window=0)
    b.send(bytes(500), window=0)
    c = peer.connect(2023, host.ECHO)
    edge = c.seq + 65535
    c.send(flags=FIN | ACK, seq=c.seq + 1100)
    c.send(bytes(1000), seq=edge - 1000)
    assert_serves(guest)
    for connection in (a, b, c):
        connection.reset()


def test_empty_fragments(guest):
    """The echo of a datagram whose last fragment is empty, to a station that has to be found."""
    with station.Wire() as wire:
        def fragment(offset, more, payload, protocol=17):
            def header(total):
                return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7,
                                   more << 13 | offset // 8, 64, protocol, total,
                                   station.ipv4("10.0.0.77"), station.ipv4(ADDRESS))
            wire.send(GUEST_MAC, station.IPV4, header(host.checksum(header(0))) + payload)

        for payload, protocol in ((struct.pack("!HHHH", 5000, host.ECHO, 24, 0) + bytes(16), 17),
                                  (host.icmp_packet(8, 1, 1, bytes(16)), 1)):
            fragment(0, True, payload, protocol)
            fragment(24, False, b"", protocol)
            fragment(24, False, b"", protocol)
            fragment(0, True, payload, protocol)
    assert_serves(guest)


class Attacker:
    """Plays with one connection at a time to each service, by chance, within a number of frames."""

    WINDOWS = (0, 0, 0, 1, 2, 3, 95, 500, 1460, 4096, 65535)
    LENGTHS = (0, 0, 1, 1, 2, 7, 100, 536, 1000, 1400)
    GAPS = (-1500, -1, 0, 0, 0, 0, 1, 2, 700, 1400, 5000, 65000, 65534, 65535, 262000)
    OPTIONS = (b"", b"", b"", mss(0), mss(1), mss(65), mss(1460), mss(65535), scale(0), scale(14),
               station.SACK_PERMITTED, b"\5\n" + bytes(8), b"\2", b"\2\0", b"\3\3", b"\1\1\1")

    def __init__(self, peer, seed):
        self.peer, self.random = peer, random.Random(seed)
        self.connections = {}
        self.source = 20000 + seed * 1000

    def open(self, port):
        self.source += 1
        window, isn = self.random.choice(self.WINDOWS), self.random.getrandbits(32)
        options = b"".join(self.random.choice(self.OPTIONS[1:11]) for _ in range(3))
        self.peer.send_segment(self.source, port, isn, 0, SYN, window, options)
        answer = self.peer.wait_segment(lambda s: s.port == self.source, 0.5)
        if answer is not None and answer.flags == SYN | ACK:
            it = self.connections[port] = station.Connection(self.peer, self.source, port, isn + 1,
                                                             answer.seq + 1)
            it.send(window=window)

    def read(self):
        """Acknowledges what has come, mostly."""
        while segment := self.peer.next_segment(0.002):
            it = self.connections.get(segment.source)
            if it is None or it.source != segment.port:
                continue
            if segment.flags & RST:
                del self.connections[segment.source]
            elif self.random.random() < 0.7:
                it.ack = max(it.ack, segment.seq + segment.length)

    def step(self):
        choose = self.random.choice
        port = choose(SERVICES)
        if port not in self.connections:
            self.open(port)
            return
        it, chance = self.connections[port], self.random.random()
        data = self.random.randbytes(choose(self.LENGTHS))
        gap = choose(self.GAPS)
        flags = ACK | (FIN if chance < 0.05 else 0) | (SYN if chance > 0.98 else 0)
        it.send(data, flags=flags, window=choose(self.WINDOWS), options=choose(self.OPTIONS),
                seq=None if gap == 0 else it.seq + gap,
                ack=it.ack + choose((0, 0, 0, 0, 0, 1, -1, 1000)))
        if chance > 0.95:
            del self.connections[port]

    def play(self, frames):
        for _ in range(frames):
            self.step()
            if self.random.random() < 0.1:
                self.read()


def test_by_chance(guest, peer):
    attacker = Attacker(peer, seed=1 + (":" in peer.address))
    for _ in range(3):
        attacker.play(400)
        time.sleep(1)  # for the timers
        assert_serves(guest)

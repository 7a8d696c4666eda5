# SPDX-License-Identifier: BSD-2-Clause
"""TCP segments from any station: none of them stops the guest or its other clients."""

import json
import struct
import time
import urllib.request

import pytest

import host
import station
from guest import ADDRESS
from station import ACK, FIN, Station, mss, scale
from test_ipv6 import GUEST, GUEST_MAC, guest_of_both_families

PERSIST = 4  # seconds in which lwIP's timer for a closed window has run twice


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
    """A peer's window may be closed from the start, and open by a byte."""
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
    """Only a SYN sets the MSS, and there is a lower bound."""
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
    """Data outside of the window when the gap before it is filled."""
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
    """The echo of a datagram whose last fragment is empty, to a station that must be resolved."""
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

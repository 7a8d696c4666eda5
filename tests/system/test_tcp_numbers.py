# SPDX-License-Identifier: BSD-2-Clause
"""TCP's sequence numbers (RFC 6528), and ports that are reused at once (RFC 6191)."""

import errno
import os
import socket
import time

import pytest

import host
from guest import ADDRESS, PATIENCE
from station import ACK, FIN, RST, SYN, Station
from test_ipv6 import GUEST, GUEST_MAC, guest_of_both_families

FAMILIES = pytest.mark.parametrize("address, ours", [(ADDRESS, "10.0.0.99"), (GUEST, "fd00::99")],
                                   ids=["ipv4", "ipv6"])
HTTP = 80


@pytest.fixture(name="guest", scope="module")
def fixture_guest(arch):
    with guest_of_both_families(arch) as guest:
        yield guest


def isn(peer, source, port=host.SINK):
    """The initial sequence number of a connection, which is then abandoned."""
    peer.send_segment(source, port, 1000, 0, SYN)
    answer = peer.wait_segment(lambda s: s.port == source and s.flags == SYN | ACK)
    assert answer, f"no answer to a SYN from port {source}"
    peer.send_segment(source, port, 1001, 0, RST)
    return answer.seq


def distance(a, b):
    return min((a - b) % (1 << 32), (b - a) % (1 << 32))


@FAMILIES
def test_sequence_numbers(guest, address, ours):
    with Station(address, GUEST_MAC, ours) as peer:
        numbers = [isn(peer, source) for source in range(3000, 3008)]
        numbers += [isn(peer, 3000, port) for port in (host.ECHO, host.SOURCE, HTTP)]
        near = [(a, b) for i, a in enumerate(numbers) for b in numbers[:i]
                if distance(a, b) < 1 << 20]
        assert len(near) <= 1, f"numbers of different connections lie side by side: {near}"
        for _ in range(5):  # for one pair of addresses and ports they follow a clock of 4 us
            first, begin = isn(peer, 3100), time.monotonic()
            time.sleep(0.05)
            ticks = (isn(peer, 3100) - first) % (1 << 32)
            assert 0 < ticks < (time.monotonic() - begin + 1) * 1e9 / 4096


def get(address, source):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.settimeout(PATIENCE)
        sock.bind(("", source))
        deadline = time.monotonic() + PATIENCE
        while (error := sock.connect_ex((address, HTTP))) == errno.EADDRNOTAVAIL:
            assert time.monotonic() < deadline  # the last one's end is not acknowledged yet
            time.sleep(0.005)
        assert error == 0, os.strerror(error)
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return host.receive_to_end(sock)


@FAMILIES
def test_same_port_again(guest, address, ours):
    """The guest closes first, and the same port connects again during TIME_WAIT."""
    assert guest and ours
    for _ in range(10):
        assert get(address, 42000).startswith(b"HTTP/1.0 200 ")


@FAMILIES
def test_what_does_not_open_anew(guest, address, ours):
    """An old SYN, and segments other than a SYN, are acknowledged and change nothing."""
    with Station(address, GUEST_MAC, ours) as peer:
        assert guest
        it = peer.connect(3200, HTTP)
        it.send(b"GET /x HTTP/1.0\r\n\r\n")
        end = it.receive(lambda s: s.flags & FIN)
        it.ack = end.seq + end.length
        it.send(flags=FIN | ACK)
        assert it.receive(lambda s: s.ack == it.seq)
        for number, flags in ((it.seq - 1, SYN), (it.seq - 100000, SYN), (it.seq - 1, FIN | ACK)):
            peer.send_segment(3200, HTTP, number, it.ack if flags & ACK else 0, flags)
            answer = it.receive()
            assert answer.flags == ACK and answer.ack == it.seq, answer
        last = it.ack
        peer.send_segment(3200, HTTP, it.seq, 0, SYN)
        answer = it.receive(lambda s: s.flags & SYN)
        assert answer.flags == SYN | ACK and answer.ack == it.seq + 1
        assert 0 < (answer.seq - last) % (1 << 32) < 1 << 31, "the new number is not above the old"
        it.seq += 1
        it.reset()

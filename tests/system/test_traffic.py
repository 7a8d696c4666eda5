# SPDX-License-Identifier: BSD-2-Clause
"""The services' specification, over each transport in each mode; one guest runs all of it."""

import itertools
import socket
import threading

import pytest

import host
from guest import MODES, TRANSPORTS, Guest

COMBINATIONS = list(itertools.product(TRANSPORTS, MODES))


@pytest.fixture(scope="module", params=COMBINATIONS, ids="-".join)
def booted(arch, request):
    transport, mode = request.param
    with Guest(arch, f"mode={mode}", device=TRANSPORTS[transport]) as guest:
        guest.transport = transport
        yield guest.wait_ready()


@pytest.fixture
def guest(booted):
    """The guest, which must be as well after the test as before."""
    booted.assert_well()
    yield booted
    booted.assert_well()


@pytest.fixture
def address(guest):
    return guest.address


def test_console_names_card_transport_features_and_addresses(guest):
    text = guest.console()
    used = "legacy" if guest.transport == "legacy" else "modern"
    rx, tx = (256, 256) if used == "modern" else (guest.queue_size(0), guest.queue_size(1))
    assert f"vtnet: transport {used} PCI, queues of {rx} (rx) and {tx} (tx)" in text
    offered = guest.wait_for(r"^vtnet: features offered: (.*)$")[1].split()
    accepted = guest.wait_for(r"^vtnet: features accepted: (.*)$")[1].split()
    assert set(accepted) <= set(offered)
    assert {"mac", "mrg_rxbuf", "status", "indirect_desc", "event_idx"} <= set(accepted)
    assert ("version_1" in accepted) == (used == "modern")
    assert "vtnet: MAC address 52:54:00:12:34:56, link up" in text
    assert "vtnet: ready at 10.0.0.2/24" in text


def test_ping_without_loss(address):
    host.ping(address, count=100)


def test_ping_of_every_length(address):
    host.icmp_echo(address, range(host.UDP_MAX + 1))


def test_fragmented_ping(address):
    host.ping(address, count=20, size=8192)
    host.icmp_echo(address, (1473, 2952, 8192, 20000))


def test_udp_echo_of_every_length(address):
    host.udp_echo(address, range(host.UDP_MAX + 1))


def test_udp_echo_of_fragmented_datagrams(address):
    host.udp_echo(address, (1473, 2953, 8192, 20000))


def test_tcp_echo_of_10_mib(address):
    host.tcp_echo(address, 10 * host.MIB)


def test_tcp_echo_in_odd_pieces(address):
    host.tcp_echo(address, 300_001, sizes=(1, 2, 3, 7, 64, 535, 1459, 1460, 1461, 4097, 65537))


def test_tcp_echo_of_single_bytes(address):
    with host.tcp_socket(address, host.ECHO) as sock:
        for byte in range(256):
            sock.sendall(bytes([byte]))
            assert sock.recv(10) == bytes([byte])


def test_tcp_connections_at_once(address):
    host.all_at_once(lambda number: host.tcp_echo(address, host.MIB // 2 + number, seed=number),
                     range(8))


def test_tcp_half_close(address):
    """Data sent before one direction's end still comes back, followed by the end."""
    sent = host.pattern(200_000)
    with host.tcp_socket(address, host.ECHO) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, len(sent) * 2)
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        host.compare(sent, host.receive_to_end(sock), "TCP echo after a half-close")
    with host.tcp_socket(address, host.ECHO) as sock:
        sock.shutdown(socket.SHUT_WR)
        assert host.receive_to_end(sock) == b""


def test_udp_sink_counts_exactly(address):
    """Datagrams in groups that fit into the tap's queue; the request after each group waits for it."""
    sizes = [0, 1, 7, 8, 9, 24, 1472, *range(60, 1400, 7)] * 4
    before = host.sink_statistics(address)
    with host.udp_socket(address, host.SINK) as sock:
        for at in range(0, len(sizes), 100):
            for size in sizes[at:at + 100]:
                sock.send(host.pattern(size))
            host.sink_statistics(address)
        sock.send(b"STATtest!")  # of nine bytes: no question
        sock.send(b"STA")
    after = host.sink_statistics(address)
    assert after[0] - before[0] == len(sizes) + 2
    assert after[1] - before[1] == sum(sizes) + 12


def test_tcp_sink_takes_10_mib(address):
    """The end of the connection that comes back confirms that everything was received."""
    with host.tcp_socket(address, host.SINK) as sock:
        sock.sendall(host.pattern(10 * host.MIB))
        sock.shutdown(socket.SHUT_WR)
        assert host.receive_to_end(sock) == b""


@pytest.mark.parametrize("count, size", [(1, 4), (3000, 1024), (1000, 1472)])
def test_udp_source_sends_what_is_asked_for(address, count, size):
    host.burst(address, count, size)


def test_udp_source_is_ended_by_the_next_request(address):
    with host.udp_socket(address, host.SOURCE) as first, \
            host.udp_socket(address, host.SOURCE) as second:
        host.request_burst(first, 50_000_000, 64)
        first.recv(2048)
        host.request_burst(second, 10, 100)
        datagrams = [second.recv(2048) for _ in range(10)]
        host.receive_until_silence(first)
    assert datagrams[9][:4] == bytes((0, 0, 0, 9))
    assert {len(datagram) for datagram in datagrams} == {100}


@pytest.mark.parametrize("request_bytes", [b"SEND\0\0\0\0\0\0\4\0", b"", b"stop"],
                         ids=["count 0", "empty", "another word"])
def test_udp_source_is_stopped(address, request_bytes):
    with host.udp_socket(address, host.SOURCE) as sock:
        host.request_burst(sock, 50_000_000, 64)
        sock.recv(2048)
        sock.send(request_bytes)
        host.receive_until_silence(sock)


def test_tcp_source_sends_until_closed(address):
    for amount in (1, 1024, 3 * host.MIB):
        with host.tcp_socket(address, host.SOURCE) as sock:
            received = 0
            while received < amount:
                part = sock.recv(1 << 16)
                assert part, f"the source ended after {received} bytes"
                received += len(part)
    host.serves(address)


def test_everything_at_once(address):
    """Receive buffers and transmit descriptors are scarce, and no connection starves."""
    stop = threading.Event()

    def read_source():
        with host.tcp_socket(address, host.SOURCE) as sock:
            while not stop.is_set():
                assert sock.recv(1 << 16)

    def echo_and_sink():
        try:
            host.all_at_once(lambda number: host.tcp_echo(address, host.MIB, seed=number), range(3))
            with host.tcp_socket(address, host.SINK) as sock:
                sock.sendall(bytes(host.MIB))
                sock.shutdown(socket.SHUT_WR)
                assert host.receive_to_end(sock) == b""
        finally:
            stop.set()

    host.all_at_once(lambda work: work(), [read_source, read_source, echo_and_sink])
    host.serves(address)

# SPDX-License-Identifier: BSD-2-Clause
"""iperf 2 as a client of the guest; and misbehaving clients."""

import contextlib
import re
import signal
import socket
import struct
import subprocess
import time

import pytest

import host
import wire6
from test_ipv6 import GUEST, OURS, PREFIX, ROUTED, ROUTED_OURS, host_addresses
from wire import Wire

IPERF = 5001
CONNECTIONS, STREAMS = 64, 32  # that the guest has at once
PATIENCE = 10  # the guest's limit for a connection without progress
VERSION1, EXTEND, VERSION2, SEQNO64B = 0x80000000, 0x40000000, 0x04000000, 0x08000000
PEERDETECT, BOUNCEBACK, RUN_NOW = 0x02000000, 0x00800000, 1
REVERSE, FULLDUPLEX = 0x0400, 0x0800


@pytest.fixture
def guest(boot):
    return boot().wait_ready()


def iperf(guest, *arguments):
    return iperf_to(guest.address, *arguments)


def iperf_to(address, *arguments):
    """Runs an iperf client and returns its output."""
    done = subprocess.run(["iperf", "-c", address, *arguments], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=3 * host.PATIENCE)
    assert done.returncode == 0, done.stdout
    for trouble in ("WARN", "failed", "refused", "rror"):
        assert trouble not in done.stdout, done.stdout
    return done.stdout


def transfers(text):
    """The bytes of each result without sums; with -f K they are KBytes."""
    return [int(kib) * 1024 for kib in
            re.findall(r"^\[ *\*?\d+\].* sec +(\d+) KBytes +\d+ KBytes/sec", text, re.MULTILINE)]


@pytest.mark.parametrize("arguments, results", [
    ("-t 1", 1), ("-t 1 -P 4", 4), ("-t 1 -l 1000", 1), ("-n 8M", 1), ("-n 3M -l 777", 1),
    ("-t 1 -d", 2), ("-t 1 -r", 2), ("-n 8M -d", 2), ("-n 8M -r", 2), ("-t 1 -P 4 -d", 8),
    ("-t 1 -R", 1), ("-n 8M -R", 1), ("-t 1 -P 4 -R", 4), ("-t 1 --full-duplex", 2)])
def test_tcp(guest, arguments, results):
    text = iperf(guest, "-f", "K", *arguments.split())
    found = transfers(text)
    assert len(found) == results, text
    assert min(found) > 0, text
    if "8M" in arguments:
        assert all(8 << 20 <= size <= (8 << 20) + (128 << 10) for size in found), text


def server_reports(text):
    """Jitter in ms, lost and total datagrams of each Server Report."""
    found = re.findall(r"Server Report:\n(?:\[ ID\].*\n)?.*? ([\d.]+) ms +(\d+)/ *(\d+)", text)
    return [(float(jitter), int(lost), int(sent)) for jitter, lost, sent in found]


@pytest.mark.parametrize("arguments, count", [
    ("-b 2M", 1), ("-b 2M -P 4", 4), ("-b 1M -l 64", 1), ("-b 200K -l 18", 1), ("-b 5M -l 8000", 1)])
def test_udp(guest, arguments, count):
    text = iperf(guest, "-u", "-t", "1", *arguments.split())
    reports = server_reports(text)
    sent = [int(number) for number in re.findall(r"^\[ *\d+\] Sent (\d+) datagrams", text,
                                                 re.MULTILINE)]
    assert len(reports) == len(sent) == count, text
    # the client counts the last datagram twice
    assert sorted(number + 1 for _, _, number in reports) == sorted(sent), text
    for jitter, lost, number in reports:
        assert 0 <= jitter < 1000 and lost <= number // 100, text
        assert number > 50, text


def test_udp_at_a_high_rate(guest):
    """Losses depend on the machine; the report must arrive and state them."""
    (_, lost, sent), = server_reports(iperf(guest, "-u", "-t", "1", "-b", "100M"))
    assert sent > 1000 and lost < sent


def datagram(number, wide, size=100):
    now = time.time_ns() // 1000
    high = number >> 32 & 0xffffffff if wide else 0
    return struct.pack("!IIIII", number & 0xffffffff, now // 1_000_000, now % 1_000_000, high,
                       EXTEND | SEQNO64B if wide else 0).ljust(size, b"6")


def send_stream(sock, numbers, wide=True, size=100):
    """Sends datagrams with these numbers, the last one negative, and returns the report."""
    for number in numbers:
        sock.send(datagram(number, wide, size))
    return read_report(sock)


def read_report(sock):
    """Bytes, lost, late and total datagrams in a report."""
    report = sock.recv(2048)
    assert len(report) == 128
    word = struct.unpack("!32I", report)
    assert word[4] == VERSION1 | SEQNO64B and word[8] < 1_000_000 and word[13] < 1_000_000
    assert word[:4] == (0,) * 4 and word[14:29] == (0,) * 15
    return (word[5] << 32 | word[6], word[29] << 32 | word[9], word[30] << 32 | word[10],
            word[31] << 32 | word[11])


@pytest.mark.parametrize("wide", [True, False], ids=["64 bits", "32 bits"])
def test_udp_gaps_are_reported(guest, wide):
    with host.udp_socket(guest.address, IPERF) as sock:
        def stream(*numbers):
            return send_stream(sock, numbers, wide)

        assert stream(1, 2, 3, 4, -5) == (500, 0, 0, 5)
        assert stream(1, 2, 5, 6, 9, -10) == (600, 4, 0, 10)
        assert stream(1, 2, 5, 3, 6, 9, 8, -10) == (800, 2, 2, 10)
        assert stream(1, 1, 1, 2, -3) == (500, 0, 2, 3)
        assert stream(0, 1, 2, -3) == (300, 0, 0, 3)
        assert stream(1, *range(101, 200), -1000) == (10_100, 899, 0, 1000)
        assert stream(1, -0x7000_0000) == (200, 0x7000_0000 - 2, 0, 0x7000_0000)
        if wide:
            assert stream(1, 2**40, -2**40 - 1) == (300, 2**40 - 2, 0, 2**40 + 1)


def test_udp_report_is_repeated(guest):
    """The report is sent for each request until a new test begins; later datagrams are not counted."""
    with host.udp_socket(guest.address, IPERF) as sock:
        first = send_stream(sock, (1, 2, -3))
        for number in (-4, -5, -3):
            assert send_stream(sock, (number,)) == first
        sock.send(datagram(2, True))
        assert send_stream(sock, (-6,)) == first
        assert send_stream(sock, (1, -2), size=33) == (66, 0, 0, 2)
        time.sleep(0.4)
        assert send_stream(sock, (3, -4)) == (200, 2, 0, 4)


def test_udp_client_that_was_killed(guest):
    """Its port may be used again."""
    with host.udp_socket(guest.address, IPERF) as sock:
        for number in range(1, 50):
            sock.send(datagram(number, True))
        time.sleep(0.4)
        assert send_stream(sock, (1, 2, -3)) == (300, 0, 0, 3)


def test_udp_streams_beyond_the_table(guest):
    """The streams that have been silent longest are replaced, and no others."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(host.udp_socket(guest.address, IPERF))
                 for _ in range(STREAMS + 20)]
        for sock in socks:
            for number in (1, 2):
                sock.send(datagram(number, True))
            socks[0].send(datagram(1, True))
        sent = len(socks) + 2
        assert send_stream(socks[0], (-3,)) == ((sent + 1) * 100, 0, sent - 2, 3)
        assert send_stream(socks[-1], (-3,)) == (300, 0, 0, 3)
        assert send_stream(socks[1], (-3,)) == (100, 2, 0, 3)


def serves_iperf(guest):
    """All services of a guest, for a check that it is well."""
    assert transfers(iperf(guest, "-f", "K", "-n", "1M", "-r")) >= [1 << 20] * 2
    with host.udp_socket(guest.address, IPERF) as sock:
        assert send_stream(sock, (1, 2, -3)) == (300, 0, 0, 3)
    host.serves(guest.address)


def test_udp_garbage(guest):
    with host.udp_socket(guest.address, IPERF) as sock:
        for length in range(64):
            sock.send(bytes(length))
            sock.send(b"\xff" * min(length, 11))
        for flags in (SEQNO64B, 0, 0xffffffff):
            for number in (2**63 - 1, 2**31 - 1, 0, 2**32 - 1):
                sock.send(struct.pack("!IIIII", number & 0xffffffff, 0xffffffff, 0xffffffff,
                                      number >> 32, flags))
        host.receive_until_silence(sock)
    serves_iperf(guest)


@pytest.mark.parametrize("arguments", ["", "-d", "-r", "-R", "-P 4", "--full-duplex", "-u -b 50M"])
def test_killed_clients(guest, arguments):
    for _ in range(10):
        client = subprocess.Popen(["iperf", "-c", guest.address, "-t", "60", *arguments.split()],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.15)
        finally:
            client.send_signal(signal.SIGKILL)
            client.wait()
    iperf(guest, "-t", "1", *arguments.split())
    serves_iperf(guest)


def header(flags, upperflags=0, port=IPERF, amount=1 << 20):
    return struct.pack("!6I2I2H", flags, 1, port, 0, 0, amount, 0, 0, upperflags, 0).ljust(60, b"\0")


def test_header_in_pieces(guest):
    sent = header(EXTEND | VERSION2, REVERSE, amount=100_000)
    for step in (1, 7, 24, 35):
        with host.tcp_socket(guest.address, IPERF) as sock:
            for piece in host.in_chunks(sent, (step,)):
                sock.send(piece)
                time.sleep(0.002)
            assert host.receive_to_end(sock) == bytes(100_000)


def listens_late(guest):
    """With -r a client listens after it has sent everything, which may be later than the guest connects."""
    with host.tcp_socket(guest.address, IPERF) as sock:
        sock.sendall(header(EXTEND | VERSION1, port=7777, amount=100_000).ljust(100_000, b"\0"))
        sock.shutdown(socket.SHUT_WR)
        assert host.receive_to_end(sock) == b""
    time.sleep(0.35)
    with socket.create_server(("10.0.0.1", 7777)) as server:
        server.settimeout(host.PATIENCE)
        with server.accept()[0] as back:
            back.settimeout(host.PATIENCE)
            assert len(host.receive_to_end(back)) == 100_000


def test_client_that_listens_late(guest):
    listens_late(guest)


def test_clients_that_never_listen_delay_no_other(guest):
    """Many clients that never listen delay neither a client that listens late nor one that is connected."""
    sent = header(EXTEND | VERSION2, REVERSE, amount=100_000)
    with host.tcp_socket(guest.address, IPERF) as idle:
        idle.send(sent[:10])
        for _ in range(CONNECTIONS + 8):
            with host.tcp_socket(guest.address, IPERF) as sock:
                sock.send(header(EXTEND | VERSION1 | RUN_NOW, port=1, amount=60))
                sock.shutdown(socket.SHUT_WR)
                assert host.receive_to_end(sock) == b""
        listens_late(guest)
        idle.send(sent[10:])
        assert host.receive_to_end(idle) == bytes(100_000)


@pytest.mark.parametrize("amount", [1 << 20, 2**32 - 6000], ids=["bytes", "time"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("flags", [0, RUN_NOW], ids=["-r", "-d"])
def test_no_connection_for_a_client_that_was_ended(guest, flags, reset, amount):
    """The next client, which listens on the same port, would take it for its own."""
    with host.tcp_socket(guest.address, IPERF) as sock:
        sock.sendall(header(EXTEND | VERSION1 | flags, port=7777, amount=amount) + bytes(1000))
        time.sleep(0.25)  # with -d: the guest has tried to connect
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    host.settle(guest.address)
    with socket.create_server(("10.0.0.1", 7777)) as server:
        server.settimeout(0.5)
        with pytest.raises(TimeoutError):
            server.accept()
    listens_late(guest)


def test_amounts(guest):
    """Bytes and times exactly, in units of 10 ms."""
    for upperflags in (REVERSE, FULLDUPLEX):
        for amount in (0, 1, 4095, 16384, 300_001):
            with host.tcp_socket(guest.address, IPERF) as sock:
                sock.send(header(EXTEND | VERSION2, upperflags, amount=amount))
                assert host.receive_to_end(sock) == bytes(amount)
    with host.tcp_socket(guest.address, IPERF) as sock:
        start = time.monotonic()
        sock.send(header(EXTEND | VERSION2, REVERSE, amount=2**32 - 30))
        assert len(host.receive_to_end(sock)) > 1000
        assert time.monotonic() - start > 0.25


def test_half_closed_client_gets_all(guest):
    with host.tcp_socket(guest.address, IPERF) as sock:
        sock.send(header(EXTEND | VERSION2, FULLDUPLEX, amount=5_000_000))
        sock.shutdown(socket.SHUT_WR)
        assert host.receive_to_end(sock) == bytes(5_000_000)


@pytest.mark.parametrize("flags", [BOUNCEBACK, EXTEND | VERSION2 | PEERDETECT])
def test_what_is_not_served_is_refused(guest, flags):
    """The guest resets the connection, so a client does not wait for an answer."""
    with host.tcp_socket(guest.address, IPERF) as sock:
        sock.send(header(flags))
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_more_bad_clients_than_connections(guest):
    """Connections made for clients end with them: there is room for as many again."""
    kinds = [(b"", False), (b"x" * 23, True), (b"\xff" * 20_000, True),
             (header(EXTEND | VERSION1 | RUN_NOW, port=1), False), (header(EXTEND | VERSION1), True),
             (header(EXTEND | VERSION1, port=0), False),
             (header(EXTEND | VERSION1 | RUN_NOW, port=0), True),
             (header(EXTEND | VERSION2, REVERSE, amount=2**31), True),
             (header(EXTEND | VERSION2, FULLDUPLEX, amount=2**31), False),
             (header(EXTEND | VERSION2, REVERSE, amount=2**31 - 1)[:36], False)]
    for sent, reset in kinds:
        for _ in range(CONNECTIONS + 8):
            with host.tcp_socket(guest.address, IPERF) as sock:
                sock.send(sent)
                if reset:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        serves_iperf(guest)


def test_silent_clients_make_room(guest):
    """Whatever clients requested, the guest drops them: one for each new client, later all."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(host.tcp_socket(guest.address, IPERF))
                 for _ in range(CONNECTIONS)]
        for sock in socks[::2]:
            sock.send(b"x" * 10)
        for sock in socks[::3]:
            sock.send(header(EXTEND | VERSION2, FULLDUPLEX, amount=1000))
        serves_iperf(guest)
        host.serves(guest.address)
        time.sleep(PATIENCE + 3)
        serves_iperf(guest)
        for sock in socks:
            with contextlib.suppress(ConnectionResetError):
                while sock.recv(1 << 16):
                    pass


def test_over_ipv6(boot):
    """Runs each direction once; UDP also with a client's address of another network than the guest's."""
    with host_addresses():
        each_way_over_ipv6(boot)


def each_way_over_ipv6(boot):
    guest = boot(f"ip6={GUEST}/64").wait_ready()
    guest.wait_for(f"^vtnet: IPv6 address {GUEST}/64$")
    for arguments, results in (("-t 1", 1), ("-t 1 -d", 2), ("-n 8M -r", 2), ("-t 1 -R", 1)):
        found = transfers(text := iperf_to(GUEST, "-V", "-f", "K", *arguments.split()))
        assert len(found) == results and min(found) > 0, text
    with Wire() as wire:
        wire.send(wire6.ALL_NODES_MAC, wire6.IPV6, wire6.router_advertisement(PREFIX))
        guest.wait_for(f"^vtnet: IPv6 address {ROUTED}/64$")
    for address in (OURS, ROUTED_OURS):
        text = iperf_to(GUEST, "-V", "-B", address, "-u", "-t", "1", "-b", "2M", "-l", "1000")
        (_, lost, sent), = server_reports(text)
        assert lost <= sent // 100 and sent > 50, text
    serves_iperf(guest)

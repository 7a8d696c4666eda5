# SPDX-License-Identifier: BSD-2-Clause
"""The guest as a client of iperf 2 on the host; and misbehaving servers."""

import contextlib
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

import host
from guest import PATIENCE, Guest

HOST, HOST6 = "10.0.0.1", "fd00::1"
IPERF = 5001
VERSION1, SEQNO64B = 0x80000000, 0x08000000
ESTABLISHED = "01"  # in /proc/net/tcp
READ_MAX = 1470  # bytes of a datagram that iperf's server reads
RESULT = re.compile(
    r"^vtnet: iperf: (?:TCP|UDP, \d+ bytes), (?P<seconds>[\d.]+) s:"
    r"(?: sent [\d.]+ Mbit/s \((?P<sent>\d+) bytes\))?"
    r"(?: received [\d.]+ Mbit/s \((?P<received>\d+) bytes\))?"
    r"(?:, lost (?P<lost>\d+)/(?P<total>\d+) datagrams, jitter (?P<jitter>[\d.]+) ms)?$", re.MULTILINE)


@contextlib.contextmanager
def client(arch, append="", peer=HOST, **options):
    ip6 = "ip6=fd00::2 " if peer == HOST6 else ""
    with Guest(arch, f"{ip6}peer={peer} {append}", image="iperf", **options) as guest:
        yield guest


def result(guest):
    """Returns the last line of the guest."""
    assert guest.wait_exit(30) == guest.arch.exit_success
    found, = RESULT.finditer(guest.console())
    return {name: float(value) for name, value in found.groupdict().items() if value is not None}


def failure(guest):
    """Returns the reason why the guest gave up."""
    guest.wait_failure(30)
    assert not RESULT.search(guest.console())
    return re.search(r"^vtnet: iperf: (.*): check that peer= is right and runs `iperf (.*)`$",
                     guest.console(), re.MULTILINE).groups()


@contextlib.contextmanager
def iperf_server(*arguments):
    """`iperf -s` for one client. Yields a function that waits for its end and returns its output."""
    process = subprocess.Popen(["iperf", "-s", "-P", "1", "-f", "K", *arguments], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + PATIENCE
        table = "udp" if "-u" in arguments else "tcp"
        while not any(is_bound(name) for name in (table, table + "6")):
            assert process.poll() is None and time.monotonic() < end, "iperf does not serve"
            time.sleep(0.01)
        yield lambda: process.communicate(timeout=PATIENCE)[0]
    finally:
        process.kill()
        process.wait()


def is_bound(table, *states):
    """True if iperf's port is in the kernel's table, in one of these states if any are given."""
    with contextlib.suppress(FileNotFoundError):
        with open(f"/proc/net/{table}", encoding="ascii") as lines:
            rows = [line.split() for line in lines]
            return any(row[1].endswith(f":{IPERF:04X}") and (not states or row[3] in states)
                       for row in rows if row[0] != "sl")
    return False


@pytest.fixture(name="ipv6")
def fixture_ipv6():
    if not host.has_ipv6():
        pytest.skip("this system has no IPv6")


def kbytes(text):
    """The server's byte counts per direction: it marks its own with *."""
    assert "WARN" not in text, text
    found = re.findall(r"^\[ *(\*?)\d+\].* sec +(\d+) KBytes +\d+ KBytes/sec", text, re.MULTILINE)
    return {("received" if mark else "sent"): int(number) for mark, number in found}


def check_tcp(arch, direction, peer, *arguments):
    with iperf_server(*arguments) as server:
        append = f"proto=tcp seconds=1 dir={direction}" if direction else "proto=tcp seconds=1"
        with client(arch, append, peer) as guest:
            line = result(guest)
        text = server()
    expected = {"both": {"sent", "received"}, "receive": {"received"}}.get(direction, {"sent"})
    counted = kbytes(text)
    if direction == "receive":
        assert "(reverse)" in text
        counted = {"received": counted["sent"]}  # there is no other way to be told from
    assert set(counted) == set(line) - {"seconds"} == expected, text
    for name, number in counted.items():
        assert number > 0
        assert abs(number - line[name] / 1024) < 2, text
    assert line["seconds"] > 0.9


@pytest.mark.parametrize("direction", [None, "send", "receive", "both"])
def test_tcp(arch, direction):
    """Exactly the server's byte count, except for its rounding."""
    check_tcp(arch, direction, HOST)


def test_tcp_over_ipv6(arch, ipv6):
    check_tcp(arch, "send", HOST6, "-V")


def check_udp(arch, size, peer, *arguments):
    """The guest prints the server's figures, which are consistent."""
    with iperf_server("-u", *arguments) as server:
        with client(arch, f"seconds=1 size={size}", peer) as guest:
            line = result(guest)
        text = server()
    found = re.search(r" (\d+) KBytes .* ([\d.]+) ms +(\d+)/ *(\d+) ", text)
    number, jitter, lost, total = (float(group) for group in found.groups())
    assert (line["lost"], line["total"]) == (lost, total), text
    assert abs(line["jitter"] - jitter) < 0.002, text
    assert line["sent"] == (total - lost) * min(size, READ_MAX), text
    assert abs(number - line["sent"] / 1024) < 2, text
    assert total > 1000
    return line


@pytest.mark.parametrize("size", [12, 19, 20, 1024, 1472])
def test_udp(arch, size):
    check_udp(arch, size, HOST)


@pytest.mark.parametrize("size", [1024, 1472])
def test_udp_over_ipv6(arch, ipv6, size):
    """With the larger size a datagram takes two fragments."""
    check_udp(arch, size, HOST6, "-V")


def test_udp_with_loss(arch):
    """The server's socket has room for only a few datagrams."""
    line = check_udp(arch, 1472, HOST, "-w", "4K")
    assert 0 < line["lost"] < line["total"]


def report(asked, total_len, lost, late, datagrams, jitter_us, wide=True):
    """A server's answer to the last datagram."""
    return asked[:16] + struct.pack(
        "!10I", VERSION1 | (SEQNO64B if wide else 0), total_len >> 32, total_len & 0xffffffff, 1, 0,
        lost & 0xffffffff, late & 0xffffffff, datagrams & 0xffffffff, jitter_us // 1_000_000,
        jitter_us % 1_000_000) + bytes(60) + struct.pack("!3I", lost >> 32, late >> 32,
                                                         datagrams >> 32)


class Server(contextlib.AbstractContextManager):
    """Receives datagrams in a thread, and answers requests: answer(datagram, number of requests).
    It is slower than the guest and has little room, so no request waits long behind a flood."""

    def __init__(self, answer):
        self.answer = answer
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((HOST, IPERF))
        self.stop = False
        self.numbers, self.asked = [], []  # of datagrams; (us, number) of the last ones
        self.sizes, self.sent_at = set(), []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        self.sock.settimeout(0.05)
        while not self.stop:
            with contextlib.suppress(TimeoutError):
                datagram, where = self.sock.recvfrom(2048)
                low, seconds, micros, high, flags = struct.unpack("!IIIII", datagram[:20])
                assert flags == SEQNO64B and micros < 1_000_000 and not any(datagram[20:])
                number = high << 32 | low
                self.sizes.add(len(datagram))
                self.sent_at.append(seconds * 1_000_000 + micros)
                if number < 1 << 63:
                    self.numbers.append(number)
                    continue
                self.asked.append((self.sent_at[-1], (1 << 64) - number))
                for answer in self.answer(datagram, len(self.asked)):
                    self.sock.sendto(answer, where)

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
        self.sock.close()


def test_udp_report_is_asked_for_again(arch):
    """Requests every 250 ms until a report arrives; other datagrams are not accepted as a report."""
    def answer(datagram, count):
        if count == 2:
            return [datagram, b"", datagram[:20], report(datagram, 1, 2, 3, 4, 5)[:55]]
        return [report(datagram, (2 << 32) + 1000, (1 << 32) + 5, 7, (3 << 32) + 9, 4_001_002)] * (
            count > 3)

    with Server(answer) as server, client(arch, "seconds=1 size=100") as guest:
        line = result(guest)
    assert line["sent"] == (2 << 32) + 1000
    assert (line["lost"], line["total"]) == ((1 << 32) + 5, (3 << 32) + 9)
    assert line["jitter"] == 4001.002
    assert len(server.asked) >= 4  # more if this server is late
    times = [when for when, _ in server.asked]
    assert all(after - before > 240_000 for before, after in zip(times[:-1], times[1:]))
    last, = {number for _, number in server.asked}
    assert server.sizes == {100}
    assert server.numbers == sorted(set(server.numbers))
    assert server.numbers[:20] == list(range(1, 21))  # the guest waits until it knows the way
    assert last > server.numbers[-1]
    assert server.sent_at == sorted(server.sent_at)


def test_udp_report_of_an_old_server(arch):
    with Server(lambda datagram, _: [report(datagram, 1000, 5, 0, 9, 999, wide=False)[:56]]), \
            client(arch, "seconds=1") as guest:
        line = result(guest)
    assert (line["lost"], line["total"], line["jitter"]) == (5, 9, 0.999)


def test_udp_server_that_does_not_report(arch):
    with Server(lambda *_: []) as server, client(arch, "seconds=1 size=100") as guest:
        assert failure(guest) == ("no report", "-s -u")
    assert len(server.asked) in (9, 10)  # the first may be lost at the end of a flood


@pytest.mark.parametrize("peer", [HOST, "10.0.0.9"])
def test_no_udp_server(arch, peer):
    with client(arch, "seconds=1", peer) as guest:
        assert failure(guest) == ("no report", "-s -u")


@pytest.mark.parametrize("direction", ["send", "receive"])
def test_no_tcp_server(arch, direction):
    with client(arch, f"proto=tcp dir={direction}") as guest:
        assert failure(guest) == ("no connection", "-s")


def test_nobody_there(arch):
    with client(arch, "proto=tcp", "10.0.0.9") as guest:
        assert failure(guest) == ("no connection within 5 s", "-s")


@pytest.mark.parametrize("direction", ["send", "receive", "both"])
def test_tcp_server_killed(arch, direction):
    with contextlib.ExitStack() as server:
        server.enter_context(iperf_server())
        with client(arch, f"proto=tcp seconds=60 dir={direction}") as guest:
            end = time.monotonic() + PATIENCE
            while not is_bound("tcp", ESTABLISHED):
                assert time.monotonic() < end, "the guest does not connect"
                time.sleep(0.01)
            server.close()
            assert failure(guest) == ("the connection broke", "-s")


def test_udp_server_killed(arch):
    with contextlib.ExitStack() as server:
        server.enter_context(iperf_server("-u"))
        with client(arch, "seconds=2") as guest:
            guest.wait_ready()
            time.sleep(0.5)
            server.close()
            assert failure(guest) == ("no report", "-s -u")


@contextlib.contextmanager
def tcp_listener():
    with socket.create_server((HOST, IPERF)) as listener:
        listener.settimeout(PATIENCE)
        yield listener


def test_tcp_server_that_does_not_close(arch):
    """It has all, and knows it."""
    with tcp_listener() as listener, client(arch, "proto=tcp seconds=1") as guest:
        sock, _ = listener.accept()
        with sock:
            received = host.receive_to_end(sock)
            assert not any(received) and len(received) > 100_000
            assert failure(guest) == ("the server does not close the connection", "-s")


@pytest.mark.parametrize("direction", ["send", "receive", "both"])
def test_tcp_server_that_closes_at_once(arch, direction):
    with tcp_listener() as listener, client(arch, f"proto=tcp dir={direction}") as guest:
        listener.accept()[0].close()
        assert failure(guest) == ("the connection broke", "-s")


def test_what_is_not_there_is_said(arch):
    for direction in ("receive", "both"):
        with client(arch, f"proto=udp dir={direction}") as guest:
            guest.wait_failure()
            assert ("vtnet: iperf: UDP can only send: dir=receive and dir=both need proto=tcp\n"
                    in guest.console())


def test_without_a_peer_it_serves(arch):
    with Guest(arch, image="iperf") as guest:
        guest.wait_ready()
        for arguments in ([], ["-u"], ["-R"]):
            done = subprocess.run(["iperf", "-c", guest.address, "-t", "1", *arguments], text=True,
                                  check=False, capture_output=True, timeout=PATIENCE)
            assert done.returncode == 0 and "sec" in done.stdout, done.stdout + done.stderr
        guest.assert_well()

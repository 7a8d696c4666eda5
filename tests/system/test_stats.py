# SPDX-License-Identifier: BSD-2-Clause
"""The guest's statistics as JSON over HTTP and UDP, while it works."""

import contextlib
import gzip
import json
import re
import socket
import struct
import time
import urllib.request

import pytest

import host
from guest import ROOT

HTTP, STATS = 80, 81

CARD = {"pci", "driver", "mac", "ip", "mtu", "vlan", "link", "speed", "full_duplex", "transport",
        "ring", "interrupt_kind", "features_offered", "features_asked", "features_accepted",
        "counters"}
QUEUE = {"kicks", "kicks_suppressed", "kicks_saved", "full", "bad_id", "bad_length", "bad_index"}
COUNTERS = {f"{queue}_{name}" for queue in ("rx", "tx", "ctrl") for name in QUEUE} | {
    "rx_interrupts", "rx_interrupts_spurious", "tx_interrupts", "tx_interrupts_spurious",
    "rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "interrupts", "interrupts_spurious",
    "interrupts_config", "rx_bad", "rx_no_memory", "rx_at_ceiling", "recoveries", "tx_down",
    "tx_lost",
    "rx_posted", "rx_limit",
    "rx_limit_peak", "rx_initial", "rx_maximum", "rx_ups", "rx_downs", "rx_buffers",
    "rx_buffers_peak", "rx_held", "rx_held_peak", "tx_copied", "tx_copied_bytes", "rx_copied",
    "rx_copied_bytes", "rx_dropped", "rx_refused", "rx_foreign", "rx_own"}
ERRORS = [name for name in COUNTERS if "_bad" in name] + ["rx_refused", "rx_foreign", "rx_own"]


def by_http(address):
    with urllib.request.urlopen(f"http://{address}/", timeout=host.PATIENCE) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        return json.load(answer)


def by_udp(address):
    """Repeated if there is no answer: a guest sends at most 1 MiB a second of these."""
    deadline = time.monotonic() + host.PATIENCE
    with host.udp_socket(address, STATS) as sock:
        sock.settimeout(1)
        while time.monotonic() < deadline:
            sock.send(b"")
            with contextlib.suppress(TimeoutError):
                return json.loads(sock.recv(65536))
    raise AssertionError(f"{address} tells no statistics in {host.PATIENCE} s")


def exchange(address, request):
    """Sends bytes to the HTTP port, and returns everything that comes back."""
    with host.tcp_socket(address, HTTP) as sock:
        sock.sendall(request)
        return host.receive_to_end(sock)


def card(stats):
    return stats["cards"][0]["counters"]


@pytest.mark.parametrize("device", ["disable-modern=on", "disable-legacy=on", "packed=on"])
def test_schema(boot, device):
    guest = boot(device=device).wait_ready()
    for stats in (by_http(guest.address), by_udp(guest.address)):
        assert {"arch", "clock_ns", "irq_unclaimed", "console_lost", "loop", "memory",
                "cards"} <= set(stats)
        assert stats["arch"] == guest.arch.name
        assert {"passes", "sleeps", "worst_pass_ns", "worst_pass_frames"} <= set(stats["loop"])
        assert {"total", "used", "peak"} <= set(stats["memory"])
        assert len(stats["cards"]) == 1
        first = stats["cards"][0]
        assert CARD <= set(first)
        assert COUNTERS <= set(first["counters"])
        assert all(isinstance(value, int) for value in first["counters"].values())
        assert first["ip"] == guest.address and first["mac"] == host.neighbour(guest.address)
        assert first["transport"] == ("legacy PCI" if "modern=on" in device else "modern PCI")
        assert first["ring"] == ("packed" if device == "packed=on" else "split")
        for what in ("offered", "asked", "accepted"):
            line = guest.wait_for(f"^vtnet: features {what}: (.*)$")[1].split()
            assert first[f"features_{what}"] == line
        assert not [name for name in ERRORS if first["counters"][name]]


def test_figures_are_what_went_over_the_wire(boot):
    guest = boot().wait_ready()
    host.ping(guest.address, count=5)
    before = by_udp(guest.address)
    host.ping(guest.address, count=200, size=1000, interval=0.002)
    after = by_udp(guest.address)
    one, two = card(before), card(after)
    # the pings, the second request, the rest of the first answer, and a stray frame of the host
    packets = two["rx_packets"] - one["rx_packets"]
    assert 201 <= packets <= 210
    assert 200 * 1042 <= two["rx_bytes"] - one["rx_bytes"] <= 200 * 1042 + 10 * 100
    assert 201 <= two["tx_packets"] - one["tx_packets"] <= 220
    assert two["tx_kicks"] - one["tx_kicks"] <= two["tx_packets"] - one["tx_packets"]
    assert two["interrupts"] - one["interrupts"] <= 2 * packets
    assert after["clock_ns"] > before["clock_ns"]
    assert after["loop"]["passes"] > before["loop"]["passes"]
    assert after["memory"]["peak"] >= after["memory"]["used"] > 0
    assert two["rx_initial"] <= two["rx_limit"] <= two["rx_limit_peak"] <= two["rx_maximum"]
    assert two["rx_held"] <= two["rx_held_peak"]


def test_receive_buffers_as_asked(boot):
    """The number of receive buffers is fixed, and their bytes are limited."""
    guest = boot("rxdyn=0 bufmax=32 bufmem=100").wait_ready()
    host.udp_echo(guest.address, (0, 1472, 5000, 20000))
    figures = card(by_udp(guest.address))
    assert [figures[name] for name in ("rx_initial", "rx_limit", "rx_limit_peak", "rx_maximum")
            ] == [32] * 4
    assert figures["rx_buffers_max"] * figures["rx_held"] // figures["rx_buffers"] <= 100 << 10
    assert 0 < figures["rx_held"] <= figures["rx_held_peak"] <= 100 << 10


def test_receive_buffers_come_down(boot):
    guest = boot("bufmax=128 rxquiet=50").wait_ready()
    deadline = time.monotonic() + host.PATIENCE
    while True:
        host.tcp_echo(guest.address, host.MIB)
        if card(by_udp(guest.address))["rx_limit_peak"] > 44:
            break
        assert time.monotonic() < deadline, "the limit does not go up"
    while card(by_udp(guest.address))["rx_limit"] > 44:
        assert time.monotonic() < deadline, "the limit does not come down"
        time.sleep(0.1)
    assert card(by_udp(guest.address))["rx_downs"] > 0


def test_reading_in_the_middle_of_a_run(boot):
    """Read during a burst of datagrams, the figures increase and never decrease."""
    guest = boot("stats=1").wait_ready()
    with host.udp_socket(guest.address, host.SOURCE) as sock:
        host.request_burst(sock, 0xffffffff, 1000)
        readings = [card(by_udp(guest.address)) for _ in range(5)]
        readings += [card(by_http(guest.address)) for _ in range(5)]
        host.request_burst(sock, 0, 4)
    for one, two in zip(readings, readings[1:]):
        for name in ("rx_packets", "tx_packets", "tx_bytes", "tx_kicks", "interrupts"):
            assert one[name] <= two[name]
    assert readings[-1]["tx_packets"] > readings[0]["tx_packets"] + 100
    guest.wait_for("^vtnet: stats: .*; worst pass [0-9]+ us of [0-9]+ frames")


def test_several_at_once(boot):
    guest = boot().wait_ready()
    for _ in range(3):
        host.all_at_once(by_http, [guest.address] * 12)
    host.all_at_once(by_udp, [guest.address] * 8)
    host.serves(guest.address)


@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "in pieces"])
def test_requests_of_every_kind(boot, pieces):
    guest = boot().wait_ready()

    def status(request):
        with host.tcp_socket(guest.address, HTTP) as sock:
            with contextlib.suppress(OSError):  # it may have answered already
                for piece in host.in_chunks(request, (1, 2, 3) if pieces else (65536,)):
                    sock.sendall(piece)
            answer = host.receive_to_end(sock)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        return answer.split(b"\r\n")[0].decode()

    for good in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET /?now HTTP/1.0\n\n", 2 * b"GET / HTTP/1.1\r\n\r\n",
                 b"GET / HTTP/1.0\r\n" + b"X: y\r\n" * 500 + b"\r\n",
                 b"\r\nGET / HTTP/1.0\r\n\r\n", b"\n\r\n\nGET / HTTP/1.0\n\n"):
        assert status(good) == "HTTP/1.0 200 OK"
    for url in (b"http://10.0.0.2/", b"http://10.0.0.2", b"HTTP://vtnet.local:80/?now",
                b"http://x?y"):
        assert status(b"GET " + url + b" HTTP/1.1\r\nHost: x\r\n\r\n") == "HTTP/1.0 200 OK"
    assert status(b"GET http://10.0.0.2/x HTTP/1.1\r\n\r\n") == "HTTP/1.0 404 Not Found"
    for long in (b"GET /" + b"a" * 3000 + b" HTTP/1.0\r\n\r\n", b"GET /" + b"a" * 9000):
        assert status(long) == "HTTP/1.0 414 URI Too Long"
    for method in (b"POST", b"PUT", b"X"):
        assert status(method + b" / HTTP/1.0\r\n\r\n") == "HTTP/1.0 405 Method Not Allowed"
    assert status(b"GET /other HTTP/1.0\r\n\r\n") == "HTTP/1.0 404 Not Found"
    for bad in (b" \r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / FTP/1.0\r\n\r\n",
                b"get / HTTP/1.0\r\n\r\n", b"GET  HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0x\r\n\r\n",
                bytes(range(256)) + b"\n\n", b"GET / HTTP/1.0" + b" " * 3000 + b"\r\n\r\n",
                b"GET http:///x HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\n" + b"a" * 9000):
        assert status(bad) == "HTTP/1.0 400 Bad Request"
    host.serves(guest.address)


def test_head(boot):
    """HEAD gets the headers of GET and no body."""
    guest = boot().wait_ready()
    for target, wanted in ((b"/", b"200 OK"), (b"/other", b"404 Not Found")):
        heads = []
        for method in (b"GET", b"HEAD"):
            answer = exchange(guest.address, method + b" " + target + b" HTTP/1.0\r\n\r\n")
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.0 " + wanted)
            length = int(re.search(rb"^Content-Length: (\d+)\r?$", head, re.MULTILINE)[1])
            assert length > 0 and len(body) == (length if method == b"GET" else 0)
            heads.append(re.sub(rb"Content-Length: \d+", b"", head))
        assert heads[0] == heads[1]


def test_browsers_get_a_page(boot):
    """A client that asks for HTML and accepts gzip gets the page; all others get JSON."""
    guest = boot().wait_ready()
    wanted = (ROOT / "build/guest.html.gz").read_bytes()
    html, packed = b"Accept: text/html,*/*;q=0.8\r\n", b"Accept-Encoding: gzip, deflate\r\n"
    for fields, is_page in ((html + packed, True), (b"X: y\r\n" * 50 + packed + html, True),
                            (packed, False), (html, False), (b"Accept: */*\r\n" + packed, False),
                            (html + b"Accept-Encoding: gzip;q=0\r\n", False)):
        answer = exchange(guest.address, b"GET / HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert b"\r\nVary: Accept, Accept-Encoding" in head
        assert (b"\r\nContent-Encoding: gzip" in head) == is_page
        if is_page:
            assert b"\r\nContent-Type: text/html" in head
            assert body == wanted
        else:
            assert b"\r\nContent-Type: application/json" in head
            assert json.loads(body)["arch"] == guest.arch.name
    page = gzip.decompress(wanted)
    assert b"SPDX" not in page and b'src="' not in page and b"import " not in page


def test_clients_that_vanish(boot):
    """Connections that are opened and abandoned, before or after the request, are freed."""
    guest = boot().wait_ready()
    by_http(guest.address)
    used = by_udp(guest.address)["memory"]["used"]
    for request in (b"", b"GET / HT", b"GET / HTTP/1.0\r\n\r\n"):
        for _ in range(30):
            with host.tcp_socket(guest.address, HTTP) as sock:
                sock.sendall(request)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    silent = []
    for _ in range(20):  # more than allowed: those are reset, some before connect() has returned
        with contextlib.suppress(ConnectionResetError):
            silent.append(host.tcp_socket(guest.address, HTTP))
    assert len(silent) >= 16
    with contextlib.suppress(OSError):
        silent[-1].sendall(b"GET / HTTP/1.0\r\n\r\n")
    for sock in silent:
        sock.close()
    deadline = time.monotonic() + host.PATIENCE
    while by_udp(guest.address)["memory"]["used"] > used + 65536:
        assert time.monotonic() < deadline, "memory of clients that are gone is not free"
        time.sleep(0.2)
    by_http(guest.address)

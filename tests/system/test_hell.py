# SPDX-License-Identifier: BSD-2-Clause
"""Attacks of many frames, at full speed and at random: the guest serves after each one as before.

`make hell` is the long form, see hell.py."""

import contextlib
import random
import socket
import time

import pytest

import hell
import host
import services
from attacker import Attacker, http_request, iperf_header, netperf_request
from guest import ADDRESS
from services import HTTP, IPERF, NETPERF
from station import ACK, RST, SYN, Station
from test_ipv6 import GUEST, GUEST_MAC, guest_of_both_families

STATIONS = {ADDRESS: "10.0.0.99", GUEST: "fd00::99"}
CONNECTIONS = 2500  # of each family
SLOW_CLIENTS = 100
STEPS = 1500  # of the attacker, in the short form

FAMILIES = pytest.mark.parametrize("address", hell.FAMILIES, ids=["ipv4", "ipv6"])


@pytest.fixture(name="attacked", scope="module")
def fixture_attacked(arch):
    """One guest for all attacks. `make hell` prints the table; otherwise it is printed if a test fails."""
    with guest_of_both_families(arch) as guest:
        attacked = hell.Attacked(guest)
        yield attacked
        print(f"\n{arch.name}: SEED={hell.SEED} HELL_S={hell.SECONDS}", end="")
        print("\n".join(["", hell.Row.HEADER, *map(str, attacked.table)]))


@pytest.mark.parametrize("name", hell.attacks())
def test_flood(attacked, name):
    attacked.after(name, lambda: hell.flood(name))


def test_memory_is_back(attacked):
    """After the floods: the following attacks leave connections, which services keep for two
    minutes. Only the long form waits for their end."""
    attacked.wait_until_quiet()


@FAMILIES
def test_attacker(attacked, address):
    """Connections on which the peer does what TCP does not allow."""
    def play():
        with Station(address, GUEST_MAC, STATIONS[address]) as peer:
            attacker = Attacker(peer, f"{hell.SEED} {address}")
            end = time.monotonic() + hell.SECONDS
            attacker.play(STEPS)
            while hell.LONG and time.monotonic() < end:
                attacker.play(STEPS)
            return attacker.sent
    attacked.after(f"attacker {address}", play)


@FAMILIES
def test_idle_connections(attacked, address):
    """Connections that nobody resets or closes, on all services."""
    def connect():
        opened = 0
        with Station(address, GUEST_MAC, STATIONS[address]) as peer:
            for number in range(CONNECTIONS):
                source, port = 10000 + number, services.TCP_PORTS[number % len(services.TCP_PORTS)]
                peer.send_segment(source, port, 1, 0, SYN)
                answer = peer.wait_segment(
                    lambda s, source=source: s.port == source and s.flags & (SYN | RST))
                if answer and answer.flags == SYN | ACK:
                    peer.send_segment(source, port, 2, answer.seq + 1, ACK)
                    opened += 1
        assert opened > CONNECTIONS * 0.9
        return 2 * opened
    attacked.after(f"{CONNECTIONS} idle {address}", connect)


def sockets(stack, address, port, count):
    return [stack.enter_context(host.tcp_socket(address, port)) for _ in range(count)]


@FAMILIES
def test_slow_http(attacked, address):
    """Requests sent byte by byte, or without an end, by more clients than there are places."""
    def ask():
        with contextlib.ExitStack() as stack:
            clients = sockets(stack, address, HTTP, SLOW_CLIENTS)
            sent = 0
            for byte in b"GET / HTTP/1.0\r\nX: yyyyyyyyyyyyyyyyyyyyyyyy"[:int(8 + 3 * hell.SECONDS)]:
                for client in clients:
                    with contextlib.suppress(ConnectionError):
                        client.send(bytes((byte,)))
                        sent += 1
                if hell.LONG:
                    time.sleep(1)
                services.statistics_by_http(address)
            with host.tcp_socket(address, HTTP) as sock, contextlib.suppress(ConnectionError):
                sock.sendall(b"GET / HTTP/1.0\r\n" + b"X: y\r\n" * 20000)
            return sent
    attacked.after(f"slow HTTP {address}", ask)


def send_garbage(address, port, chunks):
    """A client sends on its own connection and reads nothing."""
    with host.tcp_socket(address, port) as sock:
        sock.settimeout(0.2)
        with contextlib.suppress(OSError):
            for chunk in chunks:
                sock.sendall(chunk)
            sock.shutdown(socket.SHUT_WR)


@FAMILIES
def test_garbage_to_the_measuring_services(attacked, address):
    """Random control messages of netperf and headers of iperf, whole and in part; and HTTP."""
    def speak():
        source = random.Random(f"{hell.SEED} {address}")
        makers = {NETPERF: netperf_request, IPERF: iperf_header, HTTP: http_request}
        end = time.monotonic() + hell.SECONDS
        sent = 0
        while time.monotonic() < end:
            port = source.choice(list(makers))
            chunks = [makers[port](source) for _ in range(source.choice((1, 1, 2, 5)))]
            chunks.append(source.randbytes(source.choice((0, 1, 655, 5000))))
            if source.random() < 0.2:
                chunks[0] = chunks[0][:source.randrange(len(chunks[0]) + 1)]
            send_garbage(address, port, chunks)
            sent += 1
        return sent
    attacked.after(f"garbage {address}", speak)

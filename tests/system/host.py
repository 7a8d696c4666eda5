# SPDX-License-Identifier: BSD-2-Clause
"""The host's side of a test: traffic that is compared byte by byte, and the host's network setup."""

import contextlib
import itertools
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import threading
import time

from guest import PATIENCE

ECHO, SINK, SOURCE = 7, 9, 19
PINGS = itertools.count(0x8000)  # the identifiers of ping(), each for one call
UDP_MAX = 1472  # bytes that fit one frame
MIB = 1 << 20


def ip(*arguments, check=True):
    """Runs ip(8), which is in sbin, and returns its output."""
    path = shutil.which("ip", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    done = subprocess.run([path, *arguments], text=True, capture_output=True, timeout=PATIENCE,
                          check=False)
    assert done.returncode == 0 or not check, f"ip {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def has_ipv6():
    return os.path.exists("/proc/net/if_inet6")


@contextlib.contextmanager
def address_of_tap(address):
    """Gives the host another IPv6 address on tap0 during the body."""
    ip("-6", "address", "add", f"{address}/64", "dev", "tap0", "nodad")
    try:
        yield
    finally:
        ip("-6", "address", "del", f"{address}/64", "dev", "tap0")


def neighbour(address):
    """The Ethernet address that the host's ARP table has for an IP address, or None."""
    found = re.search(r"lladdr ([0-9a-f:]{17})", ip("neigh", "show", address))
    return found and found[1]


def pattern(length, seed=0):
    """Pseudo-random bytes, the same for the same arguments."""
    return random.Random(length << 8 | seed).randbytes(length)


def compare(sent, received, what):
    """Reports where two byte strings differ; an assert on megabytes would take too long."""
    if sent == received:
        return
    at = next((i for i, (a, b) in enumerate(zip(sent, received)) if a != b),
              min(len(sent), len(received)))
    raise AssertionError(f"{what}: {len(sent)} bytes expected, {len(received)} came; the first "
                         f"difference is at byte {at}: {sent[at:at + 8].hex()} expected, "
                         f"{received[at:at + 8].hex()} came")


def ping(address, count=100, size=56, interval=0.01, in_turn=False):
    """Pings at intervals and asserts that no reply is lost, duplicated or damaged. in_turn: each
    comes an interval after the reply to the one before, so that a busy host rarely merges them.

    ping(8) with such intervals ends some milliseconds after its last request, and on a busy
    machine counts late replies as lost."""
    payload = pattern(size)
    identifier = next(PINGS) & 0xffff
    all_of_them = set(range(1, count + 1))
    waiting = set(all_of_them)

    def collect(until, wanted):
        """Until these are answered, or that time."""
        while waiting & wanted and (reply := next_reply(raw, identifier, until)):
            sequence = int.from_bytes(reply[6:8], "big")
            assert sequence in waiting, f"ping {sequence} is answered twice"
            compare(icmp_packet(0, identifier, sequence, payload), reply, f"ping {sequence}")
            waiting.remove(sequence)

    with icmp_socket(address) as raw:
        start = time.monotonic()
        for sequence in range(1, count + 1):
            raw.send(icmp_packet(8, identifier, sequence, payload))
            if in_turn:
                collect(time.monotonic() + PATIENCE, {sequence})
                assert sequence not in waiting, f"ping {sequence} of {size} bytes is lost"
                time.sleep(interval)
            else:
                collect(start + sequence * interval, all_of_them)
        collect(time.monotonic() + PATIENCE, all_of_them)
    assert not waiting, f"{len(waiting)} of {count} pings of {size} bytes are lost: {waiting}"


def send_frame(tap, address, packet):
    """Sends an IPv4 packet to a guest unchanged; its checksums are not verified."""
    mac = bytes.fromhex(neighbour(address).replace(":", ""))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((tap, 0))
        raw.send(mac + bytes.fromhex("020000000001") + b"\x08\0" + packet)


def pings_answered(address, count=3):
    """The number of a few pings that are answered, for tests that expect silence."""
    done = subprocess.run(["ping", "-n", "-q", "-c", str(count), "-i", "0.05", "-W", "1", address],
                          text=True, capture_output=True, timeout=PATIENCE, check=False)
    return int(re.search(r"(\d+) received", done.stdout)[1])


def settle(address):
    """Waits for the end of a flood, whose frames are still arriving and displace others."""
    deadline = time.monotonic() + PATIENCE
    while pings_answered(address) < 3:
        assert time.monotonic() < deadline, f"{address} loses pings long after a flood"


def settle_udp(address):
    """The same for either family, by the echo service."""
    deadline = time.monotonic() + PATIENCE
    with udp_socket(address, ECHO) as sock:
        sock.settimeout(0.05)
        while time.monotonic() < deadline:
            sock.send(b"settle")
            with contextlib.suppress(TimeoutError):
                sock.recv(100)
                return
    raise AssertionError(f"{address} echoes nothing long after a flood")


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def icmp_packet(kind, identifier, sequence, payload):
    header = struct.pack("!BBHHH", kind, 0, 0, identifier, sequence)
    return header[:2] + struct.pack("!H", checksum(header + payload)) + header[4:] + payload


def icmp_socket(address):
    """A socket for ICMP messages to and from that address only."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    lose_nothing(sock)
    sock.connect((address, 0))
    return sock


def icmp_echo(address, lengths, identifier=0x7674):
    """Sends an echo request of each length, one after another, and compares the replies."""
    with icmp_socket(address) as raw:
        for length in lengths:
            sent = pattern(length)
            raw.send(icmp_packet(8, identifier, length, sent))
            expected = icmp_packet(0, identifier, length, sent)
            until = time.monotonic() + PATIENCE
            reply = next_reply(raw, identifier, until)
            while reply and reply[6:8] != expected[6:8]:
                reply = next_reply(raw, identifier, until)
            assert reply, f"no reply to an ICMP echo request of {length} bytes"
            compare(expected, reply, f"ICMP echo of {length}")


def next_reply(raw, identifier, until):
    """The next ICMP message with this identifier that is not a request, or None."""
    while (left := until - time.monotonic()) > 0:
        raw.settimeout(left)
        with contextlib.suppress(TimeoutError):
            packet = raw.recv(65536)
            message = packet[(packet[0] & 15) * 4:]
            if message[4:6] == struct.pack("!H", identifier) and message[0] != 8:
                return message
    return None


def lose_nothing(sock):
    """Gives a socket a receive buffer large enough for a burst, if the system allows it."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, 33, 256 * MIB)  # SO_RCVBUFFORCE
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * MIB)


def udp_socket(address, port):
    family, *_, where = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(PATIENCE)
    lose_nothing(sock)
    sock.connect(where)
    return sock


def udp_echo(address, lengths, patience=PATIENCE):
    """Sends a datagram of each length, one after another, and compares the replies."""
    with udp_socket(address, ECHO) as sock:
        sock.settimeout(patience)
        for length in lengths:
            sent = pattern(length)
            sock.send(sent)
            try:
                received = sock.recv(65536)
            except TimeoutError:
                raise AssertionError(f"no echo of a datagram of {length} bytes") from None
            compare(sent, received, f"UDP echo of {length} bytes")


def echo_of_every_length(address):
    icmp_echo(address, range(UDP_MAX + 1))
    udp_echo(address, range(UDP_MAX + 1))


def tcp_socket(address, port):
    sock = socket.create_connection((address, port), timeout=PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def receive_to_end(sock):
    """Receives all bytes until the peer's end of file."""
    data = bytearray()
    while part := sock.recv(1 << 18):
        data += part
    return bytes(data)


def receive_exactly(sock, length):
    data = bytearray()
    while len(data) < length:
        part = sock.recv(length - len(data))
        assert part, f"the end came after {len(data)} of {length} bytes"
        data += part
    return bytes(data)


def in_chunks(data, sizes):
    """Splits data into pieces of the given sizes, repeated."""
    at = turn = 0
    while at < len(data):
        yield data[at:at + sizes[turn % len(sizes)]]
        at += sizes[turn % len(sizes)]
        turn += 1


def tcp_echo(address, length, sizes=(1 << 18,), seed=0):
    """Sends `length` bytes in pieces of the given sizes while receiving, and compares.

    The sender shuts its direction down at the end: the rest must come back, followed by the end
    of file."""
    sent = pattern(length, seed)
    with tcp_socket(address, ECHO) as sock:
        def send():
            with contextlib.suppress(OSError):  # then the receiver fails and reports it
                for piece in in_chunks(sent, sizes):
                    sock.sendall(piece)
                sock.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        try:
            received = receive_to_end(sock)
        except TimeoutError:
            raise AssertionError(f"TCP echo of {length} bytes stands still") from None
        sender.join(PATIENCE)
    compare(sent, received, f"TCP echo of {length} bytes")


def all_at_once(function, arguments):
    """Calls the function with each argument, all at the same time, and raises an exception of any
    call."""
    errors = []

    def call(argument):
        try:
            function(argument)
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    threads = [threading.Thread(target=call, args=(argument,), daemon=True)
               for argument in arguments]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 3 * PATIENCE
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
        assert not thread.is_alive(), "one of several at once has not ended"
    if errors:
        raise errors[0]


def source_is_right(address, length):
    """The TCP source's bytes, which count from 0 to 255 repeatedly."""
    with tcp_socket(address, SOURCE) as sock:
        received = receive_exactly(sock, length)
    compare((bytes(range(256)) * (length // 256 + 1))[:length], received, "TCP source")


@contextlib.contextmanager
def in_background(function, argument, until):
    """Calls the function during the body; afterwards `until` makes it end."""
    thread = threading.Thread(target=function, args=(argument,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        until()
        thread.join(PATIENCE)


def sink_statistics(address, question=b"STATtest"):
    """The datagrams and bytes counted by the UDP sink."""
    with udp_socket(address, SINK) as sock:
        sock.settimeout(1)
        for attempt in range(PATIENCE):  # after a flood the request itself may find no room
            sock.send(question)
            try:
                reply = sock.recv(2048)
                break
            except TimeoutError:
                assert attempt < PATIENCE - 1, "STAT is not answered"
    assert len(reply) == 24 and reply[:8] == question, f"STAT was answered with {reply!r}"
    return struct.unpack("!QQ", reply[8:])


def request_burst(sock, count, size):
    sock.send(b"SEND" + struct.pack("!II", count, size))


def receive_until_silence(sock, seconds=0.2, at_most=PATIENCE, wanted=0):
    """The datagrams received until none arrives for a while. So many that are wanted may take longer."""
    datagrams = []
    deadline = time.monotonic() + at_most
    with contextlib.suppress(TimeoutError):
        while True:
            sock.settimeout(seconds if len(datagrams) >= wanted else at_most)
            datagrams.append(sock.recv(65536))
            assert time.monotonic() < deadline, f"datagrams still come after {at_most} s"
    return datagrams


def burst(address, count, size):
    """Requests a burst from the UDP source: all datagrams must arrive in order, and nothing else."""
    datagrams = []
    with udp_socket(address, SOURCE) as sock:
        sock.settimeout(5)
        request_burst(sock, count, size)
        with contextlib.suppress(TimeoutError):
            while len(datagrams) < count:
                datagrams.append(sock.recv(65536))
        more = receive_until_silence(sock, 0.1)
    numbers = [struct.unpack_from("!I", datagram)[0] for datagram in datagrams]
    missing = sorted(set(range(count)) - set(numbers))
    assert not missing, f"{len(missing)} of {count} datagrams did not come, first {missing[:10]}"
    assert numbers == list(range(count)), "the datagrams are not in order"
    assert {len(datagram) for datagram in datagrams} == {size}
    assert not more, f"{len(more)} datagrams too many"


def serves(address):
    """Checks quickly everything that a guest serves."""
    ping(address, count=20)
    udp_echo(address, (0, 1, 17, 1023, 1472))
    tcp_echo(address, 100_000)
    sink_statistics(address)

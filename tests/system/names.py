# SPDX-License-Identifier: BSD-2-Clause
"""mDNS queries for a name (RFC 6762), as of a resolver without cached records."""

import contextlib
import ipaddress
import socket
import struct
import time

from guest import PATIENCE

A, AAAA = 1, 28
PORT = 5353


def question(name, kind):
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    return struct.pack("!6H", 0x1234, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def skip_name(message, at):
    while message[at] != 0:
        if message[at] >= 0xc0:
            return at + 2
        at += message[at] + 1
    return at + 1


def addresses_in(message, kind):
    """The addresses in answers and additional records."""
    questions, *counts = struct.unpack_from("!4H", message, 4)
    at, found = 12, set()
    for _ in range(questions):
        at = skip_name(message, at) + 4
    for _ in range(sum(counts)):
        at = skip_name(message, at)
        is_kind, _, _, length = struct.unpack_from("!HHIH", message, at)
        at += 10
        if is_kind == kind:
            found.add(str(ipaddress.ip_address(message[at:at + length])))
        at += length
    return found


def ask_socket(interface, over_ipv6):
    if over_ipv6:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        index = socket.if_nametoindex(interface)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        return sock, ("ff02::fb", PORT, 0, index)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.0.0.1"))
    return sock, ("224.0.0.251", PORT)


def resolve(name, kind=A, *, interface="tap0", over_ipv6=False, seconds=PATIENCE):
    """The addresses of a name, or an empty set if nobody answers."""
    sock, group = ask_socket(interface, over_ipv6)
    deadline = time.monotonic() + seconds
    with sock:
        sock.settimeout(0.5)
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                sock.sendto(question(name, kind), group)
                found = addresses_in(sock.recv(2000), kind)
                if found:
                    return found
    return set()

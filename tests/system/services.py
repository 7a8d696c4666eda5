# SPDX-License-Identifier: BSD-2-Clause
"""What each TCP service does on its own connection, over IPv4 and IPv6."""

import json
import socket
import struct

import host

HTTP, IPERF, NETPERF = 80, 5001, 12865
TCP_PORTS = (host.ECHO, host.SINK, host.SOURCE, HTTP, IPERF, NETPERF)
ESTABLISHED = 1  # in TCP_INFO
UNKNOWN_MESSAGE = struct.pack("!I", 999) + bytes(652)  # of netperf's, and its answer is as long


def is_open(sock):
    """True if the guest has neither closed nor reset it. Reading would count as progress."""
    state = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state == ESTABLISHED


def statistics_by_http(address):
    with host.tcp_socket(address, HTTP) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        head, _, body = host.receive_to_end(sock).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 "), head
    return json.loads(body)


def works(address, port, length=100_000):
    """Checks that the service works on a further connection."""
    if port == host.ECHO:
        host.tcp_echo(address, length)
    elif port == host.SOURCE:
        host.source_is_right(address, length)
    elif port == HTTP:
        statistics_by_http(address)
    elif port == NETPERF:
        with host.tcp_socket(address, port) as sock:
            sock.sendall(UNKNOWN_MESSAGE)
            host.receive_exactly(sock, len(UNKNOWN_MESSAGE))
    else:
        with host.tcp_socket(address, port) as sock:
            sock.sendall(bytes(length))
            assert is_open(sock)

# SPDX-License-Identifier: BSD-2-Clause
"""The common part of all clients: threads, sockets, and bytes that can be compared."""

import collections
import contextlib
import errno
import random
import select
import socket
import struct
import threading
import time
import traceback

import host
from watch import Gaps

BLOCK = random.Random(2020).randbytes((1 << 20) + 7)  # a length that meets no other period
LONGEST = 1 << 18
STREAM = BLOCK + BLOCK[:LONGEST]
COUNTING = bytes(range(256)) * (LONGEST // 256 + 1)  # what the guest's source sends
PATIENCE = 60  # timeout in seconds for a step of a connection, whatever happens
AWAY = {errno.EHOSTUNREACH, errno.ENETUNREACH}
LINGER_NOT = struct.pack("ii", 1, 0)


def piece(data, period, at, length):
    """A part of an endless stream."""
    return data[at % period:at % period + length]


class Worker(threading.Thread):
    """A client of one service: work() runs until told() says that it must end."""

    service = ""  # as in the table of totals

    def __init__(self, address, seed):
        super().__init__(daemon=True)
        self.address = address
        self.random = random.Random(f"{seed} {self.service} {address}")
        self.totals = collections.Counter()
        self.gaps = Gaps()
        self.failure = None
        self.end = threading.Event()

    def __str__(self):
        return f"{self.service} {self.address}"

    def run(self):
        try:
            self.work()
        except Exception as error:  # pylint: disable=broad-except
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.failure = (f"{self}: {type(error).__name__}: {error} "
                            f"({where.filename.rpartition('/')[2]}:{where.lineno})")

    def work(self):
        raise NotImplementedError

    def told(self):
        """That it is to end."""
        return self.end.is_set()

    def size(self, most):
        """Small and large sizes, each order of magnitude equally often."""
        return int(most ** self.random.random())

    @contextlib.contextmanager
    def connection(self, port):
        """A TCP connection. A neighbour that was away for seconds is unreachable at first."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                sock = socket.create_connection((self.address, port), timeout=PATIENCE)
                break
            except OSError as error:
                if isinstance(error, TimeoutError) or time.monotonic() > deadline:
                    raise
                if error.errno not in AWAY:
                    raise
                self.totals["unreachable"] += 1
                time.sleep(0.2)
        with sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.totals["connections"] += 1
            yield sock

    def receive(self, sock, seconds=PATIENCE):
        """Some bytes; none at the end of the stream."""
        assert select.select([sock], [], [], seconds)[0], f"nothing came for {seconds} s"
        return sock.recv(LONGEST)

    def receive_end(self, sock):
        assert not self.receive(sock), "more came than was sent"


class Datagrams(Worker):
    """A client that uses each address for one datagram only."""

    def socket(self, port):
        return host.udp_socket(self.address, port)

    def send(self, sock, data):
        """Whether it could be sent."""
        try:
            sock.send(data)
            return True
        except OSError:  # a neighbour that is away, or an ICMP error
            self.totals["not sent"] += 1
            time.sleep(0.02)
            return False

    def answer(self, sock, seconds):
        """A datagram, or None."""
        try:
            if select.select([sock], [], [], max(0, seconds))[0]:
                return sock.recv(65536)
        except OSError:
            time.sleep(0.02)
        return None

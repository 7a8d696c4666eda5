# SPDX-License-Identifier: BSD-2-Clause
"""Clients of the services over TCP: every byte is compared."""

import json
import select
import socket
import time

import host
from worker import (BLOCK, COUNTING, LINGER_NOT, LONGEST, PATIENCE, STREAM, Worker, piece)

HTTP = 80
IN_FLIGHT = 1 << 20  # maximum of bytes on their way through an echo
CHURN_MAX = 1 << 18
SOURCE_MAX = 1 << 28


class Echo(Worker):
    """One connection, from its start to its end."""

    service = "TCP echo"

    def __init__(self, address, seed, number=0):
        self.number = number
        super().__init__(address, f"{seed} {number}")

    def __str__(self):
        return f"{super().__str__()} #{self.number}"

    def work(self):
        with self.connection(host.ECHO) as sock:
            self.echo(sock, self.told)

    def echo(self, sock, enough):
        """Sends and compares until told to end, then up to the end of the stream."""
        sock.setblocking(False)
        start = self.random.randrange(len(BLOCK))  # connections have bytes of their own
        sent = received = 0
        while not enough() or received < sent:
            more = not enough() and sent - received < IN_FLIGHT
            readable, writable, _ = select.select([sock], [sock] if more else [], [], PATIENCE)
            assert readable or writable, f"stands still at {received} of {sent} bytes"
            if writable:
                sent += sock.send(piece(STREAM, len(BLOCK), start + sent, self.size(1 << 17)))
            if readable:
                data = sock.recv(LONGEST)
                assert data, f"the guest has ended it after {received} of {sent} bytes"
                host.compare(piece(STREAM, len(BLOCK), start + received, len(data)), data,
                             f"{self} from byte {received}")
                received += len(data)
                self.totals["bytes"] += len(data)
                self.totals["messages"] += 1
                self.gaps.mark()
        sock.shutdown(socket.SHUT_WR)
        self.receive_end(sock)


class Churn(Echo):
    """Short connections, one after the other."""

    service = "TCP echo, short"

    def work(self):
        while not self.told():
            length = self.size(CHURN_MAX)
            before = self.totals["bytes"]
            with self.connection(host.ECHO) as sock:
                self.echo(sock, lambda: self.totals["bytes"] - before >= length)  # noqa: B023
            self.gaps.forget()  # a lost SYN has a second to wait


class Sink(Worker):
    service = "TCP sink"

    def work(self):
        while not self.told():
            most = self.size(SOURCE_MAX)
            sent = 0
            with self.connection(host.SINK) as sock:
                sock.setblocking(False)
                while not self.told() and sent < most:
                    assert select.select([], [sock], [], PATIENCE)[1], "the sink takes nothing"
                    now = sock.send(piece(STREAM, len(BLOCK), sent, self.size(LONGEST)))
                    sent += now
                    self.totals["bytes"] += now
                sock.shutdown(socket.SHUT_WR)
                self.receive_end(sock)


class Source(Worker):
    service = "TCP source"

    def work(self):
        while not self.told():
            most, received = self.size(SOURCE_MAX), 0
            with self.connection(host.SOURCE) as sock:
                self.gaps.forget()
                while not self.told() and received < most:
                    data = self.receive(sock)
                    assert data, f"the source has ended after {received} bytes"
                    host.compare(piece(COUNTING, 256, received, len(data)), data,
                                 f"{self} from byte {received}")
                    received += len(data)
                    self.totals["bytes"] += len(data)
                    self.gaps.mark()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)


class Statistics(Worker):
    """Over HTTP; counters go up only."""

    service = "statistics"
    UP = ("rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "interrupts", "recoveries")

    def work(self):
        before = {"clock_ns": 0, **{name: 0 for name in self.UP}}
        while not self.end.wait(0.05):
            figures = self.get()
            now = {"clock_ns": figures["clock_ns"],
                   **{name: figures["cards"][0]["counters"][name] for name in self.UP}}
            down = [name for name, value in now.items() if value < before[name]]
            assert not down, f"went down: {down} from {before} to {now}"
            before = now
            self.totals["messages"] += 1

    def get(self):
        data = b""
        with self.connection(HTTP) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while part := self.receive(sock):
                data += part
            # the guest closed first: reset, so that it keeps nothing of the connection
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        head, _, body = data.partition(b"\r\n\r\n")
        assert b" 200 " in head.partition(b"\r\n")[0], head
        self.totals["bytes"] += len(data)
        return json.loads(body)


def figures_at_rest(address, good, seconds):
    """The guest's statistics as soon as they are acceptable, or the last ones after some seconds."""
    asker = Statistics(address, 0)
    deadline = time.monotonic() + seconds
    while True:
        figures = asker.get()
        if good(figures) or time.monotonic() > deadline:
            return figures
        time.sleep(0.25)

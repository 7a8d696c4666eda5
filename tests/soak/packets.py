# SPDX-License-Identifier: BSD-2-Clause
"""Clients over UDP and ICMP: answers are compared, missing ones are counted."""

import collections
import random
import socket
import struct
import time

import host
from watch import STALL
from worker import BLOCK, COUNTING, STREAM, Datagrams, piece

WAIT = 0.2  # seconds until an answer counts as lost
INTERVAL = 0.05  # of pings
REMEMBERED = 20000  # requests whose answers may still come: those of a minute
LARGE = 8000  # bytes of a datagram in fragments
V6_REQUEST, V6_REPLY = 128, 129


class Asked:
    """Numbered questions, each for one answer."""

    def __init__(self, worker):
        self.worker = worker
        self.waiting = collections.OrderedDict()  # number: question
        self.late = collections.OrderedDict()

    def put(self, number, question):
        self.waiting[number] = question

    def take(self, number, answer):
        """An answer has come."""
        question = self.waiting.pop(number, None)
        if question is None:
            question = self.late.pop(number, None)
            assert question is not None, f"answer {number} to nothing, or one that came twice"
            self.worker.totals["late"] += 1
            self.worker.totals["lost"] -= 1
        host.compare(question, answer, f"{self.worker}, answer {number}")
        self.worker.totals["messages"] += 1
        self.worker.totals["bytes"] += len(answer)

    def give_up(self, count=None):
        """The oldest ones, or all, are lost, unless they are only late."""
        for _ in range(len(self.waiting) if count is None else count):
            number, question = self.waiting.popitem(last=False)
            self.late[number] = question
            self.worker.totals["lost"] += 1
        while len(self.late) > REMEMBERED:
            self.late.popitem(last=False)


class UdpEcho(Datagrams):
    service = "UDP echo"

    def work(self):
        asked, number = Asked(self), 0
        with self.socket(host.ECHO) as sock:
            while not self.told():
                for _ in range(self.random.randint(1, 16)):
                    number += 1
                    question = struct.pack("!Q", number) + piece(
                        STREAM, len(BLOCK), number * 77, self.random.randint(0, self.longest()))
                    if self.send(sock, question):
                        asked.put(number, question)
                deadline = time.monotonic() + WAIT
                while asked.waiting and (data := self.answer(sock, deadline - time.monotonic())):
                    asked.take(int.from_bytes(data[:8], "big"), data)
                    self.gaps.mark()
                asked.give_up()

    def longest(self):
        return LARGE if self.random.random() < 0.05 else host.UDP_MAX - 8


class UdpSink(Datagrams):
    """The bytes counted by the sink; others were lost."""

    service = "UDP sink"

    def work(self):
        sent = counted = number = 0
        with self.socket(host.SINK) as sock:
            first = None
            while not self.told():
                number += 1
                question = b"STAT" + struct.pack("!I", number)
                if self.send(sock, question):
                    answer = self.answer(sock, WAIT)
                    while answer and answer[:8] != question:
                        answer = self.answer(sock, WAIT)
                    if answer:
                        counted = struct.unpack("!Q", answer[8:16])[0]
                        first = counted if first is None else first
                        assert counted - first <= sent, f"{counted - first} of {sent} are counted"
                if first is not None:
                    for _ in range(self.random.randint(1, 300)):
                        sent += self.send(sock, piece(STREAM, len(BLOCK), sent, self.size(1472)))
        self.totals["messages"] = counted - (first or 0)
        self.totals["lost"] = sent - self.totals["messages"]


class UdpSource(Datagrams):
    service = "UDP source"

    def work(self):
        while not self.told():
            count, size = self.random.randint(1, 2000), self.random.randint(4, 1472)
            with self.socket(host.SOURCE) as sock:
                if not self.send(sock, b"SEND" + struct.pack("!II", count, size)):
                    continue
                missing = set(range(count))
                while missing and (data := self.answer(sock, WAIT)):
                    number = int.from_bytes(data[:4], "big")
                    assert number in missing, f"datagram {number} of {count} came twice or unasked"
                    missing.remove(number)
                    host.compare(COUNTING[:size - 4], data[4:], f"{self}, datagram {number}")
                    self.totals["messages"] += 1
                    self.totals["bytes"] += size
                self.totals["lost"] += len(missing)


class Ping(Datagrams):
    """At steady intervals: what shows a stall."""

    service = "ping"

    def __init__(self, address, seed):
        super().__init__(address, seed)
        self.six = ":" in address
        self.identifier = random.SystemRandom().randrange(1 << 16)

    def socket(self, port):
        if self.six:
            sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        else:
            sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        sock.connect((self.address, 0))
        return sock

    def work(self):
        asked = Asked(self)
        due = time.monotonic()
        with self.socket(0) as sock:
            for number in range(1 << 30):
                if self.told():
                    return
                payload = struct.pack("!Q", number) + piece(
                    STREAM, len(BLOCK), number * 77, self.size(1400))
                kind = V6_REQUEST if self.six else 8
                if self.send(sock, host.icmp_packet(kind, self.identifier, number & 0xffff,
                                                    payload)):
                    asked.put(number, payload)
                due = max(due + INTERVAL, time.monotonic())
                self.collect(sock, asked, due)
                while asked.waiting and number - next(iter(asked.waiting)) > STALL / INTERVAL:
                    asked.give_up(1)

    def collect(self, sock, asked, until):
        while (left := until - time.monotonic()) > 0:
            packet = self.answer(sock, left)
            if packet is None:
                continue
            message = packet if self.six else packet[(packet[0] & 15) * 4:]
            reply = V6_REPLY if self.six else 0
            if message[0] == reply and message[4:6] == struct.pack("!H", self.identifier):
                asked.take(int.from_bytes(message[8:16], "big"), message[8:])
                self.gaps.mark()

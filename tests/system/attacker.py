# SPDX-License-Identifier: BSD-2-Clause
"""A TCP peer that acts at random: correct handshakes, then any move, on every service."""

import random
import struct

import host
import station
from services import HTTP, IPERF, NETPERF, TCP_PORTS
from station import ACK, FIN, PSH, RST, SYN, mss, scale

URG = 32
WINDOWS = (0, 0, 0, 1, 2, 3, 95, 500, 1460, 4096, 65535)
LENGTHS = (0, 0, 1, 1, 2, 7, 100, 536, 1000, 1400)
GAPS = (-70000, -1500, -1, 1, 2, 700, 1400, 5000, 65000, 65534, 65535, 262000, 1 << 31)
SYN_OPTIONS = (b"", mss(0), mss(1), mss(65), mss(536), mss(1460), mss(65535), scale(0), scale(3),
               scale(14), scale(255), station.SACK_PERMITTED)
BAD_OPTIONS = (b"\2", b"\2\0", b"\3\3", b"\1\1\1", b"\5\2", b"\5\n" + bytes(8), b"\5\xff", mss(1))
MESSAGE = 656  # bytes of one of netperf's


def netperf_request(source):
    """A request for a test, with mostly random words."""
    words = [source.choice((6, 97, 97, 97, source.getrandbits(32))), 0]
    words += [source.choice((0, 0, 1, 2, 6, 17, 1024, 65536, source.getrandbits(32)))
              for _ in range(162)]
    return struct.pack("!164I", *words)


def iperf_header(source):
    """The header of a client: flags, threads, port, buffer, window, amount."""
    flags = source.choice((0, 1 << 31, 1 << 30, 1 << 28, source.getrandbits(32)))
    return struct.pack("!6I", flags, *(source.choice((0, 1, 5001, source.getrandbits(32)))
                                       for _ in range(5)))


def http_request(source):
    line = source.choice((b"GET / HTTP/1.0", b"HEAD / HTTP/1.1", b"GET " + b"/" * 5000, b"POST / ",
                          b"GET / HTTP/1.1\r\nContent-Length: 99999999999", source.randbytes(60)))
    return line + source.choice((b"\r\n\r\n", b"\n\n", b"\r\n", b"\0", b""))


SPOKEN = {HTTP: http_request, IPERF: iperf_header, NETPERF: netperf_request}


class Play:
    """What the attacker knows of one connection."""

    def __init__(self, connection, words):
        self.connection = connection
        self.words = words  # what the service may process, not sent yet
        self.closed = False  # the attacker's side


class Attacker:
    """Plays on several connections to each service, with a limit of segments. With the same seed
    the moves are the same, as long as the guest's answers are."""

    PLAYS = 3  # to each service

    def __init__(self, peer, seed):
        self.peer, self.random = peer, random.Random(seed)
        self.plays = {}
        self.source = 20000
        self.sent = 0

    def open(self, port):
        self.source = 20000 + (self.source - 19999) % 40000
        isn, window = self.random.getrandbits(32), self.random.choice(WINDOWS)
        options = b"".join(self.random.choice(SYN_OPTIONS) for _ in range(3))
        self.peer.send_segment(self.source, port, isn, 0, SYN, window, options)
        self.sent += 1
        answer = self.peer.wait_segment(
            lambda s: s.port == self.source and s.flags & (SYN | RST), 0.05)
        if answer is None or answer.flags != SYN | ACK:
            return
        connection = station.Connection(self.peer, self.source, port, isn + 1, answer.seq + 1)
        words = SPOKEN.get(port, lambda source: source.randbytes(3000))(self.random)
        self.plays[self.source] = Play(connection, words)
        if self.random.random() < 0.9:  # otherwise it stays half-open
            connection.send(window=window)

    def read(self):
        """Takes received segments. The next move acknowledges most of them."""
        while segment := self.peer.next_segment(0.001):
            play = self.plays.get(segment.port)
            if play is None:
                continue
            if segment.flags & RST:
                del self.plays[segment.port]
            elif self.random.random() < 0.8:
                play.connection.ack = max(play.connection.ack, segment.seq + segment.length)

    def sack(self, it):
        """SACK blocks of sent data, of data not sent, and reversed ones."""
        edges = [(it.ack + self.random.choice((-5000, 0, 1, 1460, 2920, 70000))) & 0xffffffff
                 for _ in range(2 * self.random.randint(1, 4))]
        return struct.pack(f"!BB{len(edges)}I", 5, 2 + 4 * len(edges), *edges)

    # The moves, each on one connection.

    def speak(self, play):
        """Sends the next bytes for the service, in order."""
        length = self.random.choice((1, 4, 24, 100, 656, 1400))
        piece, play.words = play.words[:length], play.words[length:]
        play.connection.send(piece, flags=ACK | PSH, window=self.random.choice(WINDOWS))

    def out_of_place(self, play):
        """Sends other bytes before, behind or overlapping those in order."""
        it = play.connection
        it.send(self.random.randbytes(self.random.choice(LENGTHS)),
                seq=it.seq + self.random.choice(GAPS), window=self.random.choice(WINDOWS))

    def overlap(self, play):
        """Sends one byte beyond a gap, then everything with other bytes."""
        it = play.connection
        it.send(self.random.randbytes(1000), seq=it.seq + 500)
        it.send(self.random.randbytes(1400))

    def acknowledge(self, play):
        """Acknowledges too little, too much, or twice."""
        it = play.connection
        at = it.ack + self.random.choice((0, 0, 0, 1, -1, -100000, 1000, 1 << 30))
        for _ in range(self.random.choice((1, 1, 4))):
            it.send(ack=at, window=self.random.choice(WINDOWS))

    def windows(self, play):
        """Announces a window that shrinks to zero and opens by a byte, or a tiny one all the time."""
        sizes = self.random.choice(((65535, 4096, 100, 0, 1), (1,) * 5, (0, 0, 1, 0), (3, 2, 1)))
        for window in sizes:
            play.connection.send(window=window)

    def lie_by_sack(self, play):
        play.connection.send(options=b"\1\1" + self.sack(play.connection))

    def options(self, play):
        play.connection.send(self.random.randbytes(self.random.choice(LENGTHS)),
                             options=self.random.choice(BAD_OPTIONS))

    def keep_alive(self, play):
        it = play.connection
        it.send(self.random.choice((b"", b"\0")), seq=it.seq - 1)

    def urgent(self, play):
        play.connection.send(b"urgent", flags=ACK | URG)

    def end(self, play):
        """Closes one side and continues, or closes it again."""
        play.connection.send(flags=FIN | ACK, seq=None if not play.closed else play.connection.seq)
        play.closed = True

    def reset(self, play):
        it = play.connection
        it.send(flags=RST | self.random.choice((0, ACK)),
                seq=it.seq + self.random.choice((0, 1, 1000, -1)))

    def begin_again(self, play):
        it = play.connection
        it.send(flags=self.random.choice((SYN, SYN | ACK, SYN | FIN, 0, 63)))

    def forget(self, play):
        del self.plays[play.connection.source]

    MOVES = (speak,) * 6 + (acknowledge,) * 3 + (out_of_place,) * 3 + (overlap, windows, lie_by_sack,
             options, keep_alive, urgent, end, reset, begin_again, forget)

    def step(self):
        port = self.random.choice(TCP_PORTS)
        here = [play for play in self.plays.values() if play.connection.port == port]
        if len(here) < self.PLAYS:
            self.open(port)
            return
        self.random.choice(self.MOVES)(self, self.random.choice(here))
        self.sent += 1

    def play(self, steps, settle=100):
        """Makes this many moves. Between some of them the guest gets time, so that each takes
        effect."""
        for number in range(steps):
            self.step()
            if self.random.random() < 0.2:
                self.read()
            if number % settle == settle - 1:
                host.settle_udp(self.peer.guest)

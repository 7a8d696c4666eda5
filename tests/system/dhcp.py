# SPDX-License-Identifier: BSD-2-Clause
"""A DHCP server (RFC 2131) with one address, in the namespace of the tests."""

import contextlib
import itertools
import socket
import struct
import threading

MAGIC = bytes.fromhex("63825363")
DISCOVER, OFFER, REQUEST, ACK, NAK, RELEASE = 1, 2, 3, 5, 6, 7
MESSAGE_TYPE, HOST_NAME = 53, 12


def options_of(message):
    options, at = {}, 240
    while at < len(message) and message[at] != 255:
        if message[at] == 0:
            at += 1
            continue
        length = message[at + 1]
        options[message[at]] = message[at + 2:at + 2 + length]
        at += 2 + length
    return options


class DhcpServer:
    """Leases an address during the body of the with statement. ignored: number of messages left
    unanswered at first; lease: in seconds; refused: number of requests refused with a NAK at
    first; identifier: the server's address; rogue: address of another server, which refuses each
    request just before; changes: options that replace those of the replies (None: omitted)."""

    def __init__(self, address, prefix_mask="255.255.255.0", interface="tap0", ignored=0, *,
                 lease=3600, refused=0, identifier="10.0.0.1", rogue=None, changes=None):
        self.address, self.mask, self.ignored = address, prefix_mask, ignored
        self.lease, self.refused = lease, refused
        self.identifier, self.rogue, self.changes = identifier, rogue, changes or {}
        self.types, self.names = [], set()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        self.socket.bind(("", 67))
        self.socket.settimeout(0.1)
        self.ended = False
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        self.socket.close()

    @property
    def order(self):
        """The types without those repeated in a row: a client repeats what is not answered in time, and
        this server may be late."""
        return [kind for kind, _ in itertools.groupby(self.types)]

    def serve(self):
        while not self.ended:
            with contextlib.suppress(TimeoutError):
                self.answer(self.socket.recv(2000))

    def answer(self, request):
        options = options_of(request)
        kind = options[MESSAGE_TYPE][0]
        self.types.append(kind)
        self.names.add(options.get(HOST_NAME, b"").decode())
        if len(self.types) <= self.ignored or kind not in (DISCOVER, REQUEST):
            return
        answer = OFFER if kind == DISCOVER else ACK
        if answer == ACK and self.rogue:
            self.send(request, NAK, self.rogue)
        if answer == ACK and self.refused > 0:
            self.refused -= 1
            answer = NAK
        self.send(request, answer, self.identifier)

    def send(self, request, kind, identifier):
        server = socket.inet_aton(identifier)
        reply = (struct.pack("!BBBB", 2, 1, 6, 0) + request[4:8] + bytes(8)
                 + socket.inet_aton(self.address) + server + bytes(4) + request[28:44]
                 + bytes(64 + 128) + MAGIC)
        answers = {MESSAGE_TYPE: bytes((kind,)), 54: server, 51: struct.pack("!I", self.lease),
                   1: socket.inet_aton(self.mask), 3: server} | self.changes
        for number, value in answers.items():
            if value is not None:
                reply += bytes((number, len(value))) + value
        self.socket.sendto(reply + b"\xff", ("255.255.255.255", 68))

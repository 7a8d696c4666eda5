# SPDX-License-Identifier: BSD-2-Clause
"""Packets on a tap as the host's kernel sees them: whole frames, and their pending offloads."""

import dataclasses
import socket
import struct
import threading

from host import checksum, lose_nothing

ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA = 3, 263, 8
TP_STATUS_CSUMNOTREADY = 8
TCP, UDP = 6, 17
CHECKSUM_AT = {TCP: 16, UDP: 6}


@dataclasses.dataclass
class Frame:
    """An IPv4 packet; data: from its header on."""
    outgoing: bool  # towards the guest
    partial: bool  # its checksum is that of the pseudo-header; a card must complete it
    data: bytes

    @property
    def protocol(self):
        return self.data[9]

    @property
    def fragment(self):
        return struct.unpack_from("!H", self.data, 6)[0] & 0x3fff

    @property
    def transport(self):
        return self.data[(self.data[0] & 15) * 4:]

    @property
    def ports(self):
        return struct.unpack_from("!HH", self.transport)

    def checksum_is_right(self, transport=None):
        """The TCP or UDP header; transport: the whole packet of which this is a fragment."""
        transport = transport or self.transport
        pseudo = self.data[12:20] + struct.pack("!HH", self.protocol, len(transport))
        if self.partial:
            at = CHECKSUM_AT[self.protocol]
            return transport[at:at + 2] == struct.pack("!H", checksum(pseudo) ^ 0xffff)
        return checksum(pseudo + transport) == 0


class Capture:
    """Captures the IPv4 packets on the tap during the body of the with statement."""

    def __init__(self, tap="tap0"):
        self.frames = []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        lose_nothing(self.socket)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.bind((tap, 0))
        self.socket.settimeout(0.2)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.ended = False

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        self.socket.close()

    def read(self):
        while True:
            try:
                data, ancillary, _, address = self.socket.recvmsg(1 << 17, 256)
            except TimeoutError:
                if self.ended:
                    return
                continue
            if data[12:14] != b"\x08\0":
                continue
            status = next((struct.unpack_from("I", value)[0] for level, kind, value in ancillary
                           if (level, kind) == (SOL_PACKET, PACKET_AUXDATA)), 0)
            length = struct.unpack_from("!H", data, 16)[0]  # Ethernet frames may be padded
            self.frames.append(Frame(address[2] == socket.PACKET_OUTGOING,
                                     bool(status & TP_STATUS_CSUMNOTREADY), data[14:14 + length]))

    def sent(self, protocol):
        """What the guest sent."""
        return [f for f in self.frames if not f.outgoing and f.protocol == protocol]

    def received(self, protocol):
        return [f for f in self.frames if f.outgoing and f.protocol == protocol]

# SPDX-License-Identifier: BSD-2-Clause
"""A TCP peer on the wire that follows no rules: its segments are built field by field."""

import dataclasses
import socket
import struct
import time

import wire6
from guest import PATIENCE
from host import checksum
from wire import ARP, IPV4, STATION, Wire, arp_request, ip_packet, ipv4, mac_bytes, parse

TCP = 6
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
EVERYBODY = "ff:ff:ff:ff:ff:ff"


def mss(value):
    return struct.pack("!BBH", 2, 4, value)


def scale(shift):
    return struct.pack("!BBBB", 3, 3, shift, 1)


SACK_PERMITTED = b"\4\2\1\1"


@dataclasses.dataclass
class Segment:
    sender: str
    source: int
    port: int
    seq: int
    ack: int
    flags: int
    window: int
    options: bytes
    data: bytes

    @property
    def length(self):
        return len(self.data) + bool(self.flags & SYN) + bool(self.flags & FIN)


def segment_of(frame):
    """The TCP segment in a frame, or None."""
    *_, ethertype, packet = parse(frame)
    if ethertype == IPV4 and packet[9] == TCP:
        total, = struct.unpack_from("!H", packet, 2)
        sender, tcp = socket.inet_ntoa(packet[12:16]), packet[(packet[0] & 15) * 4:total]
    elif ethertype == wire6.IPV6 and packet[6] == TCP:
        length, = struct.unpack_from("!H", packet, 4)
        sender = socket.inet_ntop(socket.AF_INET6, packet[8:24])
        tcp = packet[40:40 + length]
    else:
        return None
    source, port, seq, ack, offset, flags, window = struct.unpack_from("!HHIIBBH", tcp)
    header = (offset >> 4) * 4
    return Segment(sender, source, port, seq, ack, flags, window, tcp[20:header], tcp[header:])


class Station(Wire):
    """A host beside ours, with an address of the guest's family, which the guest can resolve."""

    def __init__(self, guest, mac, address):
        super().__init__()
        self.guest, self.mac, self.address = guest, mac, address
        self.over_ipv6 = ":" in address

    def __enter__(self):
        if self.over_ipv6:
            to, packet = wire6.solicitation(self.address, self.guest)
            self.send(to, wire6.IPV6, packet)
        else:
            self.send(EVERYBODY, ARP, arp_request(self.guest, self.address))
        return self

    def send_packet(self, protocol, payload):
        if self.over_ipv6:
            packet = wire6.packet(self.address, self.guest, protocol, payload)
        else:
            packet = ip_packet(self.address, self.guest, protocol, payload)
        self.send(self.mac, wire6.IPV6 if self.over_ipv6 else IPV4, packet)

    def send_segment(self, source, port, seq, ack, flags, window=65535, options=b"", data=b""):
        if self.over_ipv6:
            pseudo = wire6.ipv6(self.address) + wire6.ipv6(self.guest)
        else:
            pseudo = ipv4(self.address) + ipv4(self.guest)
        options = options.ljust(-len(options) % 4 + len(options), b"\0")
        tcp = bytearray(struct.pack("!HHIIBBHHH", source, port, seq & 0xffffffff, ack & 0xffffffff,
                                    (20 + len(options)) << 2, flags, window, 0, 0)
                        + options + data)
        tcp[16:18] = struct.pack("!H", checksum(pseudo + struct.pack("!II", len(tcp), TCP)
                                                + bytes(tcp)))
        self.send_packet(TCP, bytes(tcp))

    def answer(self, frame):
        """Answers requests for this station's Ethernet address."""
        *_, ethertype, packet = parse(frame)
        if (not self.over_ipv6 and ethertype == ARP and packet[6:8] == b"\0\1"
                and packet[24:28] == ipv4(self.address)):
            self.send(self.mac, ARP, struct.pack("!HHBBH", 1, IPV4, 6, 4, 2) + mac_bytes(STATION)
                      + ipv4(self.address) + packet[8:18] + bytes(18))
        solicited = self.over_ipv6 and wire6.icmp6_of(frame, wire6.SOLICITATION)
        if solicited and solicited[8:24] == wire6.ipv6(self.address):
            body = struct.pack("!I", 0x60000000) + solicited[8:24] \
                + struct.pack("!BB", 2, 1) + mac_bytes(STATION)
            self.send(self.mac, wire6.IPV6,
                      wire6.icmp6(self.address, self.guest, wire6.ADVERTISEMENT, body))

    def next_segment(self, seconds=PATIENCE):
        """The guest's next segment to this station, or None."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            frame = self.receive(left)
            if frame is None:
                break
            if not self.over_ipv6 or frame[:6] == mac_bytes(STATION) or frame[0] & 1:
                self.answer(frame)
            if frame[:6] == mac_bytes(STATION) and (segment := segment_of(frame)):
                return segment
        return None

    def wait_segment(self, wanted, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            segment = self.next_segment(left)
            if segment is not None and wanted(segment):
                return segment
        return None

    def connect(self, source, port, *, window=65535, options=b"", seq=1000):
        """The guest's answer to a SYN, which is then acknowledged; the connection."""
        self.send_segment(source, port, seq, 0, SYN, window, options)
        answer = self.wait_segment(lambda s: s.port == source and s.flags & (SYN | RST))
        assert answer and answer.flags == SYN | ACK, f"port {port}: {answer}"
        assert answer.ack == (seq + 1) & 0xffffffff
        connection = Connection(self, source, port, seq + 1, answer.seq + 1)
        connection.send(window=window)
        return connection


class Connection:
    """The station's state: seq is its own next byte, ack the guest's."""

    def __init__(self, station, source, port, seq, ack):
        self.station, self.source, self.port, self.seq, self.ack = station, source, port, seq, ack

    def send(self, data=b"", *, flags=ACK, window=65535, options=b"", seq=None, ack=None):
        """Sends a segment; without seq, the next one."""
        at = self.seq if seq is None else seq
        self.station.send_segment(self.source, self.port, at, self.ack if ack is None else ack,
                                  flags, window, options, data)
        if seq is None:
            self.seq += len(data) + bool(flags & FIN)

    def receive(self, wanted=lambda segment: True, seconds=PATIENCE):
        return self.station.wait_segment(lambda s: s.port == self.source and wanted(s), seconds)

    def reset(self):
        self.send(flags=RST)

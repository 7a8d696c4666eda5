# SPDX-License-Identifier: BSD-2-Clause
"""Frames on a tap, byte by byte, as a station unknown to the host's kernel."""

import contextlib
import socket
import struct
import time

from guest import PATIENCE
from host import checksum, icmp_packet, lose_nothing

SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 263, 8, 4
TP_STATUS_VLAN_VALID = 0x10
ARP, IPV4, VLAN = 0x0806, 0x0800, 0x8100
ALL_STATIONS = "ff:ff:ff:ff:ff:ff"
STATION = "02:00:00:00:00:99"


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def tag(tci):
    """An IEEE 802.1Q tag, which precedes the EtherType; None: none."""
    return b"" if tci is None else struct.pack("!HH", VLAN, tci)


class Wire:
    """Sends and receives whole frames, in a with statement."""

    def __init__(self, interface="tap0"):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
        lose_nothing(self.sock)
        self.sock.bind((interface, 3))
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, to, ethertype, payload, tci=None, sender=STATION):
        self.sock.send(mac_bytes(to) + mac_bytes(sender) + tag(tci)
                       + struct.pack("!H", ethertype) + payload)

    def receive(self, seconds):
        """The guest's next frame as it was on the wire, or None."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.sock.settimeout(left)
            with contextlib.suppress(TimeoutError):
                frame, auxiliary, _, address = self.sock.recvmsg(70000, 256)
                if address[2] != PACKET_OUTGOING:
                    return self.with_tag(frame, auxiliary)
        return None

    @staticmethod
    def with_tag(frame, auxiliary):
        """The kernel has removed a tag from the frame: inserts it again."""
        for level, kind, data in auxiliary:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, *_, tci, _ = struct.unpack("=IIIHHHH", data)
                if status & TP_STATUS_VLAN_VALID:
                    return frame[:12] + tag(tci) + frame[12:]
        return frame

    def wait_for(self, wanted, seconds=PATIENCE):
        """The next frame for which wanted(frame) is true, or None."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            frame = self.receive(left)
            if frame is not None and wanted(frame):
                return frame
        return None


def parse(frame):
    """Destination, source, tag's tci or None, EtherType, payload."""
    ethertype, = struct.unpack_from("!H", frame, 12)
    tci, at = None, 14
    if ethertype == VLAN:
        tci, ethertype = struct.unpack_from("!HH", frame, 14)
        at = 18
    return frame[:6].hex(":"), frame[6:12].hex(":"), tci, ethertype, frame[at:]


def ipv4(text):
    return socket.inet_aton(text)


def arp_request(target, sender_ip, sender=STATION):
    return (struct.pack("!HHBBH", 1, IPV4, 6, 4, 1) + mac_bytes(sender) + ipv4(sender_ip)
            + bytes(6) + ipv4(target)).ljust(46, b"\0")


def is_gratuitous(frame, address):
    """True for an ARP message in which a station announces its own address."""
    *_, ethertype, payload = parse(frame)
    return (ethertype == ARP and payload[14:18] == ipv4(address)
            and payload[24:28] == ipv4(address))


def ip_packet(sender, to, protocol, payload):
    def header(total):
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, total,
                           ipv4(sender), ipv4(to))
    return header(checksum(header(0))) + payload


def udp_packet(sender, to, sender_port, port, payload):
    return ip_packet(sender, to, 17, struct.pack("!HHHH", sender_port, port, 8 + len(payload), 0)
                     + payload)


def arp_reply(wire, target, sender_ip, tci=None, seconds=PATIENCE):
    """Requests a station's address and returns its reply's source and tci, or None."""
    wire.send(ALL_STATIONS, ARP, arp_request(target, sender_ip), tci)
    frame = wire.wait_for(lambda frame: parse(frame)[3] == ARP and parse(frame)[4][6:8] == b"\0\2"
                          and parse(frame)[4][14:18] == ipv4(target), seconds)
    return frame and parse(frame)[1:3]


def echo_request(target, sender_ip, payload):
    return ip_packet(sender_ip, target, 1, icmp_packet(8, 7, len(payload), payload))


def ping_reply(wire, mac, target, sender_ip, tci=None, length=56, seconds=PATIENCE):
    """Sends an echo request and returns its reply's tci as a list of one, or None."""
    payload = (bytes(range(256)) * (length // 256 + 1))[:length]
    expected = icmp_packet(0, 7, length, payload)
    wire.send(mac, IPV4, echo_request(target, sender_ip, payload), tci)
    frame = wire.wait_for(lambda frame: parse(frame)[3] == IPV4
                          and parse(frame)[4][20:20 + len(expected)] == expected, seconds)
    return frame and [parse(frame)[2]]

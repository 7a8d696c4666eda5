# SPDX-License-Identifier: BSD-2-Clause
"""IPv6 packets byte by byte, to be sent and found by wire.Wire."""

import socket
import struct

from host import checksum
from wire import STATION, mac_bytes, parse

IPV6, VLAN_TYPE = 0x86dd, 0x8100
ICMP6, UDP = 58, 17
ECHO_REQUEST, ECHO_REPLY, MLD_REPORT = 128, 129, 131
ROUTER_ADVERTISEMENT, SOLICITATION, ADVERTISEMENT = 134, 135, 136
ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"
ROUTER = "fe80::99"
SOURCE = struct.pack("!BB", 1, 1) + mac_bytes(STATION)  # an option: who speaks


def ipv6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def group_mac(group):
    return "33:33:" + ipv6(group)[12:].hex(":")


def packet(sender, to, protocol, payload, hops=255):
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, hops) + ipv6(sender) + ipv6(to) \
        + payload


def summed(sender, to, protocol, payload, at):
    """The packet with its checksum at that offset of the payload."""
    pseudo = ipv6(sender) + ipv6(to) + struct.pack("!II", len(payload), protocol)
    total = struct.pack("!H", checksum(pseudo + payload))
    return packet(sender, to, protocol, payload[:at] + total + payload[at + 2:])


def icmp6(sender, to, kind, body):
    return summed(sender, to, ICMP6, struct.pack("!BBH", kind, 0, 0) + body, 2)


def udp6(sender, to, sender_port, port, payload):
    header = struct.pack("!HHHH", sender_port, port, 8 + len(payload), 0)
    return summed(sender, to, UDP, header + payload, 6)


def router_advertisement(prefix, lifetime=600, valid=3600):
    """A router advertisement of the station, with a prefix for addresses on the link."""
    body = struct.pack("!BBHII", 64, 0, lifetime, 0, 0)
    body += SOURCE
    body += struct.pack("!BBBBIII", 3, 4, 64, 0xc0, valid, 1800, 0) + ipv6(prefix)
    return icmp6(ROUTER, ALL_NODES, ROUTER_ADVERTISEMENT, body)


def solicitation(sender, target, option=SOURCE):
    group = ipv6("ff02::1:ff00:0")[:13] + ipv6(target)[13:]
    to = socket.inet_ntop(socket.AF_INET6, group)
    body = bytes(4) + ipv6(target) + option
    return group_mac(to), icmp6(sender, to, SOLICITATION, body)


def icmp6_of(frame, kind):
    """The ICMPv6 message of a frame from its type on, or None if there is none."""
    *_, ethertype, payload = parse(frame)
    if ethertype != IPV6:
        return None
    at = 48 if payload[6] == 0 else 40  # behind a hop-by-hop header, as MLD has it
    protocol = payload[40] if payload[6] == 0 else payload[6]
    return payload[at:] if protocol == ICMP6 and payload[at] == kind else None

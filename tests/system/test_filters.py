# SPDX-License-Identifier: BSD-2-Clause
"""Multicast groups: frames of joined ones arrive, and the card filters the others."""

import socket
import time

import pytest

import host
from test_stats import by_udp
from wire import IPV4, Wire, ip_packet, parse, udp_packet

GROUP, OTHER, SAME_MAC = "239.1.2.3", "239.1.2.4", "239.129.2.3"
OURS = "10.0.0.1"
STRAY = 5  # unrelated frames of the host that may arrive


def received(guest):
    return by_udp(guest.address)["cards"][0]["counters"]["rx_packets"]


def group_mac(group):
    octets = socket.inet_aton(group)
    return f"01:00:5e:{octets[1] & 0x7f:02x}:{octets[2]:02x}:{octets[3]:02x}"


def send_to_group(wire, group, count=1, payload=b"multicast"):
    for _ in range(count):
        wire.send(group_mac(group), IPV4, udp_packet(OURS, group, 7777, host.ECHO, payload))


def echo(wire, payload=b"multicast", seconds=0.3):
    """The echo of a datagram, or None."""
    return wire.wait_for(lambda frame: parse(frame)[4][28:28 + len(payload)] == payload, seconds)


@pytest.mark.parametrize("device, append", [("disable-modern=on", ""), ("disable-legacy=on", ""),
                                            ("", "features=-ctrl_rx")])
def test_a_group_is_received_and_others_are_not(boot, device, append):
    """With a filter, frames of other groups do not reach the driver; without one they are not
    answered."""
    guest = boot(f"join={GROUP} {append}", device=device).wait_ready()
    guest.wait_for(f"^vtnet: joined {GROUP}")
    host.ping(guest.address, count=3)
    with Wire() as wire:
        send_to_group(wire, GROUP)
        answer = echo(wire, seconds=host.PATIENCE)
        assert parse(answer)[4][12:16] == socket.inet_aton(guest.address)
        before = received(guest)
        send_to_group(wire, OTHER, 50)
        assert echo(wire) is None
        filtered = received(guest) - before
        if append:
            assert 50 <= filtered <= 50 + 1 + STRAY
        else:
            assert filtered <= 1 + STRAY  # the question
        # another group with the same Ethernet address passes the card, but not the stack
        before = received(guest)
        send_to_group(wire, SAME_MAC, 50)
        assert echo(wire) is None
        assert received(guest) - before >= 50
    host.serves(guest.address)


def test_the_group_is_reported(boot):
    """The guest reports its groups to switches by IGMP (RFC 2236), and answers queries."""
    def is_report(frame):
        *_, ethertype, packet = parse(frame)
        return (ethertype == IPV4 and packet[9] == 2
                and packet[(packet[0] & 15) * 4:][4:8] == socket.inet_aton(GROUP))

    with Wire() as wire:
        guest = boot(f"join={GROUP}").wait_ready()
        report = wire.wait_for(is_report)
        assert parse(report)[0] == group_mac(GROUP)
        query = b"\x11\x0a" + b"\0\0" + bytes(4)  # general, answers within 1 s
        query = query[:2] + host.checksum(query).to_bytes(2, "big") + query[4:]
        time.sleep(0.1)
        wire.send("01:00:5e:00:00:01", IPV4, ip_packet(OURS, "224.0.0.1", 2, query))
        assert wire.wait_for(is_report)
    host.serves(guest.address)


def test_a_group_beside_a_vlan(boot):
    """The filters of both cards hold at the same time."""
    guest = boot(f"join={GROUP} vlan=5").wait_ready()
    with Wire() as wire:
        wire.send(group_mac(GROUP), IPV4, udp_packet(OURS, GROUP, 7777, 7, b"untagged"))
        assert echo(wire, b"untagged") is None
        # its answer begins with an ARP request for our Ethernet address
        wire.send(group_mac(GROUP), IPV4, udp_packet(OURS, GROUP, 7777, 7, b"tagged"), 5)
        assert wire.wait_for(lambda frame: parse(frame)[2:4] == (5, 0x0806))
    guest.assert_well()


STRANGER = "02:00:00:00:00:99"


@pytest.mark.parametrize("device, append, told", [
    ("", "features=-mac", True),
    ("", "features=-mac,-ctrl_mac_addr", False),
    ("", "features=-mac,-ctrl_vq", False),
    ("", "mac=02:00:00:00:00:42 features=-ctrl_mac_addr", False),
    ("disable-modern=on", "features=-mac", True),
    ("disable-modern=on", "features=-mac,-ctrl_mac_addr", True),  # by the field
    ("disable-modern=on,vectors=0", "mac=02:00:00:00:00:42 features=-ctrl_mac_addr", True)],
    ids=["told", "untold", "no-queue", "chosen", "legacy", "field", "field-intx"])
def test_frames_for_an_address_that_is_not_the_device_s(boot, device, append, told):
    """The driver sets the device's address, or otherwise lets it receive frames for all addresses."""
    guest = boot(append, device=device).wait_ready()
    host.ping(guest.address, count=3)
    before = received(guest)
    with Wire() as wire:
        for _ in range(50):
            wire.send(STRANGER, IPV4, udp_packet(OURS, guest.address, 7777, host.ECHO, b"stranger"))
    strangers = received(guest) - before
    assert strangers <= 1 + STRAY if told else strangers >= 50
    host.ping(guest.address, count=3)

# SPDX-License-Identifier: BSD-2-Clause
"""VLAN tags (IEEE 802.1Q): a guest receives only its VLAN, and sends to it."""

import dataclasses
import struct

import pytest

import host
from guest import ADDRESS, Guest
from wire import (ALL_STATIONS, ARP, IPV4, STATION, Wire, arp_reply, arp_request, echo_request, parse,
                  ping_reply, udp_packet)

DEVICES = ["disable-modern=on", "disable-legacy=on"]
OURS = "10.0.0.9"
GUEST = ADDRESS
QUIET = 0.3  # seconds in which there must be no answer


def priority(number):
    return number << 13


def assert_deaf(wire, mac, tcis):
    """Requests with such tags find no answer."""
    for tci in tcis:
        wire.send(ALL_STATIONS, ARP, arp_request(GUEST, OURS), tci)
        wire.send(mac, IPV4, echo_request(GUEST, OURS, b"deaf?"), tci)
    assert wire.wait_for(lambda frame: parse(frame)[1] == mac, QUIET) is None


@pytest.mark.parametrize("device, append", [*((device, "") for device in DEVICES),
                                            ("", "features=-ctrl_vlan")])
def test_only_its_vlan(boot, device, append):
    """With and without the device's filter, a VLAN's guest serves that VLAN only."""
    guest = boot(f"vlan=5 {append}", device=device).wait_ready()
    assert ("ctrl_vlan" in guest.wait_for("features accepted: (.*)")[1]) == (not append)
    with Wire() as wire:
        mac, tci = arp_reply(wire, GUEST, OURS, 5)
        assert tci == 5
        for length in (0, 1, 56, 1400, 1472):
            assert ping_reply(wire, mac, GUEST, OURS, 5, length) == [5]
        assert_deaf(wire, mac, (None, 0, 4, 6, 0xffe, priority(3)))
        assert ping_reply(wire, mac, GUEST, OURS, 5) == [5]
    assert host.pings_answered(GUEST, 1) == 0


def test_priority_is_kept(boot):
    """An answer has its frame's priority, and later frames have their own again."""
    guest = boot("vlan=5").wait_ready()
    with Wire() as wire:
        for number in (7, 0, 1, 6):
            mac, tci = arp_reply(wire, GUEST, OURS, priority(number) | 5)
            assert tci == priority(number) | 5
            assert ping_reply(wire, mac, GUEST, OURS, priority(number) | 5) == [
                priority(number) | 5]
            wire.send(mac, IPV4, udp_packet(OURS, GUEST, 7777, 7, b"echo"), priority(number) | 5)
            frame = wire.wait_for(lambda frame: parse(frame)[4][28:32] == b"echo")
            assert parse(frame)[2] == priority(number) | 5
    guest.assert_well()


def test_longest_packets(boot):
    """Packets of all lengths leave the guest, in fragments where a frame would be too long."""
    boot("vlan=5", device="host_mtu=65535").wait_ready()
    with Wire() as wire:
        mac, _ = arp_reply(wire, GUEST, OURS, 5)
        for length in (65516, 65517, 65518, 65521, 65535):
            order = b"SEND" + struct.pack("!II", 1, length - 28)
            wire.send(mac, IPV4, udp_packet(OURS, GUEST, 7777, 19, order), 5)
            left = length - 20
            while left > 0:
                frame = wire.wait_for(lambda frame: parse(frame)[:4] == (STATION, mac, 5, IPV4))
                assert frame, f"{left} bytes of a packet of {length} are missing"
                left -= len(parse(frame)[4]) - 20
            assert left == 0


@pytest.mark.parametrize("append", ["", "features=-ctrl_vlan"])
def test_without_a_vlan(boot, append):
    """A priority tag is not a VLAN (§6.9.1): such frames are accepted, those of VLANs are not."""
    guest = boot(append).wait_ready()
    host.serves(guest.address)
    with Wire() as wire:
        mac, tci = arp_reply(wire, GUEST, OURS, priority(5))
        assert tci is None
        assert ping_reply(wire, mac, GUEST, OURS, priority(5)) == [None]
        assert_deaf(wire, mac, (5, priority(5) | 5, 0xfff))
    host.serves(guest.address)


def test_through_an_interface_of_the_host(boot):
    """The host as a station of the VLAN: all services, TCP with full-size frames."""
    try:
        host.ip("link", "add", "link", "tap0", "name", "tap0.5", "type", "vlan", "id", "5")
    except AssertionError as error:
        pytest.skip(f"this kernel has no VLAN interfaces (8021q): {error}")
    try:
        host.ip("address", "add", "10.0.5.1/24", "dev", "tap0.5")
        host.ip("link", "set", "tap0.5", "up")
        guest = boot("vlan=5", address="10.0.5.2").wait_ready()
        host.serves(guest.address)
        host.tcp_echo(guest.address, 4 * host.MIB)
        host.burst(guest.address, 300, 1472)
    finally:
        host.ip("link", "del", "tap0.5")


@pytest.fixture(name="bridge")
def fixture_bridge():
    """tap0 and a new tap1, bridged without the host's address."""
    try:
        host.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0")
    except AssertionError as error:
        pytest.skip(f"this system makes no bridge: {error}")
    host.ip("tuntap", "add", "dev", "tap1", "mode", "tap")
    for tap in ("tap0", "tap1"):
        host.ip("link", "set", tap, "master", "br0", "up")
    host.ip("link", "set", "br0", "up")
    yield
    host.ip("link", "del", "br0")
    host.ip("link", "del", "tap1")


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_two_guests_in_a_vlan(arch, boot, bridge, protocol):
    """Transfers at full speed, with the cards' offloads of checksums and segmentation."""
    del bridge
    passive = boot("vlan=5", device="mac=52:54:00:00:00:01").wait_ready()
    image = tuple(word.replace("vtnet-demo", "burst") for word in arch.image)
    with Guest(dataclasses.replace(arch, image=image),
               f"vlan=5 peer={passive.address} proto={protocol} seconds=1", tap="tap1",
               address="10.0.0.3", device="mac=52:54:00:00:00:02") as active:
        assert active.wait_exit() == arch.exit_success
        result = active.wait_for(r"^vtnet: burst: .* sent ([0-9.]+).* received ([0-9.]+)")
    assert float(result[1]) > 0 and float(result[2]) > 0

# SPDX-License-Identifier: BSD-2-Clause
"""Frames from any station on the link to a guest that uses IPv6 or has a name."""

import contextlib
import socket
import struct
import time

import pytest

import host
import names
import wire6
from guest import PATIENCE, Guest
from test_ipv6 import GUEST, GUEST_MAC, OURS, host_addresses
from wire import (ALL_STATIONS, ARP, IPV4, STATION, Wire, arp_request, mac_bytes, parse,
                  udp_packet)

PACKET_TOO_BIG, REDIRECT = 2, 137
ROUTER = wire6.ROUTER


@pytest.fixture(name="guest", scope="module")
def fixture_guest(arch):
    with host_addresses(), Guest(arch, f"ip6={GUEST}/64") as guest:
        guest.wait_for(f"^vtnet: IPv6 address {GUEST}/64$")
        guest.wait_for("^vtnet: name vtnet.local$")
        yield guest


def packet_too_big(mtu, headers=b"", first=wire6.ICMP6):
    """An ICMPv6 error about a packet that the guest sent to us, behind extension headers."""
    sent = wire6.packet(GUEST, OURS, wire6.UDP, bytes(8))
    message = wire6.icmp6(OURS, GUEST, PACKET_TOO_BIG, struct.pack("!I", mtu) + sent)[40:]
    return wire6.packet(OURS, GUEST, first, headers + message)


@pytest.mark.parametrize("mtu", [0, 1, 40, 48, 56, 60, 61, 1279, 1501, 0xffff, 0xffffffff])
def test_packet_too_big(guest, mtu):
    """A path's MTU cannot be set below IPv6's minimum, or above that of the link."""
    host.settle(guest.address)
    with Wire() as wire:
        for headers, first in ((b"", wire6.ICMP6), (struct.pack("!BB6x", 58, 0), 60),
                               (struct.pack("!BBHI", 58, 0, 0, 7), 44)):
            host.udp_echo(GUEST, (10,))
            wire.send(GUEST_MAC, wire6.IPV6, packet_too_big(mtu, headers, first))
            host.udp_echo(GUEST, (10, 1000, 3000))
            host.burst(GUEST, 20, 3000)
            host.tcp_echo(GUEST, 20_000)
    guest.assert_well()


def test_datagram_without_a_checksum(guest):
    """Over IPv4 the datagram would count as one without a checksum."""
    with Wire() as wire:
        for payload, answered in ((b"without", False), (b"with", True)):
            packet = wire6.udp6(OURS, GUEST, 7777, host.ECHO, payload)
            if not answered:
                packet = packet[:46] + b"\0\0" + packet[48:]
            wire.send(GUEST_MAC, wire6.IPV6, packet)
            echo = wire.wait_for(lambda frame, end=payload: frame.endswith(end), 0.5 + 5 * answered)
            assert (echo is not None) == answered
    guest.assert_well()


@pytest.mark.parametrize("sender, target", [
    (ROUTER, "ff02::1"), (ROUTER, "::"), (ROUTER, "2001:db8::5"), (ROUTER, ROUTER), (OURS, OURS)])
def test_redirects_of_strangers(guest, sender, target):
    """Only the router in use may redirect, and only to a router or to the destination itself."""
    with Wire() as wire:
        host.udp_echo(GUEST, (10,))
        body = bytes(4) + wire6.ipv6(target) + wire6.ipv6(OURS) + b"\2\1" + mac_bytes(STATION)
        for headers, first in ((b"", wire6.ICMP6), (struct.pack("!BB6x", wire6.ICMP6, 0), 60)):
            message = wire6.icmp6(sender, GUEST, REDIRECT, body)[40:]
            wire.send(GUEST_MAC, wire6.IPV6, wire6.packet(sender, GUEST, first, headers + message))
        host.udp_echo(GUEST, (10,))
    guest.assert_well()


def test_claims_of_our_address(guest):
    """A confirmed address remains ours."""
    with Wire() as wire:
        body = struct.pack("!I", 0x20000000) + wire6.ipv6(GUEST) + b"\2\1" + mac_bytes(STATION)
        for to, mac in ((wire6.ALL_NODES, wire6.ALL_NODES_MAC), (GUEST, GUEST_MAC)):
            wire.send(mac, wire6.IPV6, wire6.icmp6(ROUTER, to, wire6.ADVERTISEMENT, body))
        guest.wait_for(f"^vtnet: {GUEST} is also claimed by another station; "
                       "this guest keeps it$")
        with host.udp_socket(GUEST, host.ECHO) as sock:
            sock.settimeout(PATIENCE)
            sock.send(b"still there")
            assert sock.recv(100) == b"still there"
    guest.assert_well()


def neighbour_messages(option):
    """One message of each type that would change the guest's entry for OURS, or for a router."""
    target = wire6.ipv6(OURS) + option
    yield OURS, GUEST, wire6.SOLICITATION, bytes(4) + wire6.ipv6(GUEST) + option
    for flags in (0x60000000, 0x20000000):
        yield OURS, GUEST, wire6.ADVERTISEMENT, struct.pack("!I", flags) + target
    router = struct.pack("!BBHII", 64, 0, 600, 0, 0)
    yield ROUTER, wire6.ALL_NODES, wire6.ROUTER_ADVERTISEMENT, router + option
    yield OURS, GUEST, REDIRECT, bytes(4) + wire6.ipv6(OURS) + target


def send_message(wire, message, headers=b"", first=wire6.ICMP6):
    sender, to, kind, body = message
    payload = headers + wire6.icmp6(sender, to, kind, body)[40:]
    wire.send(GUEST_MAC, wire6.IPV6, wire6.packet(sender, to, first, payload))


def echo_goes_to(wire):
    """The Ethernet address of OURS in the guest's cache."""
    payload = b"where"
    wire.send(GUEST_MAC, wire6.IPV6, wire6.udp6(OURS, GUEST, 7777, host.ECHO, payload))
    return parse(wire.wait_for(lambda frame: frame.endswith(payload)))[0]


def option_to(mac, kind, length=1):
    return struct.pack("!BB", kind, length) + mac_bytes(mac)


BEHIND_ATOMIC = struct.pack("!BBHI", wire6.ICMP6, 0, 0, 11), 44
ELSEWHERE = "02:00:00:00:00:98"


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("option, headers", [
    ((ELSEWHERE, 0), ()), ((ELSEWHERE, 2), ()), ((ELSEWHERE, 1), BEHIND_ATOMIC),
    (("01:00:5e:00:00:01", 1), ()), (("33:33:00:00:00:01", 1), ()),
    (("ff:ff:ff:ff:ff:ff", 1), ()), (("00:00:00:00:00:00", 1), ())])
def test_neighbours_that_cannot_be(guest, kind, option, headers):
    """Invalid options, fragmented messages, and addresses that no station can have."""
    mac, length = option
    with Wire() as wire:
        host.udp_echo(GUEST, (10,))
        before = echo_goes_to(wire)
        for message in neighbour_messages(option_to(mac, kind, length)):
            send_message(wire, message, *headers)
            assert echo_goes_to(wire) == before, message[2]
    guest.assert_well()


@pytest.mark.parametrize("cut, answered", [(0, False), (8, True)])
def test_first_fragment_without_all_headers(guest, cut, answered):
    """A datagram behind another header, truncated before or after its own header (RFC 7112 §5)."""
    payload = b"in fragments" + bytes(4)
    datagram = wire6.udp6(OURS, GUEST, 7777, host.ECHO, payload)[40:]
    behind = struct.pack("!BB6x", wire6.UDP, 0) + datagram
    cut += 8
    with Wire() as wire:
        host.udp_echo(GUEST, (10,))
        for at, part, more in ((0, behind[:cut], 1), (cut, behind[cut:], 0)):
            header = struct.pack("!BBHI", 60, 0, at | more, 70 + cut)
            wire.send(GUEST_MAC, wire6.IPV6, wire6.packet(OURS, GUEST, 44, header + part))
        echo = wire.wait_for(lambda frame: frame.endswith(payload), 0.5 + 5 * answered)
        assert (echo is not None) == answered
    guest.assert_well()


@pytest.mark.parametrize("mac", ["01:00:5e:00:00:01", ALL_STATIONS, "00:00:00:00:00:00"])
def test_arp_senders_that_cannot_be(guest, mac):
    """Neither a request nor a reply makes the guest use a broadcast, multicast or zero address."""
    packet = udp_packet("10.0.0.1", guest.address, 7777, host.ECHO, b"over IPv4 to where")
    with Wire() as wire:
        host.udp_echo(guest.address, (10,))
        for operation in (1, 2):
            arp = arp_request(guest.address, "10.0.0.1", sender=mac)
            wire.send(GUEST_MAC, ARP, arp[:6] + struct.pack("!H", operation) + arp[8:])
            wire.send(GUEST_MAC, IPV4, packet)
            frame = wire.wait_for(lambda frame: frame.endswith(b"over IPv4 to where"))
            assert parse(frame)[0] != mac
    guest.assert_well()


def test_datagrams_whose_length_is_wrong(guest):
    """The length of the datagram, not of its packet, counts: bytes behind it are dropped."""
    with Wire() as wire:
        for length, echo in ((0, None), (7, None), (19, None), (11, b"abc"), (18, b"abcdefghij")):
            datagram = struct.pack("!HHHH", 7777, host.ECHO, length, 0) + b"abcdefghij"
            covered = datagram[:length] if length >= 8 else datagram
            pseudo = wire6.ipv6(OURS) + wire6.ipv6(GUEST) + struct.pack("!II", length, wire6.UDP)
            total = struct.pack("!H", host.checksum(pseudo + covered))
            packet = wire6.packet(OURS, GUEST, wire6.UDP, datagram[:6] + total + datagram[8:])
            wire.send(GUEST_MAC, wire6.IPV6, packet)
            answer = wire.wait_for(lambda frame: parse(frame)[3] == wire6.IPV6
                                   and parse(frame)[4][42:44] == b"\x1e\x61", 0.3 + 5 * bool(echo))
            assert (answer and parse(answer)[4][48:]) == echo
    guest.assert_well()


MDNS = 5353


def mdns(questions=0, answers=0, authority=0, flags=0, body=b""):
    return struct.pack("!6H", 0, flags, questions, answers, authority, 0) + body


def name(text):
    return b"".join(bytes((len(label),)) + label.encode() for label in text.split(".")) + b"\0"


@contextlib.contextmanager
def mdns_socket(over_ipv6=False):
    sock, group = names.ask_socket("tap0", over_ipv6)
    with sock:
        yield lambda message: sock.sendto(message, group)


QUESTION = name("vtnet.local") + struct.pack("!HH", 1, 1)
TRUNCATED, RESPONSE = 0x0200, 0x8400


@pytest.mark.parametrize("over_ipv6", [False, True])
def test_many_questions_in_several_parts(guest, over_ipv6):
    """Each is kept for half a second, with the packets that belong to it."""
    with mdns_socket(over_ipv6) as send:
        for _ in range(10):
            for _ in range(100):
                send(mdns(questions=1, flags=TRUNCATED, body=QUESTION))
            for _ in range(100):
                send(mdns(answers=1, body=QUESTION + struct.pack("!IH4x", 120, 4)))
    host.settle(guest.address)
    guest.assert_well()
    assert names.resolve("vtnet.local", over_ipv6=over_ipv6) == {guest.address}
    host.serves(guest.address)


def test_answer_that_cannot_be_sent(guest):
    """A query from nowhere, whose answer is delayed, does not block all answers."""
    probe = mdns(questions=1, authority=1, body=QUESTION + name("vtnet.local")
                 + struct.pack("!HHIH4s", 1, 1, 120, 4, b"1234"))
    time.sleep(1)  # so that the first question is answered
    with Wire() as wire:
        for sender, port, message in (("10.0.0.99", MDNS, mdns(questions=1, body=QUESTION)),
                                      ("192.0.2.1", 7777, probe)):
            wire.send("01:00:5e:00:00:fb", IPV4,
                      udp_packet(sender, "224.0.0.251", port, MDNS, message))
    time.sleep(0.5)
    both = 2 * (name("vtnet.local") + struct.pack("!HH", names.A, 0x8001))  # for this host alone
    sock, group = names.ask_socket("tap0", False)
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("10.0.0.1", MDNS))
        sock.settimeout(1)
        for _ in range(4):
            sock.sendto(mdns(questions=2, body=both), group)
            with contextlib.suppress(TimeoutError):
                assert names.addresses_in(sock.recv(2000), names.A) == {guest.address}
                return
    raise AssertionError("no answer")


@pytest.fixture(name="known")
def fixture_known(guest):
    """The host does not ask where the guest is, and so does not say where it is itself either."""
    host.ip("-6", "neighbor", "replace", GUEST, "lladdr", GUEST_MAC, "dev", "tap0", "nud", "permanent")
    host.udp_echo(GUEST, (5,))
    yield guest
    host.ip("-6", "neighbor", "delete", GUEST, "dev", "tap0")


def asks_for_us(frame):
    message = wire6.icmp6_of(frame, wire6.SOLICITATION)
    return message is not None and message[8:24] == wire6.ipv6(OURS)


@pytest.mark.parametrize("each", [1, 12])
def test_strangers_displace_no_neighbour(known, each):
    """Requests of more stations than the guest's table of neighbours has places, which never say
    where they are; and so many that their answers fill the queue. The guest still knows the host."""
    with Wire() as wire:
        for begin in range(1, 60, 20):
            for number in range(begin, begin + 20):
                for _ in range(each):
                    wire.send(GUEST_MAC, wire6.IPV6, wire6.udp6(
                        f"fd00::99:{number:x}", GUEST, 7777, host.ECHO, b"who am I"))
            host.settle(known.address)
            host.udp_echo(GUEST, (1400, 0))
        while (frame := wire.receive(0.2)) is not None:
            assert not asks_for_us(frame)
    known.assert_well()


@pytest.mark.parametrize("strangers", [0, 12])
def test_redirected_to_a_router_not_known(guest, strangers):
    """What is for it waits until it says where it is, also while strangers fill the table. They may
    displace the redirect itself; then the first router gets it."""
    far, other = f"2001:db8:99::{strangers + 1:x}", f"fe80::77:{strangers + 1:x}"
    other_mac = "02:00:00:00:00:77"
    found = {}  # destination: what was sent there

    def note(frame):
        to, _, _, ethertype, payload = parse(frame)
        if ethertype == wire6.IPV6 and payload[24:40] == wire6.ipv6(far):
            found.setdefault(to, []).append(payload[48:])

    def to_far(frame):
        note(frame)
        return found

    with Wire() as wire:
        def ask(source, text):
            wire.send(GUEST_MAC, wire6.IPV6, wire6.udp6(source, GUEST, 7777, host.ECHO, text))

        wire.send(wire6.ALL_NODES_MAC, wire6.IPV6, wire6.router_advertisement("2001:db8:1::"))
        ask(far, b"before")
        assert wire.wait_for(to_far) is not None
        body = bytes(4) + wire6.ipv6(other) + wire6.ipv6(far)
        wire.send(GUEST_MAC, wire6.IPV6, wire6.icmp6(ROUTER, GUEST, REDIRECT, body))
        for number in range(strangers):
            ask(f"fd00::98:{number + 1:x}", b"who am I")
        for number in range(6):
            ask(far, b"after %d" % number)
        host.settle(guest.address)
        while (frame := wire.receive(0.2)) is not None:
            note(frame)
        assert list(found) == [STATION] and (strangers or len(found[STATION]) == 1)
        body = struct.pack("!I", 0xe0000000) + wire6.ipv6(other) + b"\2\1" + mac_bytes(other_mac)
        wire.send(GUEST_MAC, wire6.IPV6, wire6.icmp6(other, GUEST, wire6.ADVERTISEMENT, body),
                  sender=other_mac)
        wire.wait_for(lambda frame: note(frame) or sum(map(len, found.values())) == 7)
    assert set(found) <= {STATION, other_mac}
    assert sorted(sum(found.values(), [])) == sorted([b"before", *(b"after %d" % i for i in range(6))])
    guest.assert_well()

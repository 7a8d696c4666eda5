# SPDX-License-Identifier: BSD-2-Clause
"""Invalid frames. The guest drops them and continues as before."""

import contextlib
import functools
import logging
import random
import socket

import pytest

import host
import wire
from guest import ADDRESS, Guest, PATIENCE, TRANSPORTS

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.all import ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, Raw, fragment  # noqa: E402

MAC, HOST = "52:54:00:12:34:56", "10.0.0.1"
DEVICES = [TRANSPORTS["legacy"], TRANSPORTS["modern"],
           "disable-modern=on,any_layout=off,mrg_rxbuf=off"]


@pytest.fixture(scope="module", params=DEVICES, ids=["legacy", "modern", "legacy, no merging"])
def booted(arch, request):
    with Guest(arch, device=request.param) as guest:
        yield guest.wait_ready()


@pytest.fixture
def guest(booted):
    """The guest, which must serve after the test as before."""
    booted.assert_well()
    yield booted
    host.ping(ADDRESS, count=20)
    host.serves(ADDRESS)
    host.icmp_echo(ADDRESS, (8192,), identifier=1)
    booted.assert_well()


@pytest.fixture
def send(guest):
    """Sends frames on the tap, at the rate at which the guest takes them."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("tap0", 0))

        def send_frames(*frames):
            for number, frame in enumerate(frames):
                with contextlib.suppress(BlockingIOError):
                    raw.send(bytes(frame))
                if number % 200 == 199:
                    host.udp_echo(ADDRESS, (4,))
        yield send_frames


def ether():
    return Ether(src=host_mac(), dst=MAC)


@functools.cache  # closing such a socket takes milliseconds
def host_mac():
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("tap0", 0))
        return raw.getsockname()[4].hex(":")


def echo_request(**fields):
    return ether() / IP(src=HOST, dst=ADDRESS, **fields) / ICMP(id=7, seq=7) / Raw(b"x" * 40)


def replies(send, *frames, wanted=False, seconds=0.3):
    """The ICMP echo replies caused by the frames; wanted: the first may take some time."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        host.lose_nothing(raw)
        send(*frames)
        raw.settimeout(PATIENCE)
        packets = [IP(raw.recv(65536))] if wanted else []
        packets += [IP(packet) for packet in host.receive_until_silence(raw, seconds)]
    return [packet[ICMP] for packet in packets if packet[ICMP].type == 0]


def test_runts(send):
    frame = bytes(echo_request())
    send(*(frame[:length] for length in range(14, 60)))
    arp = bytes(ether() / ARP(psrc=HOST, pdst=ADDRESS, hwsrc=host_mac()))
    send(*(arp[:length] for length in range(14, len(arp))))


def test_bad_checksums_are_not_answered(send):
    assert len(replies(send, echo_request(), wanted=True)) == 1
    bad_icmp = echo_request()
    bad_icmp[ICMP].chksum = 0x1234
    assert not replies(send, echo_request(chksum=0x1234), bad_icmp)
    with host.udp_socket(ADDRESS, host.ECHO) as sock:
        port = sock.getsockname()[1]
        datagram = ether() / IP(src=HOST, dst=ADDRESS) / UDP(sport=port, dport=7) / Raw(b"right")
        wrong = ether() / IP(src=HOST, dst=ADDRESS) / UDP(sport=port, dport=7, chksum=1) / Raw(b"x")
        send(wrong, datagram)
        assert host.receive_until_silence(sock, 0.3, wanted=1) == [b"right"]


def test_impossible_ip_headers_are_not_answered(send):
    assert not replies(send, echo_request(version=6), echo_request(ihl=2), echo_request(ihl=15),
                       echo_request(len=10), echo_request(len=2000), echo_request(len=0),
                       ether() / IP(src=HOST, dst="10.0.0.99") / ICMP() / Raw(b"not for us"))


def test_datagrams_whose_length_is_wrong(send):
    """The length of the datagram, not of its packet, counts: bytes behind it are dropped. There is
    no answer if it would end beyond the packet, or before its own header. Also in fragments."""
    with host.udp_socket(ADDRESS, host.ECHO) as sock:
        port = sock.getsockname()[1]

        def datagram(length, payload=b"abcdefghij", **fields):
            return IP(src=HOST, dst=ADDRESS, **fields) / UDP(sport=port, dport=7, len=length,
                                                              chksum=0) / Raw(payload)

        wrong = [ether() / datagram(length) for length in (0, 7, 19, 0xffff)]
        for length in (0, 7, 1609, 0xffff):
            whole = datagram(length, bytes(1600), id=length | 1)
            wrong += [ether() / part for part in fragment(whole)]
        send(*wrong, ether() / datagram(11), ether() / datagram(18))
        assert host.receive_until_silence(sock, 0.3, wanted=2) == [b"abc", b"abcdefghij"]


def test_senders_that_no_station_is(send, guest):
    """An answer to 0.0.0.0 would be a broadcast."""
    with wire.Wire() as ears:
        for sender in ("0.0.0.0", "127.0.0.1", "0.1.2.3"):
            packet = {"src": sender, "dst": ADDRESS}
            send(ether() / IP(**packet) / ICMP(id=7, seq=7), ether() / IP(**packet) / TCP(dport=7),
                 ether() / IP(**packet) / UDP(sport=7777, dport=7) / Raw(b"x"))
        host.udp_echo(ADDRESS, (4,))
        while frame := ears.receive(0.3):
            *_, ethertype, payload = wire.parse(frame)
            assert ethertype != wire.IPV4 or payload[16] not in (0, 127), frame.hex()
    guest.assert_well()


def with_options(options):
    """An echo request whose IP header has these options, valid or not."""
    options = options.ljust(40, b"\0")
    payload = host.icmp_packet(8, 7, 7, b"x" * 40)
    header = bytearray(bytes(IP(src=HOST, dst=ADDRESS, proto=1, ihl=15, chksum=0,
                                len=60 + len(payload)))[:20] + options)
    header[10:12] = host.checksum(bytes(header)).to_bytes(2, "big")
    return bytes(ether())[:12] + b"\x08\x00" + bytes(header) + payload


def test_ip_options(send):
    """Valid options and those with impossible lengths; no-operations do not prevent an answer."""
    send(*(with_options(bytes((kind, length)) + bytes(38))
           for kind in (7, 68, 131, 137, 148, 255) for length in (0, 1, 2, 3, 4, 40, 41, 255)))
    send(with_options(b"\x07\x27\x04"), with_options(b"\x44\x28\x05"), with_options(b"\x83" * 40))
    host.udp_echo(ADDRESS, (4,))  # so that answers to these are over
    assert len(replies(send, with_options(b"\x01" * 40), wanted=True)) == 1


def test_vlan_tags(send):
    tagged = Ether(src=host_mac(), dst=MAC) / Dot1Q(vlan=5)
    send(tagged / IP(src=HOST, dst=ADDRESS) / ICMP() / Raw(b"x" * 1468),
         tagged / ARP(psrc=HOST, pdst=ADDRESS), tagged / Dot1Q(vlan=6) / Raw(b"x" * 50), tagged,
         Ether(src=host_mac(), dst=MAC, type=0x8100))


def test_fragments(send):
    """Overlapping, missing, duplicate, reordered, and beyond 64 KiB. Incomplete packets are from
    another station, so that their numbers cannot coincide with the host's."""
    whole = IP(src=HOST, dst=ADDRESS) / ICMP(id=7, seq=8) / Raw(b"y" * 4000)
    parts = [ether() / part for part in fragment(whole, 1400)]

    def other(number, offset, more, length):
        return (ether() / IP(src="10.0.0.77", dst=ADDRESS, id=number, proto=1, frag=offset,
                             flags="MF" if more else 0) / Raw(b"z" * length))

    assert len(replies(send, *reversed(parts), wanted=True)) == 1
    send(other(1, 0, True, 800), other(1, 50, True, 800), other(1, 100, False, 800))
    send(other(2, 0, True, 800), other(2, 0, True, 800), other(2, 0, False, 8))
    send(other(3, 0, True, 800), other(3, 10, False, 8))
    send(*(other(4, offset, True, 1480) for offset in range(0, 8000, 185)))
    send(other(4, 8189, False, 1480), other(5, 8191, True, 1480), other(5, 8191, False, 8))
    send(other(6, 0, True, 0), other(6, 0, True, 7), other(6, 1, True, 1), other(6, 3, False, 0))
    send(*(other(number, 0, True, 1480) for number in range(1000, 1600)))
    send(*(other(number, 185, False, 1480) for number in range(2000, 2600)))


def test_tcp_out_of_order(send):
    """Segments without a connection, with all flags; and half-open connections of strangers."""
    base = ether() / IP(src=HOST, dst=ADDRESS)
    send(*(base / TCP(sport=4000, dport=port, flags=flags, seq=1, ack=99) / Raw(b"data")
           for port in (7, 9, 19, 4444) for flags in range(64)))
    send(*(base / TCP(sport=4001, dport=7, flags="S", dataofs=offset) for offset in range(16)))
    send(*(base / TCP(sport=4002, dport=7, flags="S", options=[(kind, bytes(length))])
           for kind in (2, 3, 4, 5, 8, 77) for length in (0, 1, 2, 7, 20)))
    send(*(ether() / IP(src=f"10.0.0.{number}", dst=ADDRESS) /
           TCP(sport=4003, dport=7, flags="S") for number in range(100, 200)))


def test_garbage(send):
    """Random bytes behind headers that the guest accepts, the same ones each time."""
    source = random.Random(2020)
    starts = [b"", b"\x08\x00", b"\x08\x06", b"\x08\x00\x45\x00", b"\x86\xdd", b"\x81\x00",
              bytes(IP(src=HOST, dst=ADDRESS, proto=6)), bytes(IP(src=HOST, dst=ADDRESS, proto=17))]
    mac = bytes.fromhex((MAC + host_mac()).replace(":", ""))
    group = b"\xff" * 6 + mac[6:]
    frames = []
    for number in range(2000):
        start = starts[number % len(starts)]
        kind = b"\x08\x00" if start[:1] == b"\x45" else b""
        rest = source.randbytes(source.choice((0, 1, 4, 20, 28, 46, 100, 576, 1400, 1480)))
        frames.append(((mac, group)[number % 3 == 0] + kind + start + rest).ljust(14, b"\0")[:1514])
    send(*frames)


def test_jumbo_frames(send):
    """Packets longer than Ethernet allows, as configured on the host. A busy guest answers some with only
    a part of the fragments; separate numbers keep these apart from later ones."""
    host.ip("link", "set", "tap0", "mtu", "9000")
    try:
        lengths = (1473, 1474, 1476, 1490, 1600, 2992, 4000, 8900)
        send(*(ether() / IP(src=HOST, dst=ADDRESS, id=number) / ICMP(id=7, seq=9) /
               Raw(b"j" * length) for number, length in enumerate(lengths * 20, 3000)))
        host.settle(ADDRESS)
    finally:
        host.ip("link", "set", "tap0", "mtu", "1500")

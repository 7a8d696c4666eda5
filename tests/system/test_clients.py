# SPDX-License-Identifier: BSD-2-Clause
"""Which UDP clients get answers, and of which size: sender addresses can be forged."""

import re
import struct
import time

import pytest

import host
import names
import wire6
from guest import ADDRESS, PATIENCE
from wire import ALL_STATIONS, IPV4, STATION, Wire, arp_reply, parse, udp_packet

STATS, IPERF, MDNS, NETPERF, NFS = 81, 5001, 5353, 12865, 2049
LOCAL, ELSEWHERE = "10.0.0.99", "192.0.2.9"
GUEST6, LOCAL6, ELSEWHERE6 = "fd00::2", "fd00::99", "2001:db8:99::1"
ROUTED = "2001:db8:1:0:5054:ff:fe12:3456"
GUEST_MAC = "52:54:00:12:34:56"
CLIENT = 40000  # a port
STAT, SEND = b"STATtest", b"SEND" + struct.pack("!II", 3, 100)
IPERF_LAST = struct.pack("!iII", -1, 1, 1)
ECHO_ME = b"echo me"
LONGER = {  # services whose answers exceed the request: request and port
    "statistics": (STATS, b"?"), "STAT": (host.SINK, STAT), "source": (host.SOURCE, SEND),
    "iperf": (IPERF, IPERF_LAST), "name": (MDNS, names.question("vtnet.local", names.A)),
}
SERVERS = (0, 7, 9, 19, 53, 81, 123, 1023, NFS, IPERF, MDNS, NETPERF)


class Over4:
    guest, local, elsewhere = ADDRESS, LOCAL, ELSEWHERE
    everybody = [("10.0.0.255", ALL_STATIONS), ("255.255.255.255", ALL_STATIONS),
                 ("224.0.0.1", "01:00:5e:00:00:01")]
    mdns = "224.0.0.251", "01:00:5e:00:00:fb"

    @staticmethod
    def send(wire, to, to_mac, sender, sender_port, port, payload):
        wire.send(to_mac, IPV4, udp_packet(sender, to, sender_port, port, payload))

    @staticmethod
    def answer(frame):
        """The receiver, source port and destination port of a datagram from the guest."""
        *_, ethertype, packet = parse(frame)
        if ethertype != IPV4 or packet[9] != 17 or packet[6:8] not in (b"\0\0", b"\x20\0"):
            return None  # other packets, or further fragments of a datagram
        ports = struct.unpack_from("!HH", packet, (packet[0] & 15) * 4)
        return ".".join(str(byte) for byte in packet[16:20]), *ports


class Over6:
    guest, local, elsewhere = GUEST6, LOCAL6, ELSEWHERE6
    everybody = [("ff02::1", wire6.ALL_NODES_MAC)]
    mdns = "ff02::fb", "33:33:00:00:00:fb"

    @staticmethod
    def send(wire, to, to_mac, sender, sender_port, port, payload):
        wire.send(to_mac, wire6.IPV6, wire6.udp6(sender, to, sender_port, port, payload))

    @staticmethod
    def answer(frame):
        *_, ethertype, packet = parse(frame)
        if ethertype != wire6.IPV6 or packet[6] not in (wire6.UDP, 44):
            return None
        at = 40 if packet[6] == wire6.UDP else 48
        if at == 48 and packet[42:44] > b"\0\7":
            return None  # the rest of a datagram in fragments
        to = packet[24:40]
        text = next((one for one in (LOCAL6, ELSEWHERE6) if wire6.ipv6(one) == to), to.hex())
        return text, *struct.unpack_from("!HH", packet, at)


def is_announcement(frame, address):
    """True if the guest announces the address as its own by mDNS."""
    *_, ethertype, packet = parse(frame)
    return (ethertype == wire6.IPV6 and packet[6] == wire6.UDP and wire6.ipv6(address) in packet
            and struct.unpack_from("!H", packet, 40) == (MDNS,) and packet[50] & 0x80)


def answers(wire, over, questions, wanted=()):
    """Sends datagrams, each (sender, sender's port, port, payload) or to a station other than the
    guest. Returns the answers received until the wanted ones and then an echo to a local station have
    come."""
    for sender, sender_port, port, payload, *to in questions:
        over.send(wire, *(to or (over.guest, GUEST_MAC)), sender, sender_port, port, payload)
    found, ends = [], [(over.local, host.ECHO, CLIENT + 1 + number) for number in range(2)]

    def collect(frame):
        answer = over.answer(frame)
        if answer is not None and answer[0] in (over.local, over.elsewhere):
            found.append(answer)
        return awaited <= set(found)

    for end in ends:  # after the first the guest has seen the questions, and mDNS delays its answer
        over.send(wire, over.guest, GUEST_MAC, over.local, end[2], host.ECHO, b"the end")
        awaited = {end, *wanted}
        assert wire.wait_for(collect), f"no answer: {awaited - set(found)}"
        if end == ends[0]:
            time.sleep(0.3)
    return set(found) - set(ends)


def assert_answered(wire, over, questions, wanted):
    """These answers come, and no others."""
    assert answers(wire, over, questions, wanted) == wanted


def start(boot, wire, append=""):
    """A guest that can reach the test's stations, those on other networks by the local one."""
    guest = boot(f"gw={LOCAL} ip6={GUEST6} {append}").wait_ready()
    assert arp_reply(wire, ADDRESS, LOCAL)
    guest.wait_for(f"^vtnet: IPv6 address {GUEST6}/64$")
    wire.send(wire6.ALL_NODES_MAC, wire6.IPV6, wire6.router_advertisement("2001:db8:1::"))
    guest.wait_for(f"^vtnet: IPv6 address {ROUTED}/64$")
    # the answer to the guest's ARP request is sent in advance
    body = b"\x60\0\0\0" + wire6.ipv6(LOCAL6) + b"\2\1" + bytes.fromhex(STATION.replace(":", ""))
    over = Over6
    over.send(wire, GUEST6, GUEST_MAC, LOCAL6, CLIENT, host.ECHO, b"who are you?")
    assert wire.wait_for(lambda frame: wire6.icmp6_of(frame, wire6.SOLICITATION))
    wire.send(GUEST_MAC, wire6.IPV6, wire6.icmp6(LOCAL6, GUEST6, wire6.ADVERTISEMENT, body))
    assert wire.wait_for(lambda frame: over.answer(frame) == (LOCAL6, host.ECHO, CLIENT))
    if "services" not in append:  # the name is announced once more, with the new address
        assert wire.wait_for(lambda frame: is_announcement(frame, ROUTED))
    return guest


def from_each_port_to(sender, ports):
    return [(sender, CLIENT, port, payload) for port, payload in ports]


def test_who_is_answered(boot):
    with Wire() as wire:
        guest = start(boot, wire)
        for over in (Over4, Over6):
            longer = LONGER.values()
            # a client on another network: echo only
            assert answers(wire, over, [
                *from_each_port_to(over.elsewhere, longer),
                (over.elsewhere, CLIENT, *LONGER["name"], *over.mdns)]) == set()
            assert_answered(wire, over, [(over.elsewhere, CLIENT, host.ECHO, ECHO_ME)],
                            {(over.elsewhere, host.ECHO, CLIENT)})
            # a local client: everything
            assert_answered(wire, over, from_each_port_to(over.local, longer),
                            {(over.local, port, CLIENT) for port, _ in longer})
            # a server's port: nothing, or two servers could answer each other forever
            assert answers(wire, over, [(over.local, sender_port, port, payload)
                                        for sender_port in SERVERS for port, payload in
                                        [(host.ECHO, ECHO_ME), *longer]
                                        if MDNS not in (port, sender_port)]) == set()
            # sent to all stations: nothing
            assert answers(wire, over, [(over.local, CLIENT, port, payload, *to)
                                        for to in over.everybody for port, payload in
                                        [(host.ECHO, ECHO_ME), *longer] if port != MDNS]) == set()
        host.serves(guest.address)


def test_anybody_may_be_answered(boot):
    with Wire() as wire:
        start(boot, wire, "answer=any services=echo,sink,source,stats,iperf")
        for over in (Over4, Over6):
            longer = [question for question in LONGER.values() if question[0] != MDNS]
            assert_answered(wire, over, from_each_port_to(over.elsewhere, longer),
                            {(over.elsewhere, port, CLIENT) for port, _ in longer})
            assert answers(wire, over, from_each_port_to(over.elsewhere, [LONGER["name"]])) == set()


def test_limits(boot):
    """Many requests for statistics or for the source do not exceed the limits."""
    with Wire() as wire:
        guest = boot().wait_ready()
        assert arp_reply(wire, ADDRESS, LOCAL)
        started = time.monotonic()
        for _ in range(4000):
            Over4.send(wire, ADDRESS, GUEST_MAC, LOCAL, CLIENT, STATS, b"?")
        sent = len(wire_bytes(wire, seconds=1))
        elapsed = time.monotonic() - started
        assert sent > 0
        assert sent <= (1 << 20) * (elapsed + 1) * 1.2, f"{sent} bytes in {elapsed:.1f} s"
        # a burst belongs to its requester: others do not end it
        with host.udp_socket(guest.address, host.SOURCE) as sock:
            host.request_burst(sock, 0xffffffff, 1000)
            sock.recv(2000)
            Over4.send(wire, ADDRESS, GUEST_MAC, ELSEWHERE, CLIENT, host.SOURCE, b"stop")
            for _ in range(2000):
                sock.recv(2000)
            host.request_burst(sock, 0, 4)
            host.receive_until_silence(sock)


def wire_bytes(wire, seconds):
    """The total length of IP packets received during a time."""
    deadline = time.monotonic() + seconds
    data = bytearray()
    while time.monotonic() < deadline:
        frame = wire.receive(0.2)
        if frame is not None and parse(frame)[3] == IPV4:
            data += parse(frame)[4]
    return data


@pytest.mark.parametrize("running", ["none", "echo,stats", "sink,source,netperf,iperf,mdns"])
def test_services(boot, running):
    """services= selects the services; ports of others are closed."""
    ports = {"echo": [7], "sink": [9], "source": [19], "stats": [80], "netperf": [NETPERF],
             "iperf": [IPERF]}
    guest = boot(f"services={running}").wait_ready()
    for name, (port,) in ports.items():
        try:
            host.tcp_socket(guest.address, port).close()
            is_open = True
        except ConnectionRefusedError:
            is_open = False
        assert is_open == (name in running.split(",")), name
    with host.udp_socket(guest.address, host.ECHO) as sock:
        if "echo" in running:
            host.udp_echo(guest.address, (10,))
        else:
            sock.send(b"nobody")
            with pytest.raises(ConnectionRefusedError):
                sock.recv(10)
    host.ping(guest.address, count=5)
    if "mdns" in running:
        guest.wait_for("^vtnet: name vtnet.local$", seconds=PATIENCE)
    else:
        assert not re.search("^vtnet: name ", guest.console(), re.MULTILINE)

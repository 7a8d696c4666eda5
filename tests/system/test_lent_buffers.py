# SPDX-License-Identifier: BSD-2-Clause
"""The echo sends from receive buffers: none is reused while the card still has to send from it."""

import struct

import pytest

import host
from guest import ADDRESS
from wire import IPV4, Wire, arp_reply, ip_packet, ipv4, parse, udp_packet

ATTACKER, OTHER = "10.0.0.99", "10.0.0.98"
PORT, SYN, ACK, PUSH, FIN, RESET = 40000, 2, 16, 8, 1, 4
SLOW = "tx=timer,x-txtimer=150000000"  # ns between a notification and the device's reaction
ISN = 1000
OTHERS = b"\xee"


class Connection:
    """A TCP connection of a station on the wire, which sends and acknowledges arbitrarily."""

    def __init__(self, wire, mac, port=PORT, mss=1460):
        self.wire, self.mac, self.port = wire, mac, port
        self.send(SYN, ISN, 0, options=struct.pack("!BBH", 2, 4, mss))
        answer = wire.wait_for(lambda frame: self.segment(frame) is not None)
        assert answer, "no answer to a SYN"
        sequence, flags, _ = self.segment(answer)
        assert flags & (SYN | ACK) == SYN | ACK
        self.theirs = sequence + 1  # the number of the guest's first byte
        self.send(ACK, ISN + 1, self.theirs)

    def send(self, flags, sequence, acknowledged, payload=b"", options=b""):
        header = struct.pack("!HHIIBBHHH", self.port, host.ECHO, sequence, acknowledged,
                             (20 + len(options)) // 4 << 4, flags, 65535, 0, 0) + options
        pseudo = ipv4(ATTACKER) + ipv4(ADDRESS) + struct.pack("!HH", 6, len(header + payload))
        header = header[:16] + struct.pack("!H", host.checksum(pseudo + header + payload)) \
            + header[18:]
        self.wire.send(self.mac, IPV4, ip_packet(ATTACKER, ADDRESS, 6, header + payload))

    def segment(self, frame):
        """Sequence number, flags and payload of a frame, or None if it does not belong to the
        connection."""
        *_, ethertype, packet = parse(frame)
        if ethertype != IPV4 or packet[9] != 6:
            return None
        total, = struct.unpack_from("!H", packet, 2)
        tcp = packet[(packet[0] & 15) * 4:total]
        if struct.unpack_from("!HH", tcp) != (host.ECHO, self.port):
            return None
        sequence, = struct.unpack_from("!I", tcp, 4)
        return sequence, tcp[13], tcp[(tcp[12] >> 4) * 4:]


def echoed(connection, length):
    """The bytes that come back, ordered by sequence number, until all are there."""
    data = bytearray(length)
    missing = set(range(length))

    def take(frame):
        segment = connection.segment(frame)
        if segment is None:
            return False
        at = (segment[0] - connection.theirs) % (1 << 32)
        payload = segment[2][:max(0, length - at)]
        if at < length:
            data[at:at + len(payload)] = payload
            missing.difference_update(range(at, at + len(payload)))
        return not missing

    connection.wire.wait_for(take)
    assert not missing, f"{len(missing)} bytes of {length} did not come back"
    return bytes(data)


@pytest.mark.parametrize("device", ["disable-modern=on", "host_tso4=off,packed=on"])
def test_released_before_it_was_sent(boot, device):
    """The guest is told that the echo has arrived, or that it is not wanted, while it is still in
    the ring. What is sent then must not be data received since: other stations' datagrams."""
    guest = boot(device=f"{SLOW},{device}").wait_ready()
    with Wire() as wire:
        mac, _ = arp_reply(wire, ADDRESS, ATTACKER)
        for number, (size, mss, end) in enumerate([
                (1460, 1460, ACK), (100, 1460, ACK), (1400, 536, ACK), (1000, 700, ACK),
                (1460, 1460, RESET), (1400, 536, RESET), (1460, 1460, FIN | ACK)]):
            connection = Connection(wire, mac, PORT + number, mss)
            sent = (bytes(range(number, number + 128)) * 40)[:2 * size]
            first = min(len(sent), 2 * mss)  # bytes that are sent at once
            for at in range(0, len(sent), size):
                connection.send(ACK | PUSH, ISN + 1 + at, connection.theirs, sent[at:at + size])
            connection.send(end, ISN + 1 + len(sent), connection.theirs + first)
            for _ in range(40):
                wire.send(mac, IPV4, udp_packet(OTHER, ADDRESS, 7777, host.SINK, OTHERS * 1400))
            host.compare(sent[:first], echoed(connection, first), f"TCP echo, {size} {mss} {end}")
            connection.send(RESET | ACK, ISN + 1 + len(sent), connection.theirs + first)
    host.serves(guest.address)

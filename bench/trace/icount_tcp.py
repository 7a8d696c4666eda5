# SPDX-License-Identifier: BSD-2-Clause
"""A TCP peer whose segments fill an IP packet, as offloads make them: the host's own TCP decides by
time and load how long a segment is, this one does not."""

import socket
import struct

from guest import ADDRESS
from host import checksum
from station import ACK, TCP, Station, mss, scale
from wire import IPV4, SOL_PACKET, STATION, ip_packet, ipv4, mac_bytes

PACKET_VNET_HDR = 15  # frames on the socket begin with a virtio_net_hdr, in the host's byte order
NEEDS_CSUM, GSO_TCPV4 = 1, 1
GUEST_MAC = "52:54:00:12:34:56"  # QEMU's default
PEER = "10.0.0.99"
MSS = 1460
LONG = 44 * MSS  # 64,240 bytes: one more segment would exceed the IP packet's length
SCALE = 3


class LongSegments(Station):
    """The peer, in a with statement."""

    def __init__(self):
        super().__init__(ADDRESS, GUEST_MAC, PEER)
        self.card = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.card.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self.card.bind(("tap0", 0))

    def __exit__(self, *arguments):
        self.card.close()
        super().__exit__(*arguments)

    def connect_to(self, source, port):
        return self.connect(source, port, options=mss(MSS) + scale(SCALE), window=LONG >> SCALE)

    def send_long(self, connection):
        """Sends LONG bytes in one frame, which the tap hands to the guest as it is."""
        pseudo = ipv4(PEER) + ipv4(ADDRESS) + struct.pack("!II", TCP, 20 + LONG)
        tcp = struct.pack("!HHIIBBHHH", connection.source, connection.port,
                          connection.seq & 0xffffffff, connection.ack & 0xffffffff, 5 << 4, ACK,
                          LONG >> SCALE, checksum(pseudo) ^ 0xffff, 0)
        header = struct.pack("=BBHHHH", NEEDS_CSUM, GSO_TCPV4, 14 + 20 + 20, MSS, 14 + 20, 16)
        self.card.send(header + mac_bytes(GUEST_MAC) + mac_bytes(STATION) + struct.pack("!H", IPV4)
                       + ip_packet(PEER, ADDRESS, TCP, tcp + bytes(LONG)))
        connection.seq += LONG

    def acknowledge_long(self, connection):
        """Acknowledges what came last, which opens the window for LONG bytes."""
        connection.send(window=LONG >> SCALE)

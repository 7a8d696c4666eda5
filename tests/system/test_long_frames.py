# SPDX-License-Identifier: BSD-2-Clause
"""Frames longer than lwIP can count, which QEMU's socket netdev supports and a tap does not."""

import contextlib
import socket
import struct
import time

import pytest

import wire6
from guest import PATIENCE
from host import ECHO
from wire import STATION, Wire, mac_bytes

GUEST, OURS = "fd00::2", "fd00::9"
MAC, GROUP_MAC = "52:54:00:12:34:56", "33:33:00:00:00:01"
FRAME_MAX = 14 + 65535
PACKET_TOO_BIG = 2


class Stream(Wire):
    """The other end of -netdev socket,connect=: each frame is preceded by its length."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.sock = None
        self.buffer = b""

    @property
    def network(self):
        port = self.listener.getsockname()[1]
        return ["-netdev", f"socket,id=n0,connect=127.0.0.1:{port}",
                "-device", f"virtio-net-pci,netdev=n0,id=nic0,mac={MAC}"]

    def accept(self):
        self.sock, _ = self.listener.accept()

    def __exit__(self, *_):
        self.listener.close()
        if self.sock is not None:
            self.sock.close()

    def send(self, to, ethertype, payload, tci=None, sender=STATION):
        frame = (mac_bytes(to) + mac_bytes(sender) + struct.pack("!H", ethertype) + payload)
        self.sock.sendall(struct.pack("!I", len(frame)) + frame)

    def receive(self, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if len(self.buffer) >= 4:
                length, = struct.unpack_from("!I", self.buffer)
                if len(self.buffer) >= 4 + length:
                    frame, self.buffer = self.buffer[4:4 + length], self.buffer[4 + length:]
                    return frame
            self.sock.settimeout(left)
            with contextlib.suppress(TimeoutError):
                self.buffer += self.sock.recv(1 << 17)
        return None


def wait_answering(wire, wanted):
    """The next frame for which wanted(frame) is true; also answers requests for the station's
    address."""
    deadline = time.monotonic() + PATIENCE
    while (left := deadline - time.monotonic()) > 0:
        frame = wire.receive(left)
        if frame is None:
            return None
        solicited = wire6.icmp6_of(frame, wire6.SOLICITATION)
        if solicited and solicited[8:24] == wire6.ipv6(OURS):
            body = (struct.pack("!I", 0x60000000) + solicited[8:24] + struct.pack("!BB", 2, 1)
                    + mac_bytes(STATION))
            wire.send(MAC, wire6.IPV6, wire6.icmp6(OURS, GUEST, wire6.ADVERTISEMENT, body))
        if wanted(frame):
            return frame
    return None


def echo(wire, length):
    """Sends a datagram, fragmented if necessary, and waits for the last bytes of its echo."""
    payload = bytes(length - 4) + struct.pack("!I", length)
    packet = wire6.udp6(OURS, GUEST, 7777, ECHO, payload)
    parts = [(0, packet[40:])] if length < 1400 else [
        (at, packet[40 + at:40 + at + 1400]) for at in range(0, len(packet) - 40, 1400)]
    for at, part in parts:
        if len(parts) == 1:
            wire.send(MAC, wire6.IPV6, packet)
            break
        more = at + len(part) < len(packet) - 40
        header = struct.pack("!BBHI", wire6.UDP, 0, at | more, length)
        wire.send(MAC, wire6.IPV6, wire6.packet(OURS, GUEST, 44, header + part))
    assert wait_answering(wire, lambda frame: frame.rstrip(b"\0").endswith(payload[-4:].strip(b"\0")))


@pytest.mark.parametrize("to", [MAC, GROUP_MAC])
def test_packet_too_big_in_a_long_frame(boot, to):
    """The checks of received packets hold on every path into lwIP."""
    with Stream() as wire:
        guest = boot(f"ip6={GUEST}/64", network=wire.network)
        wire.accept()
        guest.wait_for(f"^vtnet: IPv6 address {GUEST}/64$")
        echo(wire, 100)
        body = struct.pack("!I", 48) + wire6.packet(GUEST, OURS, wire6.UDP, bytes(8))
        message = wire6.icmp6(OURS, GUEST, PACKET_TOO_BIG,
                              body.ljust(FRAME_MAX - 14 - 40 - 4, b"\0"))
        assert 14 + len(message) == FRAME_MAX
        wire.send(to, wire6.IPV6, message)
        echo(wire, 200)
        echo(wire, 3000)
        guest.assert_well()

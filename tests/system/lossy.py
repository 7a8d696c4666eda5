# SPDX-License-Identifier: BSD-2-Clause
"""A wire between the host and a guest that loses and reorders frames, including whole bursts.

The host's side is tap0, opened by this program. The guest's is a separate tap on which a packet
socket listens. Both have virtio's header before each frame, so that offloads are preserved.
(netem, which many kernels lack, could do this on tap0 alone.)
"""

import contextlib
import fcntl
import os
import random
import select
import socket
import struct
import threading

import host

TUNSETIFF, TUNSETOFFLOAD = 0x400454ca, 0x400454d0
TUNSETVNETHDRSZ, TUNSETVNETLE, TUNSETVNETBE = 0x400454d8, 0x400454dc, 0x400454de
HEADER = 10  # bytes, as packet sockets have it
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 2, 0x1000, 0x4000
TUN_F_CSUM_TSO4_TSO6 = 7
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
FRAME_MAX = 1 << 17


class Direction:
    def __init__(self, put, loss, reorder, seed):
        self.put, self.loss, self.reorder = put, loss, reorder
        self.random = random.Random(seed)
        self.held = []
        self.lost = self.swapped = 0

    def pass_on(self, frame):
        chance = self.random.random()
        if chance < self.loss:
            self.lost += 1
        elif chance < self.loss + self.reorder:
            self.held.append(frame)
            self.swapped += 1
        else:
            self.put(frame)
            self.release()

    def release(self):
        for frame in self.held:
            self.put(frame)
        self.held.clear()


@contextlib.contextmanager
def lossy_wire(tap, loss, reorder):
    """Moves frames between tap0 and the guest's tap; loss, reorder: rates in each direction, from 0
    to 1."""
    ours = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    host.ip("tuntap", "add", "dev", tap, "mode", "tap")
    theirs = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    stop = threading.Event()
    thread = None
    try:
        fcntl.ioctl(ours, TUNSETIFF,
                    struct.pack("16sH22x", b"tap0", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
        fcntl.ioctl(ours, TUNSETOFFLOAD, TUN_F_CSUM_TSO4_TSO6)
        for request, value in ((TUNSETVNETHDRSZ, HEADER), (TUNSETVNETLE, 0), (TUNSETVNETBE, 0)):
            with contextlib.suppress(OSError):  # it may not support byte orders
                fcntl.ioctl(ours, request, struct.pack("i", value))
        host.ip("link", "set", tap, "up")
        theirs.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        theirs.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        host.lose_nothing(theirs)
        theirs.bind((tap, 0))

        def put(write):
            def attempt(frame):
                with contextlib.suppress(OSError):  # the guest is not there, or not any more
                    write(frame)
            return attempt

        ways = {ours: Direction(put(theirs.send), loss, reorder, 1),
                theirs.fileno(): Direction(put(lambda frame: os.write(ours, frame)), loss,
                                           reorder, 2)}

        def run():
            while not stop.is_set():
                ready = select.select(list(ways), [], [], 0.002)[0]
                for descriptor in ready:
                    with contextlib.suppress(OSError):
                        ways[descriptor].pass_on(os.read(descriptor, FRAME_MAX))
                if not ready:
                    for way in ways.values():
                        way.release()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield list(ways.values())
    finally:
        stop.set()
        if thread:
            thread.join()
        theirs.close()
        os.close(ours)
        host.ip("link", "del", tap)

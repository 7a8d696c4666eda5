# SPDX-License-Identifier: BSD-2-Clause
"""A device that declares itself broken: it is reset, and connections go on.

QEMU is brought to it by its debugger's stub: all receive descriptors become tables of descriptors, of a
length that none has, and with the next frame it says "Invalid size for indirect buffer table".
"""

import re
import socket

import pytest

import host
from test_stats import by_udp

NIC = "/machine/peripheral/nic0/virtio-backend"
DESC_SIZE, FLAGS = 16, {"split": 12, "packed": 14}  # of a descriptor, and where its flags lie
INDIRECT = 4


class Stub:
    """QEMU's stub for debuggers: the guest stands still while one is connected."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(host.PATIENCE)
        self.socket.connect(str(path))
        self.received = b""

    def packet(self):
        """The next one, without the acknowledgements before it."""
        while not (found := re.search(rb"\$([^#]*)#..", self.received)):
            new = self.socket.recv(4096)
            assert new, "the stub has hung up"
            self.received += new
        self.received = self.received[found.end():]
        self.socket.sendall(b"+")
        return found[1]

    def command(self, text):
        self.socket.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())
        while (answer := self.packet()).startswith(b"T"):  # that the guest has stopped
            pass
        return answer

    def read(self, address, length):
        return bytes.fromhex(self.command(f"m{address:x},{length:x}").decode())

    def write(self, address, data):
        assert self.command(f"M{address:x},{len(data):x}:{data.hex()}") == b"OK"

    def leave(self):
        assert self.command("D") == b"OK"
        self.socket.close()


def spoil(guest, gdb, ring):
    """Spoils all receive descriptors, and sends a frame."""
    queue = guest.qmp("x-query-virtio-queue-status", path=NIC, queue=0)
    stub = Stub(gdb)
    for i in range(queue["vring-num"]):
        place = queue["vring-desc"] + DESC_SIZE * i + FLAGS[ring]
        stub.write(place, bytes([stub.read(place, 1)[0] | INDIRECT]))
    stub.leave()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"the last straw", (guest.address, 9))


def recovered(guest):
    return by_udp(guest.address)["cards"][0]["counters"]["recoveries"]


@pytest.mark.parametrize("append", ["mode=irq irq=intx", "mode=irq irq=msix", "mode=poll",
                                    "mode=hybrid bounded=1"])
@pytest.mark.parametrize("ring", ["split", "packed"])
def test_broken_device_is_reset(boot, ring, append, tmp_path):
    device = f"disable-legacy=on,packed={'on' if ring == 'packed' else 'off'}"
    gdb = tmp_path / "gdb"
    guest = boot(append, device=device, qemu=["-gdb", f"unix:{gdb},server=on,wait=off"]).wait_ready()
    host.ping(guest.address, count=3)
    with socket.create_connection((guest.address, 7), 5) as before:
        for turn in (1, 2):
            spoil(guest, gdb, ring)
            guest.wait_for("the device is back", count=turn)
            guest.wait_for("^vtnet: link up", count=turn)
            before.sendall(b"still the same connection")
            assert before.recv(100) == b"still the same connection"
    host.serves(guest.address)
    assert recovered(guest) == 2

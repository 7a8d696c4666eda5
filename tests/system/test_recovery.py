# SPDX-License-Identifier: BSD-2-Clause
"""A device in trouble is reset, and connections continue.

QEMU's gdb stub causes the trouble. All receive descriptors become tables of descriptors with an
invalid length. At the next frame QEMU reports "Invalid size for indirect buffer table" and
requests a reset; with the legacy interface it only stops. Or the stub completes a buffer that
was never made available.
"""

import contextlib
import re
import socket
import struct
import threading
import time

import pytest

import host
from test_stats import by_udp

NIC = "/machine/peripheral/nic0/virtio-backend"
DESC_SIZE, FLAGS = 16, {"split": 12, "packed": 14}  # of a descriptor, and where its flags lie
INDIRECT, PACKED_AVAIL, PACKED_USED = 4, 1 << 7, 1 << 15
RX, TX = 0, 1
MANY = 1 << 20  # datagrams of the UDP source
RESET = "the device is reset in"


class Stub:
    """QEMU's gdb stub: the guest is stopped while one is connected."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(host.PATIENCE)
        self.socket.connect(str(path))
        self.received = b""

    def packet(self):
        """The next reply, without the acknowledgements before it."""
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


def spoil(guest, gdb, ring, order="<"):
    """Makes all receive descriptors invalid, and sends a frame."""
    queue = guest.qmp("x-query-virtio-queue-status", path=NIC, queue=RX)
    stub = Stub(gdb)
    for i in range(queue["vring-num"]):
        place = queue["vring-desc"] + DESC_SIZE * i + FLAGS[ring]
        flags, = struct.unpack(order + "H", stub.read(place, 2))
        stub.write(place, struct.pack(order + "H", flags | INDIRECT))
    stub.leave()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"the last straw", (guest.address, 9))


def complete(guest, gdb, ring, number, order="<"):
    """Completes a buffer that was never made available: a polling guest sees it before QEMU
    overwrites it."""
    queue = guest.qmp("x-query-virtio-queue-status", path=NIC, queue=number)
    stub = Stub(gdb)
    if ring == "split":
        index, = struct.unpack(order + "H", stub.read(queue["vring-used"] + 2, 2))
        stub.write(queue["vring-used"] + 2, struct.pack(order + "H", (index + 1000) & 0xffff))
    else:
        for i in range(queue["vring-num"]):
            place = queue["vring-desc"] + DESC_SIZE * i
            flags, = struct.unpack("<H", stub.read(place + 14, 2))
            used = PACKED_USED if flags & PACKED_AVAIL else 0
            stub.write(place + 12, struct.pack("<HH", 0x7777, flags & ~PACKED_USED | used))
    stub.leave()


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


def answers_again(address, stop):
    """Sends to the UDP echo until it answers, and records when it did."""
    with host.udp_socket(address, host.ECHO) as sock:
        sock.settimeout(0.01)
        while not stop.answered:
            sock.send(b"are you there?")
            try:
                stop.answered = sock.recv(100) and time.monotonic()
            except (TimeoutError, ConnectionRefusedError):
                pass


class Answer:
    answered = 0


def make_trouble(guest, cause, gdb, ring, order):
    """Returns when it was made."""
    if not cause.endswith("lie"):
        spoil(guest, gdb, ring, order)
        made = time.monotonic()
        guest.wait_for(RESET)
        return made
    for _ in range(20):  # QEMU may overwrite a lie before the guest sees it
        complete(guest, gdb, ring, RX if cause == "rx-lie" else TX, order)
        made = time.monotonic()
        with contextlib.suppress(AssertionError):
            guest.wait_for(RESET, seconds=0.5)
            return made
    raise AssertionError("the guest does not notice a lie")


@pytest.mark.parametrize("ring, transport, cause", [
    ("split", "modern", "asks"), ("packed", "modern", "asks"), ("split", "legacy", "silent"),
    *((ring, transport, cause) for cause in ("rx-lie", "tx-lie")
      for ring, transport in (("split", "legacy"), ("split", "modern"), ("packed", "modern")))])
def test_any_trouble(boot, arch, ring, transport, cause, tmp_path):
    """While the guest sends datagrams as fast as possible. `pytest -s` shows the table."""
    gdb = tmp_path / "gdb"
    device = (f"disable-modern={'on' if transport == 'legacy' else 'off'},"
              f"disable-legacy={'on' if transport == 'modern' else 'off'},"
              f"packed={'on' if ring == 'packed' else 'off'}")
    guest = boot("mode=poll", device=device,
                 qemu=["-gdb", f"unix:{gdb},server=on,wait=off"]).wait_ready()
    order = ">" if transport == "legacy" and arch.name == "ppc" else "<"
    with host.udp_socket(guest.address, host.SOURCE) as source, \
         socket.create_connection((guest.address, host.ECHO), 5) as connection:
        host.request_burst(source, MANY, 1000)
        assert source.recv(2000)
        broken, answer = make_trouble(guest, cause, gdb, ring, order), Answer()
        asking = threading.Thread(target=answers_again, args=(guest.address, answer))
        asking.start()
        guest.wait_for("the device is back")
        asking.join()
        connection.sendall(b"still the same connection")
        assert connection.recv(100) == b"still the same connection"
    lost = re.search(r"frames lost: (\d+)", guest.console())[1]
    reason = re.search(r"reset in 0 ms, as (.*)", guest.console())[1].strip()
    print(f"\n{arch.name:5} {transport:7} {ring:7} {cause:7} {1000 * (answer.answered - broken):7.0f} "
          f"ms until the next answer, {lost} frames lost: {reason}")
    assert recovered(guest) == 1

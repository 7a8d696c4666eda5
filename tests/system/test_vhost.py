# SPDX-License-Identifier: BSD-2-Clause
"""A card behind vhost-user: the device drops what finds no receive buffer, where a tap of QEMU's own
waits, and QEMU looks for the way to interrupt only once. The back end is tests/vhost. A 40p cannot
share its memory with one."""

import contextlib
import functools
import re
import subprocess
import time

import pytest

import host
from guest import PATIENCE, ROOT, TRANSPORTS, die_with_parent
from test_interrupts import ON_A_PC
from test_stats import by_udp, card

MEMORY = ["-machine", "pc,memory-backend=mem", "-m", "64",
          "-object", "memory-backend-memfd,id=mem,size=64M,share=on"]


class BackEnd:
    """The program tests/vhost; gather: ms that it collects frames for, before it delivers them."""

    def __init__(self, folder, gather=0):
        self.path = f"{folder}/vhost"
        self.command = [str(ROOT / "build/host/vhost-user"), self.path, "tap0", str(gather)]
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL,
                                        preexec_fn=die_with_parent)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def network(self, device):
        """QEMU's arguments for a card on it."""
        options = ",".join(filter(None, ("virtio-net-pci,netdev=n0,id=nic0", device)))
        return [*MEMORY, "-chardev", f"socket,id=c0,path={self.path},server=on,wait=off",
                "-netdev", "vhost-user,id=n0,chardev=c0", "-device", options]


@pytest.fixture
def back_end(tmp_path):
    """Starts back ends, which end with the test."""
    with contextlib.ExitStack() as stack:
        def start(**options):
            started = BackEnd(tmp_path, **options)
            stack.callback(started.kill)
            return started
        yield start


@functools.lru_cache
def qemu_version(qemu):
    done = subprocess.run([qemu, "--version"], text=True, capture_output=True, timeout=PATIENCE,
                          check=True)
    return int(re.search(r"version (\d+)", done.stdout)[1])


def figures(guest):
    return card(by_udp(guest.address))


def assert_it_interrupts(guest):
    """Each frame brings its interrupt: none waits for the clock's tick."""
    before = figures(guest)["rx_interrupts"]
    for _ in range(50):
        host.ping(guest.address, count=1)
    assert figures(guest)["rx_interrupts"] - before >= 40


def flood(address, count, in_flight):
    """Pings as fast as they are answered, never more than so many at a time."""
    identifier = next(host.PINGS) & 0xffff
    sent = 0
    with host.icmp_socket(address) as raw:
        for answered in range(count):
            while sent < min(count, answered + in_flight):
                raw.send(host.icmp_packet(8, identifier, sent, bytes(56)))
                sent += 1
            assert host.next_reply(raw, identifier, time.monotonic() + PATIENCE), \
                f"{sent} pings, and {answered} are answered"


@ON_A_PC
@pytest.mark.parametrize("transport", ["legacy", "modern"])
@pytest.mark.parametrize("irq", ["intx", "vectors=0", "msix"])
def test_traffic(boot, arch, back_end, irq, transport):
    if irq == "msix" and qemu_version(arch.machine[0]) < 10:
        pytest.skip("QEMU's vhost crashes with MSI-X under TCG before version 10")
    device, append = ("vectors=0", "irq=auto") if irq == "vectors=0" else ("", f"irq={irq}")
    device = ",".join(filter(None, (device, TRANSPORTS[transport])))
    started = back_end()
    guest = boot(f"mode=irq {append}", network=started.network(device)).wait_ready()
    guest.wait_for(f"interrupts: {'MSI-X' if irq == 'msix' else 'INTx'}")
    assert_it_interrupts(guest)
    flood(guest.address, 1000, in_flight=2)
    host.echo_of_every_length(guest.address)
    host.tcp_echo(guest.address, 10 * host.MIB)
    with host.tcp_socket(guest.address, host.ECHO) as sock:
        sock.sendall(b"before")
        assert host.receive_exactly(sock, 6) == b"before"
        started.kill()
        guest.wait_for("^vtnet: link down$")
        started.start()
        guest.wait_for("^vtnet: link up$")
        sock.sendall(b"after")
        assert host.receive_exactly(sock, 5) == b"after"
    assert_it_interrupts(guest)
    host.serves(guest.address)

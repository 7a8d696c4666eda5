# SPDX-License-Identifier: BSD-2-Clause
"""A card behind vhost-user: the device drops frames without a receive buffer, while QEMU's own tap
waits, and QEMU samples the interrupt configuration only once. The back end is tests/vhost. A 40p
cannot share its memory with one."""

import contextlib
import signal
import subprocess
import time

import pytest

import host
import qemu
from guest import ADDRESS, PATIENCE, ROOT, TRANSPORTS, die_with_parent
from test_interrupts import ON_A_PC
from test_stats import by_udp, card

MEMORY = ["-machine", "pc,memory-backend=mem", "-m", "64",
          "-object", "memory-backend-memfd,id=mem,size=64M,share=on"]
QUIET = "rxquiet=20"  # ms: the limit of receive buffers falls soon


class BackEnd:
    """The program tests/vhost."""

    def __init__(self, folder, *options):
        self.path = f"{folder}/vhost"
        self.command = [str(ROOT / "build/host/vhost-user"), self.path, "tap0", *options]
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        preexec_fn=die_with_parent)

    def kill(self):
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def standing_still(self):
        """Stops the back end during the body: frames sent meanwhile arrive at once."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def network(self, device):
        """QEMU's arguments for a card on it."""
        options = ",".join(filter(None, ("virtio-net-pci,netdev=n0,id=nic0", device)))
        return [*MEMORY, "-chardev", f"socket,id=c0,path={self.path},server=on,wait=off",
                "-netdev", "vhost-user,id=n0,chardev=c0", "-device", options]


@pytest.fixture
def back_end(tmp_path):
    """Starts back ends, which end with the test."""
    with contextlib.ExitStack() as stack:
        def start(*options):
            started = BackEnd(tmp_path, *options)
            stack.callback(started.kill)
            return started
        yield start


def figures(guest):
    return card(by_udp(guest.address))


def assert_it_interrupts(guest):
    """Each frame causes its interrupt: none waits for the clock's tick."""
    before = figures(guest)["rx_interrupts"]
    for _ in range(50):
        host.ping(guest.address, count=1)
        time.sleep(0.001)  # it sleeps again
    assert figures(guest)["rx_interrupts"] - before >= 5


def flood(address, count, in_flight):
    """Pings as fast as they are answered, with at most this many in flight."""
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
    if irq == "msix" and qemu.features(arch).version < (10,):
        pytest.skip("QEMU's vhost crashes with MSI-X under TCG before version 10")
    device, append = ("vectors=0", "irq=auto") if irq == "vectors=0" else ("", f"irq={irq}")
    device = ",".join(filter(None, (device, TRANSPORTS[transport])))
    started = back_end()
    guest = boot(f"mode=irq {append}", network=started.network(device)).wait_ready()
    guest.wait_for(f"interrupts: {'MSI-X' if irq == 'msix' else 'INTx'}")
    assert_it_interrupts(guest)
    flood(guest.address, 1000, in_flight=16)
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


def burst(device, count, size, expected):
    """Pings that arrive at once: exactly this many of them are answered."""
    identifier = next(host.PINGS) & 0xffff
    answered = 0
    with host.icmp_socket(ADDRESS) as raw:
        with device.standing_still():
            for sequence in range(count):
                raw.send(host.icmp_packet(8, identifier, sequence, bytes(size)))
        until = time.monotonic() + PATIENCE
        while answered < expected and host.next_reply(raw, identifier, until):
            answered += 1
        until = time.monotonic() + 0.1
        while expected < count and host.next_reply(raw, identifier, until):
            answered += 1
    assert answered == expected, f"of a burst of {count} {answered} are answered"


def wait_for_quiet(guest, device, limit):
    """Waits until the limit of receive buffers has fallen and the excess buffers are used up, by
    bursts too small to raise it."""
    deadline = time.monotonic() + PATIENCE
    while (now := figures(guest))["rx_limit"] > limit or now["rx_posted"] > limit:
        assert time.monotonic() < deadline, f"the limit stays at {now['rx_limit']}"
        few = min(max(now["rx_posted"] - limit, 0), limit // 4)
        burst(device, few, 56, expected=few)
        time.sleep(0.01)  # who asks all the time is not answered
    assert now["rx_limit"] == limit


@pytest.fixture
def silent_host():
    """The host sends nothing by itself: no requests for its neighbour's address and no IPv6
    messages when the link comes up. With the link down it does not report that it leaves groups."""
    host.ip("link", "set", "dev", "tap0", "down", "addrgenmode", "none")
    host.ip("-6", "address", "flush", "dev", "tap0")
    host.ip("link", "set", "dev", "tap0", "up")
    host.ip("neigh", "replace", ADDRESS, "lladdr", "52:54:00:12:34:56", "dev", "tap0",
            "nud", "permanent")
    yield
    host.ip("neigh", "del", ADDRESS, "dev", "tap0")
    host.ip("link", "set", "dev", "tap0", "addrgenmode", "eui64")
    host.ip("-6", "address", "add", "fd00::1/64", "dev", "tap0", "nodad", check=False)


@ON_A_PC
@pytest.mark.parametrize("device", [
    TRANSPORTS["modern"], f"mrg_rxbuf=off,{TRANSPORTS['legacy']}",
    f"event_idx=off,mrg_rxbuf=off,{TRANSPORTS['modern']}"])
@pytest.mark.usefixtures("silent_host")
def test_no_burst_of_32_frames_is_lost(boot, back_end, device):
    """No burst is lost at the start, nor after low traffic that follows heavy traffic."""
    started = back_end()
    guest = boot(f"mode=irq irq=intx {QUIET}", network=started.network(device)).wait_ready()
    for size in (56, 1472):
        for count in (4, 8, 16, 32):
            burst(started, count, size, expected=count)
            wait_for_quiet(guest, started, 32)
        burst(started, 64, size, expected=32)
        burst(started, 64, size, expected=64)
        wait_for_quiet(guest, started, 32)
        burst(started, 32, size, expected=32)
        wait_for_quiet(guest, started, 32)


@ON_A_PC
@pytest.mark.parametrize("buffers", [2, 16, 64])
@pytest.mark.usefixtures("silent_host")
def test_a_burst_is_lost_beyond_the_buffers_that_are_posted(boot, back_end, buffers):
    """The cost of a smaller bufinit= on such a device, and the gain of a larger one."""
    started = back_end()
    guest = boot(f"mode=irq irq=intx {QUIET} bufinit={buffers}",
                 network=started.network("mrg_rxbuf=off")).wait_ready()
    for count in (4, 16, 32, 64):
        wait_for_quiet(guest, started, buffers)
        burst(started, count, 56, expected=min(count, buffers))

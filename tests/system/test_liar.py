# SPDX-License-Identifier: BSD-2-Clause
"""A device that lies during a connection: the vhost-user back end of tests/vhost.

After each lie the guest answers a ping, either unaffected or after it has reset the device and
reported that. The connection continues, and each of its bytes is correct. DEVICE_NEEDS_RESET is
a status bit that QEMU, not the back end, controls: test_recovery.py tests it.

LIAR=all in the environment, as set by `make liar`, tells all lies on all kinds of device, and
prints each result; LIAR=drop,loss tells those.
"""

import contextlib
import dataclasses
import os
import select
import threading
import time

import pytest

import host
import qemu
from guest import PATIENCE, TRANSPORTS
from test_interrupts import ON_A_PC
from test_recovery import NIC, Stub
from test_stats import by_http, by_udp, card
from test_vhost import back_end  # noqa: F401, a fixture

CHOSEN = os.environ.get("LIAR", "").split(",")
KIB = 1 << 10
RESET, ON = "reset", "on"
EITHER = (RESET, ON)  # the guest checks before or after the back end continues
SLOW = {"unheard", "drop", "loss"}  # noticed after seconds


@dataclasses.dataclass(frozen=True)
class Lie:
    """name, queue, count: passed to the back end. outcomes: permitted reactions of the guest."""
    name: str
    queue: str = "rx"
    count: int = 1
    outcomes: tuple = (ON,)


def lies():
    for queue in ("rx", "tx"):
        yield Lie("id-range", queue, 1, (RESET,))
        yield Lie("id-free", queue, 1, (RESET,))
        yield Lie("id-twice", queue, 1, (RESET,) if queue == "rx" else EITHER)
        yield Lie("id-other", queue, 3, EITHER)
        yield Lie("reorder", queue, 300)
        for name in ("index-ahead", "index-one", "index-back", "spoil-descriptors", "spoil-avail",
                     "spoil-used"):
            yield Lie(name, queue, 1, EITHER)
        yield Lie("length-max", queue, 20)
        yield Lie("stall", queue, 700)
        yield Lie("mute", queue, 500)
    for name in ("length-0", "length-short", "length-header", "length-cut", "length-room",
                 "length-more", "buffers-0", "buffers-more", "buffers-max", "buffers-less",
                 "buffers-small", "gso-unknown", "gso-udp", "gso-uso", "gso-size-0",
                 "gso-size-max", "gso-v6", "hdr-len-max", "csum-start-max", "csum-offset-max",
                 "flags-unknown", "header-noise"):
        yield Lie(name, "rx", 5)
    yield Lie("away", "rx", 300)
    yield Lie("drop", "rx", 3)
    yield Lie("drop", "tx", 3, (RESET,))
    yield Lie("loss", "tx", 3, (RESET,))
    yield Lie("unheard", "tx", 100)


class Stream:
    """A TCP connection whose bytes are sent, echoed and compared until it is closed."""

    def __init__(self, address):
        self.echoed = 0
        self.error = None
        self.sock = host.tcp_socket(address, host.ECHO)
        self.sock.settimeout(4 * PATIENCE)
        self.running = threading.Event()
        self.resting = threading.Event()
        self.ends = False
        self.running.set()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        turn = 0
        try:
            while not self.ends:
                turn += 1
                data = host.pattern(1000 + turn % 7 * 1000, seed=turn % 256)
                self.sock.sendall(data)
                host.compare(data, host.receive_exactly(self.sock, len(data)), "TCP echo")
                self.echoed += len(data)
                time.sleep(0.001)
                if not self.running.is_set():
                    self.resting.set()
                    self.running.wait()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
            self.resting.set()

    def goes_on(self):
        """Waits until more bytes have come back."""
        until = time.monotonic() + 2 * PATIENCE
        first = self.echoed
        while self.echoed - first < 40 * KIB and self.error is None:
            assert time.monotonic() < until, "the connection stands still"
            time.sleep(0.002)
        if self.error is not None:
            raise self.error

    @contextlib.contextmanager
    def pause(self):
        self.resting.clear()
        self.running.clear()
        assert self.resting.wait(2 * PATIENCE), "the connection stands still"
        yield
        self.running.set()

    def close(self):
        self.ends = True
        self.running.set()
        self.thread.join(PATIENCE)
        self.sock.close()


def next_answer(address, since, seconds=2 * PATIENCE):
    """Pings until one is answered; returns the seconds that this took."""
    identifier = next(host.PINGS) & 0xffff
    with host.icmp_socket(address) as raw:
        for sequence in range(int(seconds * 50)):
            raw.send(host.icmp_packet(8, identifier, sequence, b"after a lie"))
            if host.next_reply(raw, identifier, time.monotonic() + 0.02):
                return time.monotonic() - since
    raise AssertionError(f"{address} does not answer a ping in {seconds} s")


class Liar:
    """A device, and a guest that is restarted after each reset: a second reset would be delayed."""

    def __init__(self, boot, started, ring, append):
        self.boot, self.device, self.ring, self.append = boot, started, ring, append
        self.guest = self.stream = None
        self.said = b""
        self.kept = False  # the device may have buffers that it will not use, or not as posted

    def fresh(self):
        self.end()
        network = self.device.network(f"packed={'on' if self.ring == 'packed' else 'off'}")
        self.guest = self.boot(self.append, network=network).wait_ready()
        self.stream = Stream(self.guest.address)

    def end(self):
        if self.guest is not None:
            self.stream.close()
            self.guest.end_seen = True  # and was looked at after each lie
            self.guest.__exit__(None, None, None)
            self.guest = None

    def figures(self):
        return card(by_udp(self.guest.address))

    def hears(self, line):
        """Waits until the back end prints this, whatever it has printed before, and returns the
        time."""
        until = time.monotonic() + PATIENCE
        while line.encode() not in (lines := self.said.split(b"\n"))[:-1]:
            ready, _, _ = select.select([self.device.process.stdout], [], [], 1)
            if ready:
                self.said += os.read(self.device.process.stdout.fileno(), 4096)
            assert time.monotonic() < until, f"the back end does not say '{line}'"
        self.said = b"\n".join(lines[lines.index(line.encode()) + 1:])
        return time.monotonic()

    def tell(self, lie, seed):
        """Returns the guest's reaction, the seconds until it answered again, and the lost frames."""
        if self.guest is None or self.kept or self.figures()["recoveries"]:
            self.fresh()
        self.kept = lie.name in ("id-other", "drop")
        before = self.figures()
        self.stream.goes_on()
        self.device.process.stdin.write(f"{lie.name} {lie.queue} {lie.count} {seed}\n".encode())
        self.device.process.stdin.flush()
        told = self.hears(f"{lie.name} told")
        seconds = next_answer(self.guest.address, told)
        self.hears(f"{lie.name} over")
        if lie.outcomes == (RESET,):
            self.guest.wait_for("the device is back", seconds=2 * PATIENCE)
        self.stream.goes_on()
        with self.stream.pause():
            self.look_well(before)
            after = self.figures()
        resets = after["recoveries"] - before["recoveries"]
        lost = sum(after[name] - before[name] for name in ("tx_lost", "rx_bad", "rx_dropped"))
        return {0: ON, 1: RESET}.get(resets, f"{resets} resets"), seconds, lost

    def look_well(self, before):
        """Services answer, receive buffers are posted, and each reset was logged with its reason."""
        address = self.guest.address
        if not self.kept:
            try:
                host.ping(address, count=5)
                host.udp_echo(address, (1, 1472))
            except AssertionError:  # a lie may show only with the next frame, which is then lost
                host.ping(address, count=5)
                host.udp_echo(address, (1, 1472))
        host.tcp_echo(address, 20 * KIB)
        by_http(address)
        self.guest.assert_well()
        until = time.monotonic() + PATIENCE
        while not self.at_rest(now := by_udp(address)):
            assert time.monotonic() < until, f"receive buffers do not come back: {now}"
            time.sleep(0.02)
        assert now["stack"]["assertions"] == 0
        resets = self.guest.console().count("virtio-net: the device is reset in 0 ms, as it ")
        assert resets == card(now)["recoveries"], "a line for each reset"
        assert self.guest.console().count("the device is back") == resets
        assert card(now)["rx_buffers"] <= before["rx_buffers_max"]

    @staticmethod
    def at_rest(stats):
        """All buffers except that of the request are posted; the stack has none."""
        figures = card(stats)
        return figures["rx_lent"] == 0 and figures["rx_posted"] >= figures["rx_limit"] - 1


def combinations():
    for ring in ("split", "packed"):
        for offloads in ((), ("offloads",)):
            for irq in ("intx", "msix"):
                yield pytest.param(ring, offloads, irq, id="-".join((ring, *offloads, irq)))


def chosen(ring, offloads, irq):
    """The lies of a run, each with its seed: for `make check` a few on each ring. A packed ring has
    no index that could go back, and QEMU forgets its position when the back end disconnects."""
    everything = [(seed, lie) for seed, lie in enumerate(lies(), 1)
                  if ring != "packed" or lie.name not in ("index-back", "away")]
    if CHOSEN != [""]:
        return [(seed, lie) for seed, lie in everything if {lie.name, "all"} & set(CHOSEN)]
    if irq == "msix" or bool(offloads) != (ring == "split"):
        return []
    return [(seed, lie) for seed, lie in everything
            if seed % 4 == (0 if ring == "split" else 2) and lie.name not in SLOW]


@ON_A_PC
@pytest.mark.parametrize("ring, offloads, irq", [one for one in combinations() if chosen(*one.values)])
def test_lies(boot, arch, back_end, ring, offloads, irq):  # noqa: F811
    if irq == "msix" and qemu.features(arch).version < (10,):
        pytest.skip("QEMU's vhost crashes with MSI-X under TCG before version 10")
    liar = Liar(boot, back_end(*offloads), ring, f"mode=irq irq={irq}")
    wrong = []
    for seed, lie in chosen(ring, offloads, irq):
        try:
            outcome, seconds, lost = liar.tell(lie, seed)
        except (AssertionError, OSError) as error:
            outcome, seconds, lost = str(error).partition("\n")[0], 0, 0
            wrong.append(f"{lie}, seed {seed}: {error}\n{liar.guest.report()}")
            liar.kept = True
        print(f"{lie.name:18} {lie.queue}  {ring:6} {' '.join(offloads) or '-':8} {irq}  "
              f"{outcome:8} {seconds:6.2f} s  {lost:4} lost", flush=True)
        if outcome not in lie.outcomes:
            wrong.append(f"{lie}, seed {seed}: {outcome}")
    if liar.guest is not None:
        host.serves(liar.guest.address)
        liar.end()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("lie", ["id", "index"])
@pytest.mark.parametrize("transport", ["legacy", "modern"])
def test_lie_of_the_debugger(boot, arch, transport, lie, tmp_path):
    """QEMU's gdb stub writes to the used ring, on a machine without vhost-user."""
    gdb = tmp_path / "gdb"
    guest = boot("mode=irq", device=TRANSPORTS[transport],
                 qemu=["-gdb", f"unix:{gdb},server=on,wait=off"]).wait_ready()
    stream = Stream(guest.address)
    stream.goes_on()
    with stream.pause():
        guest.qmp("set_link", name="nic0", up=False)  # a frame would set the index right
        guest.wait_for("^vtnet: link down")
        order = "big" if (arch.name, transport) == ("ppc", "legacy") else "little"
        queue = guest.qmp("x-query-virtio-queue-status", path=NIC, queue=0)
        stub = Stub(gdb)
        idx = int.from_bytes(stub.read(queue["vring-used"] + 2, 2), order)
        if lie == "id":
            entry = queue["vring-used"] + 4 + 8 * (idx % queue["vring-num"])
            stub.write(entry, (0x12345678).to_bytes(4, order))
        idx += 1 if lie == "id" else 1000
        stub.write(queue["vring-used"] + 2, (idx & 0xffff).to_bytes(2, order))
        stub.leave()
        guest.wait_for("the device is reset in 0 ms, as it broke the rules of a queue")
        guest.wait_for("the device is back")
        guest.qmp("set_link", name="nic0", up=True)
    stream.goes_on()
    stream.close()
    host.serves(guest.address)
    assert card(by_udp(guest.address))[f"rx_bad_{lie}"] == 1

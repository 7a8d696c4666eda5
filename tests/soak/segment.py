# SPDX-License-Identifier: BSD-2-Clause
"""Some minutes of a guest: start, load, events, and a check that its state is as before."""

import contextlib
import json
import pathlib
import random
import tempfile
import time

import host
import packets
import streams
import tools
from events import Events, Machine, host_v6
from guest import ADDRESS, PATIENCE
from options import draw
from watch import explain, explain_connection

OURS, OURS_V6, MAC = "10.0.0.1/24", "fd00::1/64", "02:00:00:00:00:01"
LENT = 2  # buffers that the question itself may hold
LEAST = 44  # minimum of posted receive buffers, if a device does not report that it needs more
REST = 150  # seconds in which everything must be as before: the guest remembers connections for 120
END_MAX = 120  # and in which the clients have to end
AFTER = 1.0  # seconds that a service has after an event


def make_bridge():
    """tap0 and tap1 on a bridge with the host's addresses: one for each side of a migration. A port
    that is always up keeps the bridge up, which takes a second to notice another port."""
    host.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
    host.ip("link", "set", "br0", "address", MAC)
    host.ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth1")
    host.ip("tuntap", "add", "dev", "tap1", "mode", "tap")
    host.ip("address", "flush", "dev", "tap0")
    for tap in ("tap0", "tap1"):
        host.ip("link", "set", tap, "master", "br0", "up")
    for end in ("veth0", "veth1"):
        host.ip("link", "set", end, "up")
    host.ip("link", "set", "veth0", "master", "br0")
    host.ip("address", "add", OURS, "dev", "br0")
    host.ip("-6", "address", "add", OURS_V6, "dev", "br0", "nodad")
    host.ip("link", "set", "br0", "up")


def set_mtu(mtu):
    for name in ("tap0", "tap1", "veth0", "veth1", "br0"):
        host.ip("link", "set", name, "mtu", str(mtu))


class Segment:
    """run() leaves `failures` empty if all was well."""

    def __init__(self, arch, seed, number, watcher):
        self.arch, self.number, self.watcher = arch, number, watcher
        self.random = random.Random(f"{seed} {arch.name} {number}")
        self.options = draw(self.random)
        self.bounded = "bounded=1" in self.options.append
        self.seed = f"{seed} {number}"
        self.workers, self.windows, self.failures, self.stalls = [], [], [], []
        self.log, self.figures = "", {}

    def run(self, seconds):
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vtnet-soak-"))
            set_mtu(self.options.mtu)
            machine = Machine(self.arch, self.options.append, self.options.device,
                              pathlib.Path(folder))
            stack.callback(machine.close)
            events = Events(machine, self.random, self.options.modern,
                            self.options.packed)
            self.windows = events.windows
            try:
                before = self.begin(machine)
                self.load(machine, events, seconds)
                self.compare(before, machine, events)
            except (AssertionError, OSError, KeyError, ValueError) as error:
                self.failures += [*machine.broken(), f"{type(error).__name__}: {error}"]
                self.end_load()
            finally:
                for worker in self.workers:
                    worker.end.set()
            machine.close()
            self.log = f"{machine.report()}\n{json.dumps(self.figures, indent=1)}\n"
            self.judge()

    def begin(self, machine):
        """Uses everything once, so that permanent allocations exist."""
        machine.guest.wait_ready()
        deadline = time.monotonic() + PATIENCE
        for address in (ADDRESS, host_v6()):
            while True:
                try:
                    host.udp_echo(address, (1, 100), patience=1)
                    break
                except (AssertionError, OSError):
                    assert time.monotonic() < deadline, f"{address} does not answer"
                    time.sleep(0.1)
            host.tcp_echo(address, 1000)
        last = [None]

        def still(figures):
            last.append(figures["memory"]["used"])
            return last[-1] == last[-2]

        return streams.figures_at_rest(ADDRESS, still, PATIENCE)

    def clients(self):
        netperf = tools.netperf_program()
        if self.bounded:  # it has little more memory and refuses other requests, which is its purpose
            for address in (ADDRESS, host_v6()):
                for kind in (streams.Echo, packets.UdpEcho, packets.Ping):
                    yield kind(address, self.seed)
            return
        for address in (ADDRESS, host_v6()):
            yield from (streams.Echo(address, self.seed, number) for number in range(2))
            for kind in (streams.Churn, streams.Sink, streams.Source, packets.UdpEcho, packets.Ping):
                yield kind(address, self.seed)
        yield streams.Statistics(ADDRESS, self.seed)
        one, other = self.random.sample((ADDRESS, host_v6()), 2)
        yield packets.UdpSink(one, self.seed)
        yield packets.UdpSource(other, self.seed)
        if netperf:
            yield tools.Netperf(one, self.seed, netperf)
        yield tools.Iperf(other, self.seed, "iperf")

    def load(self, machine, events, seconds):
        self.workers = list(self.clients())
        for worker in self.workers:
            worker.start()
        end = time.monotonic() + seconds
        most = min(6, seconds / 10)
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.random.uniform(most / 6, most)))
            machine.well()
            if any(worker.failure for worker in self.workers):
                break
            if time.monotonic() < end:
                events.next()
        self.end_load()
        machine.well()

    def end_load(self):
        pings = [worker for worker in self.workers if isinstance(worker, packets.Ping)]
        others = [worker for worker in self.workers if worker not in pings]
        for workers in (others, pings):  # which go on while connections end
            for worker in workers:
                worker.end.set()
            deadline = time.monotonic() + END_MAX
            for worker in workers:
                worker.join(max(0, deadline - time.monotonic()))
                if worker.is_alive() and not worker.failure:
                    worker.failure = f"{worker} does not end"

    def compare(self, before, machine, events):
        """At rest everything has to be back."""
        def back(figures):
            return not list(differences(before, figures))

        after = streams.figures_at_rest(ADDRESS, back, REST)
        self.figures = after
        self.failures += differences(before, after)
        self.failures += implausible(after, [name for *_, name in events.windows])
        machine.well()

    def judge(self):
        floods = [each for worker in self.workers for each in getattr(worker, "floods", ())]
        pings = [stall for worker in self.workers if worker.service == "ping"
                 for stall in worker.gaps.stalls]
        for worker in self.workers:
            if worker.failure:
                self.failures.append(worker.failure)
            for begin, end, what in getattr(worker, "failed", ()):
                if not any(start < end and begin < stop for start, stop, _ in self.windows):
                    self.failures.append(what)
            windows = [(start, end + AFTER, name) for start, end, name in self.windows + floods]
            for stall in worker.gaps.stalls:
                reason = explain(stall, windows, self.watcher)
                if not reason and worker.service.startswith("TCP"):
                    reason = explain_connection(stall, windows, pings)
                self.stalls.append((worker, stall, reason))
                if not reason:
                    self.failures.append(f"{worker}: stood still for "
                                         f"{stall[1] - stall[0]:.1f} s, and nothing explains it")


def without_buffers(figures):
    """The bytes in use for everything else. There are eight block sizes per power of two."""
    card = figures["cards"][0]["counters"]
    size = card["rx_held"] // card["rx_buffers"] + 16  # with its header
    step = (1 << (size - 1).bit_length() - 1) // 8
    return figures["memory"]["used"] - card["rx_buffers"] * (-(-size // step) * step)


def differences(before, after):
    """What is not where it was."""
    one, two = (each["cards"][0]["counters"] for each in (before, after))
    pairs = [(name, one[name], two[name]) for name in ("rx_maximum",)]
    pairs.append(("rx_limit", max(one["rx_limit"], LEAST), two["rx_limit"]))
    pairs.append(("rx_lent", one["rx_lent"] + LENT, two["rx_lent"]))
    pairs.append(("memory in use without receive buffers", without_buffers(before),
                  without_buffers(after)))
    if not after["memory"]["sealed"]:  # as many are kept for the next refill
        pairs.append(("rx_buffers", 2 * max(one["rx_limit"], LEAST) + LENT, two["rx_buffers"]))
    for name, was, now in pairs:
        if now > was:
            yield f"{name} was {was} and is {now}"


def implausible(figures, events):
    """Counters that must not have these values. Frames that the bridge sent to both ports may reach
    the guest that has sent them, when it has moved."""
    never = {"rx_refused", "rx_foreign"} | ({"rx_own"} if "migration" not in events else set())
    resets = events.count("reset")
    card = figures["cards"][0]["counters"]
    for name, value in card.items():
        if value and ("_bad" in name or name in never):
            yield f"{name} is {value}"
    if card["recoveries"] != resets:
        yield f"{card['recoveries']} recoveries of {resets} resets"
    if figures["stack"]["assertions"]:
        yield f"{figures['stack']['assertions']} assertions of the stack have failed"



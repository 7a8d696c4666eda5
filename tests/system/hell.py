# SPDX-License-Identifier: BSD-2-Clause
"""Floods by build/host/flood, the checks of a guest after an attack, and the table of both.

With HELL_S in the environment this is the long form: each attack takes that many seconds. After
each one the first ping must be answered within a second, and the guest's memory must be freed.
SEED is the seed of all attacks."""

import dataclasses
import os
import random
import subprocess
import time

import host
import services
from guest import ADDRESS, PATIENCE, ROOT
from test_ipv6 import GUEST
from test_stats import by_udp

FLOOD = ROOT / "build/host/flood"
LONG = bool(os.environ.get("HELL_S"))
SECONDS = float(os.environ.get("HELL_S") or 0.3)
SEED = int(os.environ.get("SEED") or (random.getrandbits(32) if LONG else 1))

# Time in which everything is freed (docs/services.md). Connections in TIME_WAIT are excepted, as
# our own HTTP requests leave some.
MEMORY_SECONDS = 150
TIME_WAIT_BYTES = 256 * 256
# The short form does not wait for half-open connections (20 s) and IPv6 fragments (a minute).
HALF_OPEN_BYTES = 128 * 1024
FRAGMENT_BUFFERS = 96
# Limit for all connections, fragments and neighbours during an attack.
ATTACKED_BYTES = 8 << 20

FAMILIES = (ADDRESS, GUEST)


def attacks():
    return subprocess.run([FLOOD], check=True, text=True, capture_output=True).stdout.split()


@dataclasses.dataclass
class Figures:
    """The guest's memory in its statistics. heap: bytes without the receive buffers."""
    heap: int
    buffers: int
    posted: int
    lent: int
    clock: float
    assertions: int

    @classmethod
    def ask(cls):
        stats = by_udp(ADDRESS)
        card = stats["cards"][0]["counters"]
        return cls(stats["memory"]["used"] - card["rx_held"], card["rx_buffers"], card["rx_limit"],
                   card["rx_lent"], stats["clock_ns"] / 1e9, stats["stack"]["assertions"])

    def is_back(self, before):
        """True if no more memory is used than before; as many buffers as are posted may be free."""
        heap, lent = before.heap + TIME_WAIT_BYTES, before.lent
        if not LONG:
            heap, lent = heap + HALF_OPEN_BYTES, lent + FRAGMENT_BUFFERS
        return (self.heap <= heap and self.lent <= lent
                and self.buffers <= 2 * before.posted + self.lent)


@dataclasses.dataclass
class Row:
    """A row of the table: an attack, what it sent, and what it left."""
    attack: str
    frames: int
    seconds: float
    ping_ms: float
    before: Figures
    after: Figures
    back_s: float = None

    HEADER = ("attack                       frames  frames/s  ping ms   heap KiB before after"
              "   buffers before after   back in s")

    def __str__(self):
        back = "" if self.back_s is None else f"{self.back_s:.1f}"
        return (f"{self.attack:24} {self.frames:10} {self.frames / max(self.seconds, 1e-9):9.0f} "
                f"{self.ping_ms:8.1f} {self.before.heap / 1024:17.0f} {self.after.heap / 1024:5.0f} "
                f"{self.before.buffers:16} {self.after.buffers:5} {back:>11}")


def flood(attack):
    """Returns how many frames were sent."""
    done = subprocess.run([FLOOD, "tap0", attack, str(SECONDS), str(SEED)], text=True,
                          capture_output=True, timeout=SECONDS + PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def first_ping():
    """Milliseconds until the first of several pings is answered."""
    start = time.monotonic()
    limit = 1 if LONG else PATIENCE
    with host.icmp_socket(ADDRESS) as raw:
        for sequence in range(1, 50 * limit):
            raw.send(host.icmp_packet(8, 0x6868, sequence, b"hell"))
            if host.next_reply(raw, 0x6868, start + sequence / 50):
                return 1000 * (time.monotonic() - start)
    raise AssertionError(f"no ping is answered in {limit} s")


def everything_is_served():
    for address in FAMILIES:
        host.settle_udp(address)
        for port in services.TCP_PORTS:
            services.works(address, port, 20_000)
        host.udp_echo(address, (0, 100, 1400, 3000))
        host.sink_statistics(address)


class Attacked:
    """A guest under attack, and its state before the first one."""

    def __init__(self, guest):
        self.guest, self.table = guest, []
        everything_is_served()
        self.quiet = Figures.ask()

    def after(self, name, attack):
        """Performs an attack, which returns the number of frames sent. Checks that the guest is
        well."""
        print(f"{name}: SEED={SEED}")
        before = Figures.ask()
        start = time.monotonic()
        frames = attack()
        seconds = time.monotonic() - start
        ping = first_ping()
        everything_is_served()
        after = Figures.ask()
        self.guest.assert_well()
        row = Row(name, frames, seconds, ping, before, after)
        self.table.append(row)
        assert after.assertions == before.assertions == 0
        assert after.clock - before.clock >= seconds, "the guest's clock stood still"
        assert after.heap < before.heap + ATTACKED_BYTES
        if LONG:
            row.back_s = self.wait_until_quiet()

    def wait_until_quiet(self):
        """Waits until memory use is back at its previous value. Returns the seconds taken."""
        start = time.monotonic()
        while not (now := Figures.ask()).is_back(self.quiet):
            waited = time.monotonic() - start
            assert waited < MEMORY_SECONDS, f"{now} after {waited:.0f} s; at first {self.quiet}"
            time.sleep(0.25)
        return time.monotonic() - start

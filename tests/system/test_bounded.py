# SPDX-License-Identifier: BSD-2-Clause
"""bounded=1: no memory is allocated after the start, and the longest pass is known."""

import contextlib
import socket
import time

import pytest

import host
from test_stats import by_udp

# Each instruction counts as one nanosecond: a pass takes at most 64 frames, each of several
# thousand instructions in the stack and a service.
INSTRUCTIONS_MAX = 2_000_000


def load(address):
    """All services at once, with more than the windows and the ring hold."""
    host.serves(address)
    host.burst(address, 500, 1472)
    host.udp_echo(address, (0, 100, 1472, 5000, 20000))
    for _ in range(2):
        host.all_at_once(lambda length: host.tcp_echo(address, length), [host.MIB // 2] * 4)


@pytest.mark.parametrize("append", ["", "bufmem=512 bufmax=128 mode=irq"])
def test_no_memory_is_taken_after_the_start(boot, append):
    guest = boot(f"bounded=1 stats=1 {append}").wait_ready()
    touched = guest.wait_for(r"^vtnet: bounded: (\d+) KiB of memory are in use, and no more will be$")
    touched = int(touched[1])
    before = by_udp(guest.address)
    assert before["memory"]["sealed"] == 1
    assert before["memory"]["touched"] >> 10 == touched
    load(guest.address)
    after = by_udp(guest.address)
    assert after["memory"]["touched"] == before["memory"]["touched"]
    assert after["memory"]["refused"] == 0
    for stats in (before, after):
        counters = stats["cards"][0]["counters"]
        assert counters["rx_limit"] == counters["rx_initial"] == counters["rx_maximum"]
        assert counters["rx_buffers"] <= counters["rx_buffers_max"]
        assert (counters["rx_ups"], counters["rx_downs"]) == (0, 0)
    guest.wait_for(r"^vtnet: bounded: worst pass \d+ ns of \d+ frames: receive \d+, timers \d+, "
                   r"services \d+, flush \d+ ns; \d+ KiB touched, 0 allocations refused")


def test_more_than_was_set_aside(boot):
    """Connections that nobody reads from hold all memory; others may fail until they end."""
    guest = boot("bounded=1 bufmem=512").wait_ready()
    touched = by_udp(guest.address)["memory"]["touched"]
    with contextlib.ExitStack() as stack:
        for _ in range(16):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex((guest.address, host.SOURCE))
        time.sleep(1)
        host.ping(guest.address, count=20)
    memory = by_udp(guest.address)["memory"]
    assert memory["refused"] > 0
    assert memory["touched"] == touched
    host.serves(guest.address)


def test_worst_pass_in_instructions(boot, capsys):
    """QEMU's clock counts the guest's instructions, so the result does not depend on the host."""
    guest = boot("bounded=1 mode=irq", qemu=["-icount", "shift=0"]).wait_ready()
    load(guest.address)
    guest.wait_for("^vtnet: name ")  # after that of the addresses nothing more begins by itself
    loop = by_udp(guest.address)["loop"]
    shares = {name: loop[f"worst_{name}_ns"] for name in ("receive", "timers", "services", "flush")}
    with capsys.disabled():
        print(f"\n{guest.arch.name}: worst pass {loop['worst_pass_ns']} instructions, "
              f"{loop['worst_pass_frames']} frames: "
              + ", ".join(f"{name} {share}" for name, share in shares.items()))
    assert 0 < loop["worst_pass_ns"] < INSTRUCTIONS_MAX
    assert loop["worst_pass_frames"] <= 64
    assert abs(sum(shares.values()) - loop["worst_pass_ns"]) < 0.1 * loop["worst_pass_ns"]

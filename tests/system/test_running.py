# SPDX-License-Identifier: BSD-2-Clause
"""A running guest: commands typed by hand, the link, statistics, and sleeping."""

import shlex
import time

import pytest

import host
from guest import MODES, Guest


@pytest.mark.parametrize("device", [",disable-modern=on", ",disable-legacy=on", ""])
def test_command_typed_by_hand(arch, device):
    """The unchanged command of the manual: no script and no additional options."""
    command = shlex.split(arch.by_hand.format(device))
    with Guest(arch, command=command) as guest:
        guest.wait_ready()
        host.ping("10.0.0.2", count=100)
        host.serves("10.0.0.2")
        guest.assert_well()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("device", ["disable-modern=on", "disable-legacy=on"])
def test_link_down_and_up(boot, mode, device):
    guest = boot(f"mode={mode}", device=device).wait_ready()
    for turn in (1, 2):
        host.ping(guest.address, count=5)
        guest.qmp("set_link", name="nic0", up=False)
        guest.wait_for("^vtnet: link down", count=turn)
        assert host.pings_answered(guest.address, 1) == 0
        guest.qmp("set_link", name="nic0", up=True)
        guest.wait_for("^vtnet: link up", count=turn)
        host.ping(guest.address, count=20)
    host.serves(guest.address)


def test_link_down_at_the_start(arch):
    """A machine that is started stopped, so that its link is down at first."""
    with Guest(arch, qemu=["-S"]) as guest:
        while not guest.qmp_is_there():
            time.sleep(0.01)
        guest.qmp("set_link", name="nic0", up=False)
        guest.qmp("cont")
        guest.wait_for(r"^vtnet: MAC address .*, link down")
        guest.qmp("set_link", name="nic0", up=True)
        guest.wait_for("^vtnet: link up")
        guest.wait_ready()
        host.serves(guest.address)
        guest.assert_well()


def test_link_down_during_tcp(boot):
    """A connection survives a short time without link."""
    guest = boot().wait_ready()
    with host.tcp_socket(guest.address, host.ECHO) as sock:
        sock.sendall(b"before")
        assert sock.recv(100) == b"before"
        guest.qmp("set_link", name="nic0", up=False)
        guest.wait_for("^vtnet: link down")
        sock.sendall(b"meanwhile")
        guest.qmp("set_link", name="nic0", up=True)
        guest.wait_for("^vtnet: link up")
        assert sock.recv(100) == b"meanwhile"


@pytest.mark.parametrize("mode", MODES)
def test_statistics_every_second(boot, mode):
    start = time.monotonic()
    guest = boot(f"stats=1 mode={mode}").wait_ready()
    guest.wait_for(r"^vtnet: stats: .*\n", count=3)
    assert time.monotonic() - start > 2  # three seconds of the guest's
    assert "dropped 0, ring full 0, copied 0, device errors 0" in guest.console()


def test_no_statistics_unasked(boot):
    guest = boot().wait_ready()
    time.sleep(1.2)
    assert "stats" not in guest.console()


@pytest.mark.parametrize("device", ["disable-modern=on", "disable-legacy=on"])
@pytest.mark.parametrize("mode", ["irq", "hybrid"])
def test_idle_guest_sleeps(boot, mode, device):
    """An idle guest uses little processor time, and answers although it sleeps."""
    guest = boot(f"mode={mode}", device=device).wait_ready()
    host.serves(guest.address)
    started, used = time.monotonic(), guest.cpu_seconds()
    time.sleep(2)
    used, wall = guest.cpu_seconds() - used, time.monotonic() - started
    assert used < 0.2 * wall, f"{used:.2f} s of processor time in {wall:.2f} s of doing nothing"
    host.ping(guest.address, count=50)
    host.ping(guest.address, count=3, interval=0.3)

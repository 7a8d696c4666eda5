# SPDX-License-Identifier: BSD-2-Clause
"""The images other than vtnet-demo: the examples as clients, and the guests of tests/guest/."""

import re
import socket
import subprocess
import sys

import pytest

import host
import wire6
from guest import PATIENCE, ROOT, Guest, tap_network
from wire import Wire

HOST = "10.0.0.1"
HOST6, HOST_LOCAL = "fd00::1", "fe80::1"
PAIRS = 20000
ATTEMPTS = 20


@pytest.fixture
def server():
    """build/host/vtserve on the host: echo, sink and source."""
    command = [ROOT / "build/host/vtserve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serve:
        serve.stdout.readline()  # vtserve has written its line, so it serves
        yield
        serve.terminate()


@pytest.fixture
def addresses6():
    """The host has a global IPv6 address and a link-local one."""
    if not host.has_ipv6():
        pytest.skip("this system has no IPv6")
    with host.address_of_tap(HOST_LOCAL):
        yield


@pytest.mark.parametrize("proto", ["udp", "tcp"])
@pytest.mark.parametrize("size", [12, 1024, 1472])
def test_pingpong_as_the_active_side(arch, server, proto, size):
    with Guest(arch, f"peer={HOST} proto={proto} size={size} count=2000", image="pingpong") as guest:
        assert guest.wait_exit(60) == arch.exit_success
        assert re.search(rf"pingpong: {proto.upper()}, {size} bytes: min .* median .* p99 .*"
                         r"2000 round trips, 0 lost", guest.console())


@pytest.mark.parametrize("proto", ["udp", "tcp"])
@pytest.mark.parametrize("append", [f"ip6=fd00::2 peer={HOST6} size=1472", f"peer={HOST_LOCAL}"])
def test_pingpong_over_ipv6(arch, server, addresses6, proto, append):
    with Guest(arch, f"{append} proto={proto} count=2000", image="pingpong") as guest:
        assert guest.wait_exit(60) == arch.exit_success
        assert "2000 round trips, 0 lost" in guest.console()


def test_peer_is_waited_for_until_there_is_an_address(arch, server, addresses6):
    """The guest needs an address of that network, which a router announces late."""
    with Guest(arch, f"peer={HOST6} count=200", image="pingpong") as guest:
        guest.wait_for("^vtnet: IPv6 address fe80:")
        guest.wait_for("^vtnet: this station has no address yet to reach peer=; set ip6=, or wait for a "
                       "router$")
        assert "lost" not in guest.console()
        with Wire() as wire:
            wire.send(wire6.ALL_NODES_MAC, wire6.IPV6, wire6.router_advertisement("fd00::"))
        guest.wait_for("^vtnet: IPv6 address fd00::")
        assert guest.wait_exit() == arch.exit_success
        assert "200 round trips, 0 lost" in guest.console()
        assert guest.console().count("no address yet") == 1


@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_pingpong_without_a_peer_there(arch, proto):
    with Guest(arch, f"peer=10.0.0.9 proto={proto} count=10", image="pingpong") as guest:
        guest.wait_failure(30)
        assert "check that peer= is right and serves port 7" in guest.console()


@pytest.mark.parametrize("proto", ["udp", "tcp"])
@pytest.mark.parametrize("direction", ["send", "receive", "both"])
def test_burst_as_the_active_side(arch, server, proto, direction):
    append = f"peer={HOST} proto={proto} dir={direction} seconds=1"
    with Guest(arch, append, image="burst") as guest:
        assert guest.wait_exit(60) == arch.exit_success
        rates = re.findall(r"(sent|received) ([0-9.]+) Mbit/s", guest.console())
        assert [name for name, _ in rates] == {"send": ["sent"], "receive": ["received"],
                                               "both": ["sent", "received"]}[direction]
        assert all(float(rate) > 0 for _, rate in rates)


@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_burst_over_ipv6(arch, server, addresses6, proto):
    with Guest(arch, f"ip6=fd00::2 peer={HOST6} proto={proto} seconds=1", image="burst") as guest:
        assert guest.wait_exit(60) == arch.exit_success
        rates = re.findall(r"(sent|received) ([0-9.]+) Mbit/s", guest.console())
        assert [name for name, _ in rates] == ["sent", "received"]
        assert all(float(rate) > 0 for _, rate in rates)


def test_exception_is_reported(arch):
    with Guest(arch, image="exception", network=["-nic", "none"]) as guest:
        guest.wait_failure()
        for pattern in arch.exception:
            assert re.search(pattern, guest.console())


# name= of tests/guest/exception.c, and the console's report if the processor has the required
# features.
FAULTS = {"read": "null pointer: read from 00000000", "write": "null pointer: write to 00000010",
          "call": "null pointer: execution at 00000000", "code": "this is code: write to",
          "constant": "this is constant: write to", "jump": "this is no code: execution at",
          "overflow": "stack overflow: write to"}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_named(arch, fault):
    with Guest(arch, f"name={fault}", image="exception", network=["-nic", "none"], qemu=arch.no_execute) as guest:
        guest.wait_failure()
        assert f"vtnet: panic: {FAULTS[fault]}" in guest.console()
        assert "vtnet: protected: address 0, the stack's end, code, constants; data is not executed" in guest.console()


def kickrace(arch, pairs, append, device=""):
    """Provokes the race for notifications, and returns the stalls. Without ioeventfd the device is
    fastest."""
    memory = min(256, max(arch.memories))
    with Guest(arch, f"count={pairs} {append}", image="kickrace", qemu=["-m", str(memory)],
               network=tap_network(device=f"ioeventfd=off{device}")) as guest:
        assert guest.wait_exit(120) == arch.exit_success
        return int(re.search(r"kickrace: \d+ pairs, (\d+) stalls", guest.console())[1])


@pytest.mark.parametrize("features", ["", "features=-event_idx"])
@pytest.mark.parametrize("device", ["", ",disable-legacy=on,packed=on"])
def test_no_kick_is_lost(arch, features, device):
    assert kickrace(arch, PAIRS, f"fence=auto {features}", device) == 0


@pytest.mark.parametrize("device", ["", ",packed=on", ",packed=on,event_idx=off",
                                    ",indirect_desc=off"])
def test_queues_are_reset_by_themselves(arch, device):
    with Guest(arch, f"peer={HOST} count=200", image="queuereset",
               network=tap_network(device=f"disable-legacy=on{device}")) as guest:
        assert guest.wait_exit() == arch.exit_success
        if "the device has no RING_RESET" in guest.console():
            pytest.skip("before QEMU 7.1")
        assert "200 of 200 answers, 20 buffers came back" in guest.console()


@pytest.mark.parametrize("device", ["disable-modern=on", "disable-legacy=on"])
def test_minimal_port_returns_frames(arch, device):
    """libvtnet.a and the functions of docs/porting.md: each frame comes back to its sender."""
    own, guest_mac = bytes.fromhex("020000000001"), bytes.fromhex("525400123456")
    with Guest(arch, image="port", address=None, network=tap_network(device=device)) as guest, \
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5)) as raw:
        guest.wait_for("vtnet: ready")
        raw.bind(("tap0", 0x88b5))  # an EtherType for experiments: IEEE 802 §9.2.3
        raw.settimeout(PATIENCE)
        for length in (60, 61, 1000, 1514):
            for number in range(50):
                payload = host.pattern(length - 14, number)
                raw.send(guest_mac + own + b"\x88\xb5" + payload)
                host.compare(own + guest_mac + b"\x88\xb5" + payload, raw.recv(2000), "a frame")
        guest.assert_well()


@pytest.fixture
def busy_memory():
    """A process that uses the host's memory heavily: stores take longer, and races are lost."""
    copy = "a, b = bytearray(1 << 27), bytearray(1 << 27)\nwhile True: a[:] = b"
    with subprocess.Popen([sys.executable, "-c", copy]) as process:
        yield
        process.kill()


@pytest.mark.race
def test_kicks_are_lost_without_the_fence(arch, busy_memory):
    """Shows why the fence is needed: without it a pair of frames stalls at some time. The time depends on
    the host, so this is not part of `make check`; the unit tests model the race."""
    assert any(kickrace(arch, PAIRS, "fence=off") for _ in range(ATTEMPTS))

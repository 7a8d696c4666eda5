# SPDX-License-Identifier: BSD-2-Clause
"""The NE2000: services in each mode, floods, and counters."""

import json
import pathlib
import re
import socket
import time

import pytest

import host
from guest import MODES, Guest
from test_stats import by_udp, card

# model: the driver's name, and the console's line about its link
MODELS = {
    "ne2k_pci": ("NE2000", "link up, 10 Mbit/s full duplex"),
}
MAC = "52:54:00:00:00:07"


def legacy_network(model, options=""):
    """QEMU's arguments for the card on tap0."""
    return ["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no",
            "-device", f"{model},netdev=n0,id=nic0,mac={MAC}{options}"]


@pytest.fixture(scope="module", params=[(model, mode) for model in MODELS for mode in MODES],
                ids="-".join)
def booted(arch, request):
    name, mode = request.param
    with Guest(arch, f"mode={mode} stats=1", network=legacy_network(name)) as guest:
        guest.model = name
        guest.mode = mode
        yield guest.wait_ready()


@pytest.fixture
def guest(booted):
    """The guest, which must be as well after the test as before."""
    booted.assert_well()
    yield booted
    booted.assert_well()


def tcp_both_ways(address, length):
    """Sends to the sink and receives from the source at the same time, with as many bytes each."""
    def send(_):
        with host.tcp_socket(address, host.SINK) as sock:
            sock.sendall(host.pattern(length))
            sock.shutdown(socket.SHUT_WR)
            assert host.receive_to_end(sock) == b""

    def receive(_):
        host.source_is_right(address, length)

    host.all_at_once(lambda work: work(None), [send, receive])


def test_console_and_statistics_name_the_card(guest):
    driver, link = MODELS[guest.model]
    assert f" {driver}\n" in guest.console()
    assert f"vtnet: MAC address {MAC}, {link}\n" in guest.console()
    guest.wait_for(r"^vtnet: interrupts: INTx line \d+$")
    host.ping(guest.address, count=1)
    assert host.neighbour(guest.address) == MAC
    stats = by_udp(guest.address)["cards"][0]
    assert (stats["driver"], stats["mtu"], stats["interrupt_kind"]) == (driver, 1500, "INTx")
    assert stats["features_offered"] == []


def test_ping(guest):
    host.ping(guest.address, count=100)
    host.icmp_echo(guest.address, (*range(0, host.UDP_MAX + 1, 7), 1473, 2952, 20000))
    host.icmp_echo(guest.address, (8192,) * 20)  # one after another: the card's memory is small


def test_udp_echo(guest):
    host.udp_echo(guest.address, (*range(host.UDP_MAX + 1), 1473, 2953, 8192, 20000))


def test_tcp_echo(guest):
    host.tcp_echo(guest.address, 2 * host.MIB)
    host.tcp_echo(guest.address, 300_001, sizes=(1, 2, 3, 7, 64, 535, 1459, 1460, 1461, 4097))


def frames_to_card():
    """Frames that QEMU took from the tap, without the host's IPv6 multicasts, which the card
    filters."""
    link, = json.loads(host.ip("-s", "-j", "link", "show", "dev", "tap0"))
    counters = pathlib.Path("/proc/net/snmp6").read_text() if host.has_ipv6() else ""
    multicasts = sum(map(int, re.findall(r"^Ip6OutMcastPkts\s+(\d+)", counters, re.MULTILINE)))
    return link["stats64"]["tx"]["packets"] - multicasts


def test_tcp_both_ways(guest):
    """Neither segments nor acknowledgements find the card full; otherwise the connection would
    stall. The card drops frames silently: the loss is the difference between the tap and the
    guest. (Retransmissions of the host are not a measure: on a busy machine a late answer is
    enough to cause one.) A few segments sent twice may be too many; without the windows there
    are hundreds."""
    def missing():
        taken = card(by_udp(guest.address))["rx_packets"]
        return frames_to_card() - taken

    before = missing()
    tcp_both_ways(guest.address, 16 * host.MIB)
    lost = missing() - before
    assert lost < 32, f"{lost} frames found the card full"


def test_bursts_out(guest):
    host.burst(guest.address, 1000, 1024)
    host.burst(guest.address, 50, 60_000)


def test_flood(guest):
    """A flood exceeds the card's memory: only the excess is lost."""
    before = card(by_udp(guest.address))["rx_packets"]
    with host.udp_socket(guest.address, host.SINK) as sock:
        data = host.pattern(1024)
        until = time.monotonic() + 2
        while time.monotonic() < until:
            sock.send(data)
    host.sink_statistics(guest.address)  # once what the tap still had is over
    host.ping(guest.address, count=20)
    host.serves(guest.address)
    assert card(by_udp(guest.address))["rx_packets"] - before > 100


def test_interrupts_are_few(guest):
    """An idle guest has some interrupts, from the host's own frames; a polling guest has none."""
    before = card(by_udp(guest.address))
    time.sleep(0.5)
    after = card(by_udp(guest.address))
    assert after["interrupts"] - before["interrupts"] <= 20
    host.ping(guest.address, count=50, in_turn=True)
    pinged = card(by_udp(guest.address))
    interrupts = pinged["interrupts"] - after["interrupts"]
    assert pinged["rx_packets"] - after["rx_packets"] >= 50
    assert interrupts <= 100 if guest.mode != "poll" else interrupts == 0
    assert interrupts >= 40 or guest.mode != "irq"


def test_memory_is_counted(guest):
    """The number of receive buffers does not grow without a need."""
    host.serves(guest.address)
    counters = card(by_udp(guest.address))
    assert 0 < counters["rx_buffers"] <= counters["rx_buffers_peak"]
    assert counters["rx_held"] >= counters["rx_buffers"] * 1514
    assert counters["rx_held"] <= counters["rx_held_peak"]
    assert counters["tx_packets"] > 0 and counters["rx_bytes"] > 0

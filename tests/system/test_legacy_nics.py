# SPDX-License-Identifier: BSD-2-Clause
"""The cards of net/legacy: they pass the tests of virtio-net."""

import json
import time
import urllib.request

import pytest

import host
from guest import MODES, PATIENCE, tap_network

MODELS = ("i82559er",)
RELATIVES = ("i82550", "i82557a", "i82558b", "i82559c")  # QEMU's other i82559s, in kinds
MAC = "52:54:00:00:00:01"
SECOND = "10.0.1.2"


def card(model, options=f"mac={MAC}"):
    """QEMU's arguments for such a card on the tap."""
    return ["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no",
            "-device", f"{model},netdev=n0,id=nic0,romfile=,{options}"]


def statistics(address, card_number=0):
    with urllib.request.urlopen(f"http://{address}/", timeout=5) as reply:
        return json.load(reply)["cards"][card_number]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("model", MODELS)
def test_traffic(boot, model, mode):
    guest = boot(f"mode={mode}", network=card(model)).wait_ready()
    host.serves(guest.address)
    assert host.neighbour(guest.address) == MAC
    host.ping(guest.address, count=50, size=20000)
    host.icmp_echo(guest.address, (0, 1, 17, 1472, 1473, 1481, 4000, 65507))
    host.udp_echo(guest.address, (0, 1, 17, 1472, 1473, 1481, 4000, 65507))
    host.burst(guest.address, 300, 1472)
    host.tcp_echo(guest.address, 4 * host.MIB, sizes=(1, 1460, 100, 1 << 16))
    counters = statistics(guest.address)["counters"]
    assert counters["rx_bad"] == counters["tx_copied"] == 0
    assert counters["rx_posted"] == counters["rx_limit"] - 1  # the request is being handled


@pytest.mark.parametrize("model", MODELS)
def test_closed_port(boot, model):
    """Sent segments announce a bounded window; a reset without a connection has none."""
    guest = boot(network=card(model)).wait_ready()
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            host.tcp_socket(guest.address, 4)
    host.ping(guest.address, count=5)


@pytest.mark.parametrize("model", MODELS)
def test_both_ways_at_once(boot, model):
    guest = boot(network=card(model)).wait_ready()
    host.all_at_once(lambda seed: host.tcp_echo(guest.address, host.MIB, seed=seed), range(3))
    host.source_is_right(guest.address, 4 * host.MIB)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("model", MODELS)
def test_flood(boot, model, mode):
    """Sends repeatedly more than the card has room for; it continues each time."""
    guest = boot(f"mode={mode}", network=card(model)).wait_ready()
    datagram = host.pattern(1400)
    with host.udp_socket(guest.address, host.SINK) as sock:
        for _ in range(3):
            for _ in range(20000):
                sock.send(datagram)
            host.settle(guest.address)
            host.ping(guest.address, count=5)
    host.serves(guest.address)
    counters = statistics(guest.address)["counters"]
    assert counters["rx_packets"] > 1000
    assert counters["rx_bad"] == 0


@pytest.mark.parametrize("model", MODELS)
def test_few_buffers(boot, model):
    """With a limit below the number that the card could use, it gets no more buffers, even in a flood."""
    guest = boot("bufmem=64", network=card(model)).wait_ready()
    with host.udp_socket(guest.address, host.SINK) as sock:
        for _ in range(5000):
            sock.send(b"x" * 1400)
    host.settle(guest.address)
    host.ping(guest.address, count=20)
    host.udp_echo(guest.address, (0, 1472, 4000, 20000))
    host.tcp_echo(guest.address, host.MIB)
    assert statistics(guest.address)["counters"]["rx_held_peak"] <= 64 << 10


@pytest.mark.parametrize("model", MODELS)
def test_address_and_bound(boot, model):
    guest = boot("mac=02:00:00:00:00:42 bounded=1", network=card(model)).wait_ready()
    host.serves(guest.address)
    assert host.neighbour(guest.address) == "02:00:00:00:00:42"


@pytest.mark.parametrize("model", MODELS)
def test_groups(boot, model):
    """The card receives what the stack has joined."""
    guest = boot("join=239.1.2.3", network=card(model)).wait_ready()
    guest.wait_for("^vtnet: joined 239.1.2.3")
    host.ip("route", "add", "224.0.0.0/4", "dev", "tap0")
    try:
        before = statistics(guest.address)["counters"]["rx_packets"]
        with host.udp_socket("239.1.2.3", host.SINK) as sock:
            for _ in range(50):
                sock.send(b"to the group")
        with host.udp_socket("239.4.5.6", host.SINK) as sock:
            for _ in range(50):
                sock.send(b"to another")
        passed = statistics(guest.address)["counters"]["rx_packets"] - before
    finally:
        host.ip("route", "del", "224.0.0.0/4", "dev", "tap0")
    assert 50 <= passed < 80


@pytest.mark.parametrize("append", ("mode=irq irq=intx", "mode=hybrid", "mode=poll"))
@pytest.mark.parametrize("model", MODELS)
def test_beside_virtio(boot, model, append):
    """Two drivers in one guest; on both machines their cards share a line."""
    host.ip("tuntap", "add", "dev", "tap1", "mode", "tap")
    host.ip("address", "add", "10.0.1.1/24", "dev", "tap1")
    host.ip("link", "set", "tap1", "up")
    try:
        guest = boot(append, network=[
            *tap_network(device=f"addr=3,mac={MAC}"),
            "-netdev", "tap,id=n1,ifname=tap1,script=no,downscript=no",
            "-device", f"{model},netdev=n1,romfile=,addr=7"]).wait_ready()
        guest.wait_for("^vtnet: card 1: ready at 10.0.1.2/24")
        host.all_at_once(host.serves, [guest.address, SECOND])
        host.all_at_once(lambda to: host.tcp_echo(to, host.MIB), [guest.address, SECOND])
        for address in (guest.address, SECOND):
            host.ping(address, count=50, interval=0.002)
    finally:
        host.ip("link", "del", "tap1")


@pytest.mark.parametrize("model", RELATIVES)
def test_relatives(boot, model):
    guest = boot(network=card(model)).wait_ready()
    host.serves(guest.address)
    host.burst(guest.address, 300, 1472)

# SPDX-License-Identifier: BSD-2-Clause
"""The NE2000: boot arguments, groups, and a second card."""

import socket

import pytest

import host
from guest import MODES, tap_network
from test_ne2000 import MAC, MODELS, legacy_network
from test_stats import by_udp


@pytest.fixture(params=MODELS)
def model(request):
    return request.param


def test_own_mac_address(boot, model):
    guest = boot("mac=02:00:00:00:00:42", network=legacy_network(model)).wait_ready()
    host.serves(guest.address)
    assert host.neighbour(guest.address) == "02:00:00:00:00:42"


def test_bounded(boot, model):
    guest = boot("bounded=1", network=legacy_network(model)).wait_ready()
    touched = by_udp(guest.address)["memory"]["touched"]
    host.serves(guest.address)
    host.tcp_echo(guest.address, host.MIB)
    memory = by_udp(guest.address)["memory"]
    assert (memory["touched"], memory["refused"]) == (touched, 0)


def test_multicast_group(boot, model):
    """The card passes the group that was joined."""
    guest = boot("join=239.1.2.3", network=legacy_network(model)).wait_ready()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.0.0.1"))
        before = host.sink_statistics(guest.address)[0]
        for _ in range(10):
            sock.sendto(b"group", ("239.1.2.3", host.SINK))
        assert host.sink_statistics(guest.address)[0] - before == 10


@pytest.fixture
def second_tap():
    host.ip("tuntap", "add", "dev", "tap1", "mode", "tap")
    host.ip("address", "add", "10.0.1.1/24", "dev", "tap1")
    host.ip("link", "set", "tap1", "up")
    yield
    host.ip("link", "del", "tap1")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
def test_beside_a_virtio_card(boot, model, mode, first, second_tap):
    """Either may be first; both are on one interrupt line."""
    slot, tap, virtio_slot, virtio_tap = (3, 0, 7, 1) if first else (7, 1, 3, 0)
    network = ["-netdev", f"tap,id=n1,ifname=tap{tap},script=no,downscript=no",
               "-device", f"{model},netdev=n1,addr={slot:x},mac={MAC}",
               *tap_network(f"tap{virtio_tap}", f"addr={virtio_slot:x}")]
    guest = boot(f"mode={mode} irq=intx", network=network).wait_ready()
    guest.wait_for("^vtnet: card 1: ready at 10.0.1.2/24")
    addresses = [guest.address, "10.0.1.2"]
    host.all_at_once(host.serves, addresses)
    assert host.neighbour(addresses[tap]) == MAC
    host.all_at_once(lambda address: host.tcp_echo(address, host.MIB), addresses)

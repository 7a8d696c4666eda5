# SPDX-License-Identifier: BSD-2-Clause
"""A card with several pairs of queues: the driver negotiates the feature and uses the first pair
only."""

import pytest

import host
from guest import TRANSPORTS

TAP, ADDRESS = "tap1", "10.0.1.2"
PAIRS = 2


@pytest.fixture(name="wide_tap", autouse=True)
def fixture_wide_tap():
    """A tap to which several queues can be attached."""
    host.ip("tuntap", "add", "dev", TAP, "mode", "tap", "multi_queue")
    host.ip("address", "add", "10.0.1.1/24", "dev", TAP)
    host.ip("link", "set", TAP, "up")
    yield
    host.ip("link", "del", TAP)


def wide_card(device):
    """QEMU's arguments; one vector for each queue and the configuration."""
    options = ",".join(filter(None, (f"mq=on,vectors={2 * PAIRS + 2}", device)))
    return ["-netdev", f"tap,id=n0,ifname={TAP},script=no,downscript=no,queues={PAIRS}",
            "-device", f"virtio-net-pci,netdev=n0,id=nic0,{options}"]


def queues_set_up(guest):
    """The numbers of the queues that have memory, according to QEMU."""
    card, = (device["path"] for device in guest.qmp("x-query-virtio")
             if device["name"] == "virtio-net")
    count = guest.qmp("x-query-virtio-status", path=card)["num-vqs"]
    return [queue for queue in range(count)
            if guest.qmp("x-query-virtio-queue-status", path=card, queue=queue)["vring-desc"]]


@pytest.mark.parametrize("device", [TRANSPORTS["legacy"], TRANSPORTS["modern"],
                                    TRANSPORTS["modern"] + ",packed=on"])
@pytest.mark.parametrize("append", ["", "mode=irq irq=intx", "features=-mq"])
def test_one_pair_of_several(boot, device, append):
    """Many flows, which a card would spread over two pairs: everything arrives."""
    guest = boot(append, address=ADDRESS, network=wide_card(device)).wait_ready()
    agreed = "mq" in guest.wait_for("^vtnet: features accepted: (.*)$")[1].split()
    assert agreed == (append != "features=-mq")
    assert "confirm" not in guest.console()
    # the control queue follows all existing pairs, or the only one
    assert queues_set_up(guest) == [0, 1, 2 * PAIRS if agreed else 2]
    host.ping(ADDRESS, count=20)
    host.all_at_once(host.serves, [ADDRESS] * 4)
    host.all_at_once(lambda seed: host.tcp_echo(ADDRESS, host.MIB, seed=seed), range(8))
    for _ in range(16):  # each from a port of its own
        host.udp_echo(ADDRESS, range(0, 1400, 100))
    host.burst(ADDRESS, 1000, 1024)
    guest.qmp("set_link", name="nic0", up=False)
    guest.wait_for("^vtnet: link down")
    guest.qmp("set_link", name="nic0", up=True)
    guest.wait_for("^vtnet: link up")
    host.ping(ADDRESS, count=20)

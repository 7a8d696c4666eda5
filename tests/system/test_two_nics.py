# SPDX-License-Identifier: BSD-2-Clause
"""Several cards in one guest: each has a netif, and the loop serves them all."""

import pytest

import host
from guest import tap_network

MACS = ("52:54:00:00:00:01", "52:54:00:00:00:02")
SECOND = "10.0.1.2"


@pytest.fixture(name="second_tap", autouse=True)
def fixture_second_tap():
    """A network of its own for the second card."""
    host.ip("tuntap", "add", "dev", "tap1", "mode", "tap")
    host.ip("address", "add", "10.0.1.1/24", "dev", "tap1")
    host.ip("link", "set", "tap1", "up")
    yield
    host.ip("link", "del", "tap1")


def two_cards(slots=(3, 7), device=""):
    """QEMU's arguments; on the PC, slots 3 and 7 share an interrupt line, on the 40p all do."""
    return [*tap_network(device=f"addr={slots[0]:x},mac={MACS[0]}{device}"),
            "-netdev", "tap,id=n1,ifname=tap1,script=no,downscript=no",
            "-device", f"virtio-net-pci,netdev=n1,id=nic1,addr={slots[1]:x},mac={MACS[1]}{device}"]


@pytest.mark.parametrize("append, device", [("mode=irq irq=intx", ""),
                                            ("mode=hybrid", ",disable-legacy=on"),
                                            ("mode=poll", ",disable-modern=on")])
def test_both_serve_at_once(boot, append, device):
    guest = boot(append, network=two_cards(device=device)).wait_ready()
    guest.wait_for("^vtnet: card 1: no DHCP server answered: the address is 10.0.1.2/24")
    guest.wait_for("^vtnet: card 1: ready at 10.0.1.2/24")
    host.all_at_once(host.serves, [guest.address, SECOND])
    assert (host.neighbour(guest.address), host.neighbour(SECOND)) == MACS
    host.all_at_once(lambda address: host.burst(address, 300, 1472), [guest.address])
    host.burst(SECOND, 300, 5000)
    host.all_at_once(lambda address: host.tcp_echo(address, host.MIB), [guest.address, SECOND])


def test_one_sleeps_until_the_other_has_an_interrupt(boot):
    """The guest sleeps until an interrupt: each of the two must wake it, also alone."""
    guest = boot("mode=irq irq=intx", network=two_cards()).wait_ready()
    guest.wait_for("^vtnet: card 1: ready")
    for address in (guest.address, SECOND, guest.address):
        host.ping(address, count=100, interval=0.002)
    guest.qmp("set_link", name="nic1", up=False)
    guest.wait_for("^vtnet: card 1: link down")
    host.ping(guest.address, count=20)
    assert host.pings_answered(SECOND, 1) == 0
    guest.qmp("set_link", name="nic1", up=True)
    guest.wait_for("^vtnet: card 1: link up")
    host.ping(SECOND, count=20)


def test_lists_of_arguments(boot):
    """One value per card, in the order of the cards; an empty place leaves the default."""
    guest = boot("mac=,02:00:00:00:00:42 vlan=0,0 gw=,10.0.1.1", address="10.0.0.9/24,10.0.1.9",
                 network=two_cards())
    guest.wait_for("^vtnet: ready at 10.0.0.9/24")
    guest.wait_for("^vtnet: card 1: ready at 10.0.1.9/24")
    assert "boot argument" not in guest.console()
    host.all_at_once(host.serves, ["10.0.0.9", "10.0.1.9"])
    assert host.neighbour("10.0.0.9") == MACS[0]
    assert host.neighbour("10.0.1.9") == "02:00:00:00:00:42"


def test_four_cards(boot):
    """Two further cards without a network have no effect."""
    more = [word for slot in (15, 19)
            for word in ("-device", f"virtio-net-pci,addr={slot:x},romfile=")]
    guest = boot("mode=irq irq=intx", network=[*two_cards(), *more]).wait_ready()
    guest.wait_for("^vtnet: card 3: ready at 10.0.3.2/24")
    host.all_at_once(host.serves, [guest.address, SECOND])

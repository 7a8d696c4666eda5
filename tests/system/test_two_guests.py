# SPDX-License-Identifier: BSD-2-Clause
"""Two guests on one bridge, without and with an address conflict."""

import dataclasses

import pytest

import host
import names
from guest import Guest

FIRST_MAC, SECOND_MAC = "52:54:00:00:00:01", "52:54:00:00:00:02"


@pytest.fixture(scope="module", autouse=True)
def bridge():
    """tap0 and a new tap1 in a bridge, which has the host's address during the test."""
    try:
        host.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0")
    except AssertionError as error:
        pytest.skip(f"this system makes no bridge: {error}")
    host.ip("tuntap", "add", "dev", "tap1", "mode", "tap")
    host.ip("address", "del", "10.0.0.1/24", "dev", "tap0")
    for tap in ("tap0", "tap1"):
        host.ip("link", "set", tap, "master", "br0", "up")
    host.ip("address", "add", "10.0.0.1/24", "dev", "br0")
    host.ip("link", "set", "br0", "up")
    yield
    host.ip("link", "del", "br0")
    host.ip("link", "del", "tap1")
    host.ip("address", "add", "10.0.0.1/24", "dev", "tap0")


def settle(*addresses):
    """For a moment after a guest's announcement the host may still use an earlier guest's MAC address."""
    for address in addresses:
        host.settle(address)


def test_two_guests_side_by_side(boot):
    first = boot(device=f"mac={FIRST_MAC}")
    second = boot(device=f"mac={SECOND_MAC}", tap="tap1", address="10.0.0.3")
    for guest in (first, second):
        guest.wait_ready()
    settle(first.address, second.address)
    host.all_at_once(host.serves, [first.address, second.address])
    for guest in (first, second):
        assert "claimed" not in guest.console()


@pytest.mark.parametrize("mode", ["irq", "poll"])
def test_newcomer_with_the_same_address_stops(boot, mode):
    first = boot(f"mode={mode}", device=f"mac={FIRST_MAC}").wait_ready()
    settle(first.address)
    host.ping(first.address, count=5)
    # after the time in which a guest considers itself the newcomer
    host.ping(first.address, count=6, interval=0.3)
    for turn in (1, 2):
        second = boot(f"mode={mode} conflict=exit", device=f"mac={SECOND_MAC}", tap="tap1")
        second.wait_failure()
        assert (f"vtnet: 10.0.0.2 is already used by {FIRST_MAC}: boot with another ip="
                in second.console())
        first.wait_for(f"^vtnet: 10.0.0.2 is also claimed by {SECOND_MAC}; "
                       "this guest keeps it", count=turn)
        host.ping(first.address, count=20)
    host.serves(first.address)
    assert host.neighbour(first.address) == FIRST_MAC


def test_newcomer_waits_until_the_address_is_free(boot, arch):
    with Guest(arch, device=f"mac={FIRST_MAC}") as first:
        first.wait_ready()
        settle(first.address)
        host.ping(first.address, count=6, interval=0.3)
        second = boot(device=f"mac={SECOND_MAC}", tap="tap1").wait_ready()
        second.wait_for(f"^vtnet: 10.0.0.2 is already used by {FIRST_MAC}: this guest will use it")
        host.ping(first.address, count=10, interval=0.3)  # a probe and more
        assert host.neighbour(first.address) == FIRST_MAC
        assert "already used" in second.console() and second.console().count("ready at") == 1
    second.wait_for("^vtnet: ready at 10.0.0.2/24$", count=2)
    settle(second.address)
    host.serves(second.address)
    assert host.neighbour(second.address) == SECOND_MAC


def test_newcomer_with_the_same_address_and_mac_is_named(boot):
    """Each drops the other's broadcasts as its own, which is reported once."""
    guests = [boot(device=f"mac={FIRST_MAC}").wait_ready()]
    guests.append(boot(device=f"mac={FIRST_MAC}", tap="tap1").wait_ready())
    for guest in guests:
        guest.wait_for("^vtnet: a frame from our own MAC address came in and is dropped")


@pytest.mark.parametrize("direction", ["send", "receive", "both"])
@pytest.mark.parametrize("proto", ["udp", "tcp"])
@pytest.mark.parametrize("plain", ["first", "second"])
def test_one_guest_without_offloads(boot, arch, plain, proto, direction):
    """The host's kernel does what one guest leaves to its card, and the plain one verifies it."""
    features = {plain: "features=-csum,-guest_csum"}
    first = boot(features.get("first", ""), device=f"mac={FIRST_MAC}").wait_ready()
    image = (arch.image[0], arch.image[1].replace("vtnet-demo", "burst"))
    append = f"peer={first.address} proto={proto} dir={direction} seconds=1 size=1472 "
    with Guest(dataclasses.replace(arch, image=image), append + features.get("second", ""),
               device=f"mac={SECOND_MAC}", tap="tap1", address="10.0.0.3") as second:
        assert second.wait_exit(60) == arch.exit_success


def test_newcomer_with_the_same_mac_only(boot):
    """The bridge cannot tell them apart, so the only requirement is that neither fails."""
    first = boot(device=f"mac={FIRST_MAC}").wait_ready()
    boot(device=f"mac={FIRST_MAC}", tap="tap1", address="10.0.0.3").wait_ready()
    host.pings_answered(first.address)
    host.pings_answered("10.0.0.3")


def test_address_is_free_again(arch):
    """The next guest with the address of one that has ended starts as if that had never existed."""
    for _ in range(2):
        with Guest(arch, device=f"mac={SECOND_MAC}", tap="tap1") as guest:
            guest.wait_ready()
            settle(guest.address)
            host.serves(guest.address)
            guest.assert_well()


def test_each_has_a_name_of_its_own(boot):
    first = boot("name=alpha", device=f"mac={FIRST_MAC}")
    second = boot("name=beta", device=f"mac={SECOND_MAC}", tap="tap1", address="10.0.0.3")
    first.wait_for("^vtnet: name alpha.local$")
    second.wait_for("^vtnet: name beta.local$")
    assert names.resolve("alpha.local") == {"10.0.0.2"}
    assert names.resolve("beta.local") == {"10.0.0.3"}
    assert names.resolve("vtnet.local", seconds=1) == set()


def test_newcomer_with_the_same_name_takes_another(boot):
    boot(device=f"mac={FIRST_MAC}").wait_for("^vtnet: name vtnet.local$")
    second = boot(device=f"mac={SECOND_MAC}", tap="tap1", address="10.0.0.3")
    second.wait_for("^vtnet: vtnet.local is used by another station; trying vtnet-9.local$")
    second.wait_for("^vtnet: name vtnet-9.local$")
    assert names.resolve("vtnet.local") == {"10.0.0.2"}
    assert names.resolve("vtnet-9.local") == {"10.0.0.3"}

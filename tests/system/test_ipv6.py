# SPDX-License-Identifier: BSD-2-Clause
"""IPv6: addresses, all services, large transfers, fragments, groups, neighbours."""

import contextlib
import json
import socket
import struct
import time

import pytest

import host
import names
import wire6
from guest import PATIENCE, Guest
from wire import STATION, Wire, mac_bytes, parse

OURS, GUEST = "fd00::1", "fd00::2"  # ours is there already
STATION_IP = "fe80::99"
GUEST_MAC, GUEST_LOCAL = "52:54:00:12:34:56", "fe80::5054:ff:fe12:3456"
GROUP = "ff12::1234"
PREFIX, ROUTED, ROUTED_OURS = "2001:db8:1::", "2001:db8:1:0:5054:ff:fe12:3456", "2001:db8:1::1"
DATAGRAM_MAX = 65487  # lwIP's limit of 16 bits, with both headers


@contextlib.contextmanager
def host_addresses():
    """The host's address in a router's prefix, if it has IPv6."""
    if not host.has_ipv6():
        pytest.skip("this system has no IPv6")
    host.ip("-6", "address", "add", f"{ROUTED_OURS}/64", "dev", "tap0", "nodad")
    yield
    host.ip("-6", "address", "del", f"{ROUTED_OURS}/64", "dev", "tap0")


@contextlib.contextmanager
def guest_of_both_families(arch):
    """A guest at ADDRESS and GUEST, which must be well at the end."""
    with host_addresses(), Guest(arch, f"ip6={GUEST}/64") as guest:
        guest.wait_ready()
        guest.wait_for(f"^vtnet: IPv6 address {GUEST}/64$")
        yield guest
        guest.assert_well()


@pytest.fixture(autouse=True)
def fixture_addresses():
    with host_addresses():
        yield


@pytest.fixture(name="boot6")
def fixture_boot6(boot):
    """Boots a guest and waits until it has its IPv6 addresses."""
    def start(append="", **options):
        guest = boot(f"ip6={GUEST}/64 {append}", **options).wait_ready()
        guest.wait_for(f"^vtnet: IPv6 address {GUEST_LOCAL}/64$")
        guest.wait_for(f"^vtnet: IPv6 address {GUEST}/64$")
        return guest
    return start


def counters(address=GUEST):
    with host.udp_socket(address, 81) as sock:
        sock.send(b"")
        return json.loads(sock.recv(65536))


def echo_and_all(address):
    """The checks of host.serves() over IPv6."""
    host.settle(address)  # for a while the host may still resolve an earlier guest
    host.udp_echo(address, (0, 1, 17, 1023, 1452))
    host.tcp_echo(address, 100_000)
    host.sink_statistics(address)
    host.source_is_right(address, 100_000)


@pytest.mark.parametrize("append", ["mode=irq", "mode=poll", "features=-csum,-guest_csum",
                                    "bounded=1"])
def test_everything_is_served(boot6, append):
    guest = boot6(append)
    for address in (GUEST, f"{GUEST_LOCAL}%tap0"):
        echo_and_all(address)
        host.burst(address, 300, 1400)
    host.serves(guest.address)
    stats = counters()
    assert stats["cards"][0]["ip6"] == [GUEST_LOCAL, GUEST]
    assert stats["memory"]["refused"] == 0
    with socket.create_connection((GUEST, 80), timeout=PATIENCE) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert host.receive_to_end(sock).startswith(b"HTTP/1.0 200 ")


@pytest.mark.parametrize("device", ["disable-modern=on", "disable-legacy=on"])
@pytest.mark.parametrize("features", ["", "-host_tso6,-guest_tso6", "-csum,-guest_csum"])
def test_large_transfers(boot6, features, device):
    """Segments are joined in both directions if the card supports it, and the bytes are unchanged."""
    boot6(f"features={features}" if features else "", device=device)
    before = counters()["cards"][0]["counters"]
    host.tcp_echo(GUEST, 5 * host.MIB)
    host.source_is_right(GUEST, 5 * host.MIB)
    after = counters()["cards"][0]["counters"]
    packets, octets = (after[f"tx_{what}"] - before[f"tx_{what}"] for what in ("packets", "bytes"))
    assert octets > 10 * host.MIB
    assert (octets / packets > 4000) == (features == "")
    assert after["tx_copied"] == after["rx_copied"] == after["rx_dropped"] == 0


@pytest.mark.parametrize("features", ["", "-csum,-guest_csum"])
def test_fragments(boot6, features):
    guest = boot6(f"features={features}" if features else "")
    host.udp_echo(GUEST, (1452, 1453, 1500, 3000, 20_000, 60_000, DATAGRAM_MAX))
    host.burst(GUEST, 50, 20_000)
    with host.udp_socket(GUEST, host.ECHO) as sock:
        sock.settimeout(0.3)
        for length in (DATAGRAM_MAX + 1, 65_527):  # more than the guest can count
            sock.send(bytes(length))
            with contextlib.suppress(TimeoutError):
                raise AssertionError(f"an echo of {len(sock.recv(70000))} bytes")
    echo_and_all(GUEST)
    guest.assert_well()


def test_fragments_behind_other_headers(boot6):
    """The limit is the same if the fragment header is not the first one."""
    guest = boot6()
    offset = 0xfff8
    for headers, first in ((b"", 44), (struct.pack("!BB6x", 44, 0), 60),
                           (struct.pack("!BB14x", 44, 1), 60)):
        for at, more in ((offset, 0), (offset - 1400, 1)):
            fragment = struct.pack("!BBHI", 17, 0, at | more, 77)
            with Wire() as wire:
                wire.send(GUEST_MAC, wire6.IPV6,
                          wire6.packet(OURS, GUEST, first, headers + fragment + bytes(1400)))
    echo_and_all(GUEST)
    guest.assert_well()


def test_jumbo_frames(boot6):
    host.ip("link", "set", "tap0", "mtu", "9000")
    try:
        boot6(device="host_mtu=9000")
        host.udp_echo(GUEST, (8952, 8953, 30_000))
        host.tcp_echo(GUEST, host.MIB)
    finally:
        host.ip("link", "set", "tap0", "mtu", "1500")


def test_no_ipv6_on_a_small_mtu(boot):
    guest = boot(device="host_mtu=1279").wait_ready()
    guest.wait_for("^vtnet: no IPv6: the MTU is 1279, and IPv6 needs 1280$")
    host.ping(guest.address, count=5)


def test_router(boot6):
    """An address in the prefix that a router announces; packets to other networks go to the router."""
    guest = boot6()
    with Wire() as wire:
        wire.send(wire6.ALL_NODES_MAC, wire6.IPV6, wire6.router_advertisement(PREFIX))
        guest.wait_for(f"^vtnet: IPv6 address {ROUTED}/64$")
        echo_and_all(ROUTED)
        message = b"from far away"
        wire.send(GUEST_MAC, wire6.IPV6,
                  wire6.udp6("2001:db8:99::1", ROUTED, 7777, host.ECHO, message))
        frame = wire.wait_for(lambda frame: frame.endswith(message)
                              and parse(frame)[4][24:40] == wire6.ipv6("2001:db8:99::1"))
        assert parse(frame)[:2] == (STATION, GUEST_MAC)
        assert parse(frame)[4][8:24] == wire6.ipv6(ROUTED)


def test_the_guest_asks_for_routers(boot):
    with Wire() as wire:
        boot()
        assert wire.wait_for(lambda frame: wire6.icmp6_of(frame, 133))


def test_address_that_is_taken(boot):
    host.ip("-6", "address", "add", f"{GUEST}/64", "dev", "tap0", "nodad")
    try:
        guest = boot(f"ip6={GUEST}/64").wait_ready()
        guest.wait_for(f"^vtnet: IPv6 address {GUEST} is already used by another station: it "
                       "is not used here$")
        guest.wait_for(f"^vtnet: IPv6 address {GUEST_LOCAL}/64$")
    finally:
        host.ip("-6", "address", "del", f"{GUEST}/64", "dev", "tap0")
    assert counters(guest.address)["cards"][0]["ip6"] == [GUEST_LOCAL]


@pytest.mark.parametrize("probe", [False, True])
def test_claimed_while_booting(boot, probe):
    """A station that claims the link-local address, or probes for it too, takes only that address."""
    def is_probe(frame):
        message = wire6.icmp6_of(frame, wire6.SOLICITATION)
        return message is not None and message[8:24] == wire6.ipv6(GUEST_LOCAL)

    with Wire() as wire:
        guest = boot(f"ip6={GUEST}")
        assert wire.wait_for(is_probe)
        if probe:
            to, message = wire6.solicitation("::", GUEST_LOCAL, option=b"")
            wire.send(to, wire6.IPV6, message)
        else:
            body = struct.pack("!I", 1 << 29) + wire6.ipv6(GUEST_LOCAL) \
                + struct.pack("!BB", 2, 1) + mac_bytes(STATION)
            wire.send(wire6.ALL_NODES_MAC, wire6.IPV6,
                      wire6.icmp6(wire6.ROUTER, wire6.ALL_NODES, wire6.ADVERTISEMENT, body))
        guest.wait_for(f"^vtnet: IPv6 address {GUEST_LOCAL} is already used by another station")
    guest.wait_for(f"^vtnet: IPv6 address {GUEST}/64$")
    guest.wait_for("^vtnet: name vtnet.local$")
    assert guest.address in names.resolve("vtnet.local")
    host.serves(guest.address)


def test_prefixes_that_no_station_has(boot6):
    """A router announces a multicast prefix, ::/64, or a prefix whose preferred time is over."""
    guest = boot6()
    with Wire() as wire:
        for prefix, valid in (("ff0e::", 3600), ("::", 3600), ("2001:db8:1::", 0),
                              ("2001:db8:2::", 1000)):
            wire.send(wire6.ALL_NODES_MAC, wire6.IPV6,
                      wire6.router_advertisement(prefix, valid=valid))
        wire.send(wire6.ALL_NODES_MAC, wire6.IPV6, wire6.router_advertisement(PREFIX))
        guest.wait_for(f"^vtnet: IPv6 address {ROUTED}/64$")
        echo_and_all(ROUTED)
        wire.send(wire6.ALL_NODES_MAC, wire6.IPV6,
                  wire6.router_advertisement(PREFIX, lifetime=0, valid=0))
        echo_and_all(ROUTED)  # RFC 4862 §5.5.3 (e)
    assert sorted(counters()["cards"][0]["ip6"]) == sorted([GUEST, GUEST_LOCAL, ROUTED])


def test_group(boot6):
    """The group is reported, its datagrams arrive, and those of others do not reach the driver."""
    with Wire() as wire:
        boot6(f"join={GROUP}")
        reported = wire.wait_for(lambda frame: (wire6.icmp6_of(frame, wire6.MLD_REPORT) or b"")
                                 [8:24] == wire6.ipv6(GROUP))
        assert parse(reported)[0] == wire6.group_mac(GROUP)

        def send(group, payload):
            wire.send(wire6.group_mac(group), wire6.IPV6,
                      wire6.udp6(OURS, group, 7777, host.ECHO, payload))

        send(GROUP, b"multicast")
        answer = wire.wait_for(lambda frame: frame.endswith(b"multicast"))
        assert parse(answer)[4][8:24] == wire6.ipv6(GUEST)
        before = counters()["cards"][0]["counters"]["rx_packets"]
        for _ in range(50):
            send("ff12::4321", b"another")
        assert wire.wait_for(lambda frame: frame.endswith(b"another"), 0.3) is None
        assert counters()["cards"][0]["counters"]["rx_packets"] - before < 20


def test_announcement(boot6):
    """In addition to the ARP message, one announcement for each IPv6 address."""
    guest = boot6()
    announced = set()
    with Wire() as wire:
        guest.qmp("announce-self", initial=50, max=50, rounds=1, step=0)
        deadline = time.monotonic() + PATIENCE
        while len(announced) < 2 and time.monotonic() < deadline:
            frame = wire.receive(1)
            message = frame and wire6.icmp6_of(frame, wire6.ADVERTISEMENT)
            if message and parse(frame)[0] == wire6.ALL_NODES_MAC:
                assert message[4] == 0x20  # override
                assert message[24:] == b"\2\1" + bytes.fromhex(GUEST_MAC.replace(":", ""))
                pseudo = parse(frame)[4][8:40] + struct.pack("!II", len(message), wire6.ICMP6)
                assert host.checksum(pseudo + message) == 0
                announced.add(message[8:24])
    assert announced == {wire6.ipv6(GUEST), wire6.ipv6(GUEST_LOCAL)}


def test_vlan(boot):
    guest = boot("vlan=5")
    guest.wait_for(f"^vtnet: IPv6 address {GUEST_LOCAL}/64$")
    to, message = wire6.solicitation(STATION_IP, GUEST_LOCAL)

    def is_answer(frame):
        return parse(frame)[0] == STATION and wire6.icmp6_of(frame, wire6.ADVERTISEMENT)

    with Wire() as wire:
        wire.send(to, wire6.IPV6, message, tci=5)
        assert parse(wire.wait_for(is_answer))[2] == 5
        wire.send(to, wire6.IPV6, message)
        assert wire.wait_for(is_answer, 0.5) is None


def test_name_over_ipv6(boot6):
    guest = boot6("name=guest-6")
    guest.wait_for("^vtnet: name guest-6.local$")
    assert names.resolve("guest-6.local", names.AAAA, over_ipv6=True) == {GUEST, GUEST_LOCAL}
    assert names.resolve("guest-6.local", over_ipv6=True) == {guest.address}

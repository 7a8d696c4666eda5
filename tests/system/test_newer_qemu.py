# SPDX-License-Identifier: BSD-2-Clause
"""Features that not every QEMU's card has: tested with those that have them, skipped with the
reason otherwise."""

import json
import socket
import threading

import pytest

import host
import qemu
from capture import UDP, Capture
from guest import PATIENCE, Guest
from test_features import accepted, assert_intact
from test_images import PAIRS, kickrace

# Properties of the card, and the features that the guest accepts for them.
FEATURES = {"in_order": "in_order", "notification_data": "notification_data",
            "queue_reset": "ring_reset", "packed": "ring_packed"}
ALONE = [(name,) for name in FEATURES]
TOGETHER = [("in_order", "queue_reset"), ("in_order", "packed", "queue_reset"), tuple(FEATURES)]
USO = {"guest_uso4", "guest_uso6", "host_uso"}


def card(arch, names):
    """The options of a card with exactly those of FEATURES; skips the test if it lacks one."""
    has = qemu.features(arch)
    missing = sorted(set(names) - has.properties)
    if missing:
        has.skip(f"{', no '.join(missing)} of {qemu.CARD}")
    return ",".join(f"{name}={'on' if name in names else 'off'}" for name in FEATURES
                    if name in has.properties)


def assert_traffic(address):
    """ICMP, UDP and TCP, in each direction and in both: no byte is lost or changed."""
    host.ping(address)
    host.burst(address, 3000, 1024)
    host.burst(address, 100, 8192)
    with host.tcp_socket(address, host.SINK) as sock:
        sock.sendall(host.pattern(host.MIB))
        sock.shutdown(socket.SHUT_WR)
        assert host.receive_to_end(sock) == b""
    host.all_at_once(lambda number: host.tcp_echo(address, host.MIB, seed=number), range(3))


@pytest.mark.parametrize("names", ALONE + TOGETHER, ids="+".join)
@pytest.mark.parametrize("mode", ["irq", "poll"])
def test_accepted_and_served(arch, names, mode):
    """A busy host may stop the device for the 100 ms that a control command waits, but not each time."""
    for _ in range(3):
        with Guest(arch, f"mode={mode}", device=card(arch, names)) as guest:
            guest.wait_ready()
            if "does not answer control command" not in guest.console():
                assert accepted(guest) & set(FEATURES.values()) == {FEATURES[name] for name in names}
                assert_intact(guest)
                assert_traffic(guest.address)
                guest.assert_well()
                return
    raise AssertionError("three times the device did not answer a control command")


@pytest.mark.parametrize("names", TOGETHER, ids="+".join)
@pytest.mark.parametrize("append", ["features=-event_idx", "features=-indirect_desc",
                                    "features=-event_idx,-indirect_desc,-mrg_rxbuf",
                                    "bufinit=1 bufmax=1"])
def test_served_with_less(boot, arch, names, append):
    guest = boot(append, device=card(arch, names)).wait_ready()
    assert_intact(guest)


@pytest.mark.parametrize("name", FEATURES)
def test_refused(boot, arch, name):
    """The device uses what the guest accepts, not what it offered."""
    names = [each for each in FEATURES if each in qemu.features(arch).properties]
    guest = boot(f"features=-{FEATURES[name]}", device=card(arch, {*names, name})).wait_ready()
    assert accepted(guest) & set(FEATURES.values()) == {FEATURES[n] for n in names if n != name}
    assert_intact(guest)


@pytest.mark.parametrize("names", TOGETHER[:2], ids="+".join)
def test_legacy_driver_of_such_a_card(boot, arch, names):
    """All of these came with virtio 1, whose features a legacy driver does not see."""
    guest = boot("transport=legacy", device=card(arch, names)).wait_ready()
    assert not accepted(guest) & set(FEATURES.values())
    assert_intact(guest)


@pytest.mark.parametrize("names, features", [
    (("in_order",), "features=-event_idx"), (("notification_data",), ""),
    (TOGETHER[0], ""), (TOGETHER[1], "features=-event_idx"), (TOGETHER[2], "")])
def test_no_kick_is_lost(arch, names, features):
    assert kickrace(arch, PAIRS, features, f",{card(arch, names)}") == 0


@pytest.mark.parametrize("names", [("queue_reset",), *TOGETHER], ids="+".join)
def test_receive_queue_reset_when_quiet(boot, arch, names):
    """The buffers of a busy time are withdrawn a second later, without losing a frame."""
    guest = boot(device=card(arch, names)).wait_ready()
    for _ in range(2):
        host.all_at_once(lambda number: host.tcp_echo(guest.address, host.MIB, seed=number),
                         range(4))
        host.ping(guest.address, count=200)
    host.serves(guest.address)


def echo_in_segments(address, count, size, last=0):
    """UDP echo of datagrams that the host's kernel passes on as one large one, if permitted.

    last: the size of a further, shorter one; 0: none."""
    data = host.pattern(count * size + last)
    received = []
    with host.udp_socket(address, host.ECHO) as sock:
        sock.setsockopt(socket.IPPROTO_UDP, 103, size)  # UDP_SEGMENT
        reader = threading.Thread(daemon=True, target=lambda: received.extend(
            sock.recv(65536) for _ in range(count + bool(last))))
        reader.start()
        sock.send(data)
        reader.join(PATIENCE)
    host.compare(data, b"".join(received), f"UDP echo of {count} segments of {size} bytes")
    assert [len(one) for one in received] == [size] * count + [last] * bool(last)


def boot_with_uso(boot, arch, append="", **options):
    """A guest whose card offers USO, and which of these features it accepted."""
    has = qemu.features(arch)
    if not USO <= has.properties:
        has.skip(f"USO of {qemu.CARD}")
    guest = boot(append, **options).wait_ready()
    offered = guest.wait_for(r"^vtnet: features offered: (.*)$")[1].split()
    if not USO <= set(offered):
        pytest.skip("the tap of the host's kernel has no USO")
    return guest, accepted(guest) & USO


# The features that the guest masks out, and those that it then still accepts.
WITHOUT = [("", USO), ("host_uso", USO - {"host_uso"}), ("guest_uso4", {"host_uso"}),
           ("guest_uso6", {"host_uso"}), ("mrg_rxbuf", {"host_uso"}), ("guest_csum", {"host_uso"}),
           ("csum", USO - {"host_uso"}), ("csum,guest_csum", set()), ("indirect_desc", USO),
           ("host_tso4,host_tso6,guest_tso4,guest_tso6", USO)]


def largest(frames):
    return max(len(frame.data) for frame in frames)


@pytest.mark.parametrize("without, expected", WITHOUT)
@pytest.mark.parametrize("device", ["", "packed=on"])
def test_datagrams_are_joined(boot, arch, device, without, expected):
    """Both directions, as seen on the tap; every datagram is unchanged."""
    features = ",".join(f"-{name}" for name in without.split(",") if name)
    guest, features = boot_with_uso(boot, arch, f"features={features}", device=device)
    assert features == expected
    with Capture() as seen:
        for size in (100, 738, 1000, 1471, 1472):
            echo_in_segments(guest.address, 40, size)
            echo_in_segments(guest.address, 30, size, size - 1)
            echo_in_segments(guest.address, 1, size, 1)
        echo_in_segments(guest.address, 60, 1)
        for size in (4, 100, 1024, 1472):
            host.burst(guest.address, 1000, size)
        host.burst(guest.address, 50, 8192)
    assert (largest(seen.received(UDP)) > 40_000) == ("guest_uso4" in expected)
    assert (largest(seen.sent(UDP)) > 40_000) == ("host_uso" in expected)
    for frame in seen.sent(UDP):
        assert frame.fragment or frame.checksum_is_right(), f"UDP of {len(frame.data)} bytes"
    assert counters(guest.address)["rx_dropped"] == counters(guest.address)["tx_copied"] == 0


def counters(address):
    with host.udp_socket(address, 81) as sock:
        sock.send(b"")
        return json.loads(sock.recv(65536))["cards"][0]["counters"]


@pytest.mark.parametrize("mode", ["irq", "poll"])
def test_joined_datagrams_beside_other_traffic(boot, arch, mode):
    guest, features = boot_with_uso(boot, arch, f"mode={mode}")
    assert features == USO
    assert_intact(guest)
    assert_traffic(guest.address)
    turns = [lambda: host.tcp_echo(guest.address, 5 * host.MIB),
             lambda: host.ping(guest.address, 100),
             lambda: host.burst(guest.address, 3000, 1400),
             lambda: [echo_in_segments(guest.address, 40, 1000) for _ in range(50)],
             lambda: [echo_in_segments(guest.address, 30, 500, 7) for _ in range(50)]]
    host.all_at_once(lambda turn: turn(), turns)


def test_datagrams_are_not_joined_in_bounded_mode(boot, arch):
    """If a pass has a limit, a received frame must be a single datagram; sending has a limit
    anyway."""
    guest, features = boot_with_uso(boot, arch, "bounded=1")
    assert features == {"host_uso"}
    assert_traffic(guest.address)


def test_legacy_driver_has_no_uso(boot):
    """A legacy driver sees 32 features."""
    guest = boot("transport=legacy").wait_ready()
    assert not accepted(guest) & USO
    echo_in_segments(guest.address, 40, 1000)


@pytest.mark.parametrize("names", [(), *TOGETHER], ids="+".join)
def test_host_with_segments(boot, arch, names):
    """The guest receives every datagram, whether the host or the guest splits them."""
    guest = boot(device=card(arch, names)).wait_ready()
    for size in (1, 100, 1000, 1471, 1472):
        echo_in_segments(guest.address, 40, size)

# SPDX-License-Identifier: BSD-2-Clause
"""Work that card and guest do for each other: checksums, segments, large frames."""

import contextlib
import json
import random
import statistics
import time

import pytest

import host
from capture import TCP, UDP, Capture
from guest import TRANSPORTS
from lossy import lossy_wire

OFFLOADS = {"csum", "guest_csum", "mtu", "guest_tso4", "guest_tso6", "guest_ecn",
            "host_tso4", "host_tso6", "host_ecn"}


def accepted(guest):
    return set(guest.wait_for(r"^vtnet: features accepted: (.*)$")[1].split())


@contextlib.contextmanager
def host_mtu(mtu):
    host.ip("link", "set", "tap0", "mtu", str(mtu))
    try:
        yield
    finally:
        host.ip("link", "set", "tap0", "mtu", "1500")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_accepted(boot, transport):
    guest = boot(device=f"{TRANSPORTS[transport]},host_mtu=1500".lstrip(",")).wait_ready()
    assert OFFLOADS <= accepted(guest)


def datagrams_in_fragments(frames):
    """First fragments with all bytes of the datagram from the UDP header on."""
    for first in frames:
        if first.fragment == 0x2000:
            key = first.data[4:6]
            parts = sorted((f for f in frames if f.fragment and f.data[4:6] == key),
                           key=lambda f: f.fragment & 0x1fff)
            yield first, b"".join(part.transport for part in parts)


@pytest.mark.parametrize("transport", ["legacy", "modern"])
@pytest.mark.parametrize("without", ["", "csum", "guest_csum", "any_layout,indirect_desc"])
def test_every_checksum_of_the_guest(boot, transport, without):
    """Checksums left to the card are prepared, all others complete; those of fragments always are."""
    features = ",".join(f"-{name}" for name in without.split(",") if name)
    guest = boot(f"features={features}", device=TRANSPORTS[transport]).wait_ready()
    sizes = (0, 1, 2, 1471, 1472, 1473, 3000, 8191, 60_000, 65_507)
    with Capture() as seen:
        host.udp_echo(guest.address, sizes)
        host.tcp_echo(guest.address, 300_000)
    for frame in seen.sent(TCP):
        assert frame.checksum_is_right(), f"TCP of {len(frame.data)} bytes"
    for frame in seen.sent(UDP):
        assert frame.fragment or frame.checksum_is_right(), f"UDP of {len(frame.data)} bytes"
    fragmented = list(datagrams_in_fragments(seen.sent(UDP)))
    assert len(fragmented) == len([size for size in sizes if size > host.UDP_MAX])
    for first, datagram in fragmented:
        assert not first.partial and datagram[6:8] != b"\0\0"
        assert first.checksum_is_right(datagram), f"UDP of {len(datagram)} bytes in fragments"
    left_to_the_card = {f.partial for f in seen.sent(TCP)}
    assert left_to_the_card == {without != "csum"}


def test_damaged_frames_are_dropped(boot):
    """Frames that the host has not verified, from a raw socket, are verified by the guest."""
    guest = boot().wait_ready()
    host.ping(guest.address, count=1)
    with Capture() as seen, host.udp_socket(guest.address, host.SINK) as sock:
        sock.send(b"STATtest")
        assert len(sock.recv(100)) == 24
    sent = next(f for f in seen.received(UDP))
    before = host.sink_statistics(guest.address)
    counted = 0
    for damage in (0, 1, 0xffff):
        datagram = bytearray(sent.transport)
        datagram[6:8] = bytes(2)
        datagram[8:12] = b"data"
        pseudo = sent.data[12:20] + bytes((0, UDP)) + len(datagram).to_bytes(2, "big")
        right = host.checksum(pseudo + bytes(datagram))
        datagram[6:8] = ((right + damage) % 0xffff or 0xffff).to_bytes(2, "big")
        host.send_frame("tap0", guest.address, sent.data[:20] + bytes(datagram))
        counted += damage in (0, 0xffff)  # which is the same
    after = host.sink_statistics(guest.address)
    assert after[0] - before[0] == counted


@pytest.mark.parametrize("transport", ["legacy", "modern"])
@pytest.mark.parametrize("mrg_rxbuf", ["on", "off"])
def test_jumbo_frames(boot, transport, mrg_rxbuf):
    options = f"{TRANSPORTS[transport]},host_mtu=9000,mrg_rxbuf={mrg_rxbuf}"
    with host_mtu(9000):
        guest = boot(device=options).wait_ready()
        assert "mtu" in accepted(guest)
        with Capture() as seen:
            host.icmp_echo(guest.address, (0, 1472, 1473, 8971, 8972))
            host.udp_echo(guest.address, range(0, 8973, 997))
            host.udp_echo(guest.address, (8972, 8973, 30_000, 65_507))
            host.tcp_echo(guest.address, host.MIB)
    assert 9000 in {len(f.data) for f in seen.sent(UDP)}
    assert all(len(f.data) <= 9000 for f in seen.sent(UDP))
    assert 9000 <= max(len(f.data) for f in seen.sent(TCP))
    assert not [f for f in seen.sent(1) if f.fragment]


@pytest.mark.parametrize("mtu", [68, 576, 1499, 65535])
def test_odd_mtus(boot, mtu):
    guest = boot("features=-host_tso4", device=f"host_mtu={mtu}").wait_ready()
    with Capture() as seen:
        host.icmp_echo(guest.address, (0, 1, 1400))
        host.udp_echo(guest.address, (0, 1, 1400))
        host.tcp_echo(guest.address, 20_000)
    if mtu < 1500:
        assert all(len(f.data) <= mtu for f in seen.frames if not f.outgoing)


@pytest.mark.parametrize("mtu, features", [(1281, ""), (1400, ""), (1404, "features=-csum"),
                                           (1407, "features=-csum"), (1499, "")])
def test_fragments_where_an_mtu_is_no_multiple_of_8(boot, mtu, features):
    """Echoes of all lengths near those that fill IPv4 or IPv6 fragments."""
    guest = boot(f"ip6=fd00::2/64 {features}", device=f"host_mtu={mtu}")
    guest.wait_for("^vtnet: IPv6 address fd00::2/64$")
    lengths = [fragments * ((mtu - headers) // 8 * 8) - 8 + more
               for headers in (20, 48) for fragments in (1, 2, 3) for more in range(-2, 10)]
    with Capture() as seen:
        host.icmp_echo(guest.address, lengths)
        host.udp_echo(guest.address, lengths)
        host.udp_echo("fd00::2", lengths)
    assert all(len(f.data) <= mtu for f in seen.frames if not f.outgoing)


def largest(frames):
    return max(len(frame.data) for frame in frames)


@pytest.mark.parametrize("transport", ["legacy", "modern"])
@pytest.mark.parametrize("without", ["", "guest_tso4", "guest_csum", "mrg_rxbuf"])
def test_segments_to_the_guest_are_joined(boot, transport, without):
    features = f"features=-{without}" if without else ""
    guest = boot(features, device=TRANSPORTS[transport]).wait_ready()
    with Capture() as seen:
        host.tcp_echo(guest.address, host.MIB)
    assert (largest(seen.received(TCP)) > 1500) == (without == "")
    assert len([f for f in seen.sent(TCP) if len(f.transport) == 20]) < 1000  # acknowledgements


@pytest.mark.parametrize("transport", ["legacy", "modern"])
@pytest.mark.parametrize("without", ["", "host_tso4", "csum", "indirect_desc", "any_layout"])
def test_segments_of_the_guest_are_joined(boot, transport, without):
    features = f"features=-{without}" if without else ""
    guest = boot(features, device=TRANSPORTS[transport]).wait_ready()
    with Capture() as seen:
        host.tcp_echo(guest.address, host.MIB)
        host.source_is_right(guest.address, 5 * host.MIB)
    joined = [frame for frame in seen.sent(TCP) if len(frame.data) > 1500]
    assert bool(joined) == (without not in ("host_tso4", "csum"))
    if joined and without != "indirect_desc":
        assert largest(joined) > 40_000
    for frame in seen.sent(TCP):
        assert frame.checksum_is_right(), f"TCP of {len(frame.data)} bytes"


def test_joined_segments_are_acknowledged_at_once(boot):
    """An acknowledgement comes at once, not after the quarter of a second that a single segment may wait.
    The median, since a busy host delays some."""
    guest = boot().wait_ready()
    with host.tcp_socket(guest.address, host.ECHO) as sock:
        sock.sendall(bytes(100_000))
        host.receive_exactly(sock, 100_000)
        times = []
        for _ in range(21):
            start = time.monotonic()
            sock.sendall(bytes(4000))
            host.receive_exactly(sock, 4000)
            times.append(time.monotonic() - start)
    assert statistics.median(times) < 0.1


@pytest.mark.parametrize("features", ["", "-host_tso4", "-guest_tso4", "-csum,-guest_csum"])
def test_much_data_in_pieces_of_every_size(boot, features):
    guest = boot(f"features={features}" if features else "").wait_ready()
    chance = random.Random(7)
    sizes = [chance.choice((1, 100, 1460, 1461, 5000, 30_000, 65_536, 200_000)) for _ in range(99)]
    host.tcp_echo(guest.address, 50 * host.MIB, sizes)
    guest.assert_well()


def test_nothing_is_copied(boot):
    guest = boot().wait_ready()
    host.tcp_echo(guest.address, 20 * host.MIB)
    host.source_is_right(guest.address, 20 * host.MIB)
    host.burst(guest.address, 5000, 1024)
    host.burst(guest.address, 50, 60_000)
    with host.udp_socket(guest.address, 81) as sock:
        sock.send(b"")
        counters = json.loads(sock.recv(65536))["cards"][0]["counters"]
    assert counters["tx_copied"] == counters["rx_copied"] == counters["rx_dropped"] == 0


@pytest.mark.parametrize("loss, reorder", [(0.01, 0), (0, 0.05), (0.01, 0.03)])
def test_on_a_wire_that_loses_and_reorders(boot, loss, reorder):
    with lossy_wire("tap1", loss, reorder) as ways:
        guest = boot("stats=1", tap="tap1").wait_ready()
        host.tcp_echo(guest.address, 2 * host.MIB)
        host.all_at_once(lambda number: host.tcp_echo(guest.address, host.MIB // 4, seed=number),
                         range(4))
        guest.assert_well()
        assert sum(way.lost + way.swapped for way in ways) > 0

# SPDX-License-Identifier: BSD-2-Clause
"""All variants of the device: transports, feature sets, ring sizes, buffer counts."""

import pytest

import host
from guest import TRANSPORTS, tap_network

LEGACY, MODERN = TRANSPORTS["legacy"], TRANSPORTS["modern"]

# What is removed, by boot arguments or by the device, and the features accepted then.
FEATURE_SETS = [
    ("modern", "event_idx"),
    ("modern", "mrg_rxbuf"),
    ("modern", "indirect_desc"),
    ("modern", "event_idx,indirect_desc,mrg_rxbuf"),
    ("legacy", "event_idx"),
    ("legacy", "mrg_rxbuf"),
    ("legacy", "indirect_desc"),
    ("legacy", "any_layout"),
    ("legacy", "any_layout,mrg_rxbuf"),
    ("legacy", "any_layout,mrg_rxbuf,event_idx,indirect_desc"),
]


def accepted(guest):
    return set(guest.wait_for(r"^vtnet: features accepted: (.*)$")[1].split())


def assert_intact(guest):
    """Frames of every length in each direction, then many in flight."""
    host.echo_of_every_length(guest.address)
    host.tcp_echo(guest.address, host.MIB)
    host.icmp_echo(guest.address, (8192,))


@pytest.mark.parametrize("transport, without", FEATURE_SETS)
def test_features_refused(boot, transport, without):
    names = without.split(",")
    guest = boot("features=" + ",".join(f"-{name}" for name in names),
                 device=TRANSPORTS[transport]).wait_ready()
    everything = {"mac", "status", "mrg_rxbuf", "indirect_desc", "event_idx",
                  "any_layout" if transport == "legacy" else "version_1"}
    assert accepted(guest) & everything == everything - set(names)
    assert_intact(guest)


@pytest.mark.parametrize("device", ["", "event_idx=off", "indirect_desc=off",
                                    "mrg_rxbuf=off,event_idx=off,indirect_desc=off"])
@pytest.mark.parametrize("append", ["mode=irq", "mode=hybrid", "bufinit=1 bufmax=3"])
def test_packed_ring(boot, device, append):
    options = ",".join(filter(None, (MODERN, "packed=on", device)))
    guest = boot(append, device=options).wait_ready()
    assert "ring_packed" in accepted(guest)
    assert_intact(guest)


PLATFORMS = {  # QEMU's arguments before the card
    "bus": [], "packed": [],
    "intel-iommu": ["-M", "q35", "-device", "intel-iommu"],
    "virtio-iommu": ["-M", "q35", "-device", "virtio-iommu-pci"],
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_addresses_of_the_platform(boot, arch, platform):
    """Bus addresses: on a 40p they differ from physical ones."""
    if "iommu" in platform and arch.name != "i386":
        pytest.skip("a 40p has no IOMMU")
    device = f"{MODERN},iommu_platform=on" + (",packed=on" if platform == "packed" else "")
    guest = boot(network=PLATFORMS[platform] + tap_network(device=device)).wait_ready()
    assert "access_platform" in accepted(guest)
    assert_intact(guest)


def test_feature_that_the_device_insists_on(boot):
    guest = boot("features=-access_platform", device=f"{MODERN},iommu_platform=on")
    guest.wait_for("insist on one that it offers and that was not accepted: .*access_platform")
    guest.wait_for("no usable network card: virtio-net at 00:[0-9a-f.:]+ failed; the lines above give the reason")
    guest.wait_failure()


def test_packed_ring_refused(boot):
    guest = boot("features=-ring_packed", device=f"{MODERN},packed=on").wait_ready()
    assert "ring_packed" not in accepted(guest)
    assert_intact(guest)


@pytest.mark.parametrize("transport", ["legacy", "modern"])
@pytest.mark.parametrize("device", ["mrg_rxbuf=off", "event_idx=off", "indirect_desc=off",
                                    "mrg_rxbuf=off,event_idx=off,indirect_desc=off,status=off"])
def test_features_not_offered(boot, transport, device):
    options = ",".join(filter(None, (TRANSPORTS[transport], device)))
    guest = boot(device=options).wait_ready()
    names = {option.partition("=")[0] for option in device.split(",")}
    assert not accepted(guest) & names
    assert_intact(guest)


@pytest.mark.parametrize("without", ["any_layout", "any_layout,mrg_rxbuf"])
def test_legacy_device_without_any_layout(boot, without):
    """Without ANY_LAYOUT, as in QEMU before 2.0, the header has its own descriptor, with and without
    merged buffers."""
    off = "".join(f",{name}=off" for name in without.split(","))
    guest = boot("join=239.1.2.3", device=LEGACY + off).wait_ready()
    assert accepted(guest) & {"any_layout", "mrg_rxbuf"} == \
        {"any_layout", "mrg_rxbuf"} - set(without.split(","))
    assert_intact(guest)


@pytest.mark.parametrize("transport", ["legacy", "modern"])
def test_transport_chosen_on_a_transitional_device(boot, transport):
    guest = boot(f"transport={transport}").wait_ready()
    assert f"vtnet: transport {transport} PCI" in guest.console()
    assert_intact(guest)


@pytest.mark.parametrize("transport, device", [("legacy", MODERN), ("modern", LEGACY)])
def test_transport_that_the_device_has_not(boot, transport, device):
    guest = boot(f"transport={transport}", device=device)
    guest.wait_failure()
    assert f"has no usable {transport} interface" in guest.console()


@pytest.mark.parametrize("transport", ["legacy", "modern"])
@pytest.mark.parametrize("buffers", ["bufinit=1 bufmax=1", "bufinit=2 bufmax=3", "bufinit=256"])
def test_receive_buffers(boot, transport, buffers):
    guest = boot(buffers, device=TRANSPORTS[transport]).wait_ready()
    assert_intact(guest)


def test_one_receive_buffer_without_merging(boot):
    guest = boot("bufinit=1 bufmax=1 features=-any_layout,-mrg_rxbuf", device=LEGACY).wait_ready()
    assert_intact(guest)


@pytest.mark.parametrize("mode", ["irq", "poll"])
def test_one_receive_buffer_in_other_modes(boot, mode):
    assert_intact(boot(f"bufinit=1 bufmax=1 mode={mode}").wait_ready())


@pytest.mark.parametrize("transport, rx", [("legacy", 1024), ("modern", 256)])
def test_large_receive_queue(boot, transport, rx):
    """A legacy driver uses the device's ring size; a modern one chooses a size."""
    guest = boot(device=",".join(filter(None, (TRANSPORTS[transport], "rx_queue_size=1024"))))
    guest.wait_ready()
    tx = 256 if transport == "modern" else guest.queue_size(1)
    assert f"queues of {rx} (rx) and {tx} (tx)" in guest.console()
    assert_intact(guest)


def test_large_receive_queue_filled(boot):
    guest = boot("bufinit=1024 bufmax=1024", device="rx_queue_size=1024").wait_ready()
    assert "queues of 1024 (rx) and 256 (tx)" in guest.console()
    assert_intact(guest)

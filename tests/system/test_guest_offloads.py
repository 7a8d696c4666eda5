# SPDX-License-Identifier: BSD-2-Clause
"""Guest offloads changed during traffic: tests/guest/guestoffloads.c."""

import threading
import time

import pytest

import host
from capture import TCP, Capture
from guest import TRANSPORTS, Guest, tap_network

SWITCH = 82
LATE = "-2"  # VIRTIO_ERROR_IO
ALL_OFF = "-guest_csum,-guest_tso4,-guest_tso6,-guest_ecn"


def switch(guest, text):
    """Makes the guest switch these of the negotiated offloads: again if a busy host stopped the device
    for longer than a command waits."""
    for _ in range(20):
        before = guest.console().count("guestoffloads: ")
        with host.udp_socket(guest.address, SWITCH) as sock:
            sock.send(text.encode())
            assert sock.recv(100) == text.encode()
        done = guest.wait_for(r"^vtnet: guestoffloads: \S+: result (-?\d+)$", count=before + 1)
        if done[1] != LATE:
            break
        time.sleep(0.1)
    assert done[1] == "0"


def received(guest):
    """The largest TCP packet of a transfer, and whether any lacked its checksum."""
    with Capture() as seen:
        host.tcp_echo(guest.address, host.MIB)
    frames = seen.received(TCP)
    return max(len(frame.data) for frame in frames), any(frame.partial for frame in frames)


@pytest.mark.parametrize("device", [TRANSPORTS["legacy"], TRANSPORTS["modern"],
                                    TRANSPORTS["modern"] + ",packed=on"])
def test_switched_off_and_on(arch, device):
    """The sizes and checksums of received frames follow the last setting."""
    with Guest(arch, image="guestoffloads", network=tap_network(device=device)) as guest:
        guest.wait_ready()
        for _ in range(2):
            largest, partial = received(guest)
            assert largest > 10_000 and partial
            switch(guest, "-guest_tso4,-guest_ecn")
            largest, partial = received(guest)
            assert largest <= 1500 and partial
            switch(guest, "-guest_csum")  # which segmentation needs
            largest, partial = received(guest)
            assert largest <= 1500 and not partial
            switch(guest, "+guest_csum")
        guest.assert_well()


@pytest.mark.parametrize("transport", ["legacy", "modern"])
def test_switched_in_a_transfer(arch, transport):
    failed = []

    def transfer():
        try:
            host.tcp_echo(guest.address, 30 * host.MIB)
        except (AssertionError, OSError) as error:
            failed.append(error)

    network = tap_network(device=TRANSPORTS[transport])
    with Guest(arch, image="guestoffloads", network=network) as guest:
        guest.wait_ready()
        thread = threading.Thread(target=transfer, daemon=True)
        thread.start()
        switches = 0
        while thread.is_alive() and not failed:
            switch(guest, "+guest_csum" if switches % 2 else ALL_OFF)
            switches += 1
        thread.join(host.PATIENCE)
        assert not failed and switches > 10
        guest.assert_well()


def test_without_the_feature(arch):
    with Guest(arch, "features=-ctrl_guest_offloads", image="guestoffloads") as guest:
        guest.wait_ready()
        with pytest.raises(AssertionError):
            switch(guest, ALL_OFF)
        assert "result -1" in guest.console()
        assert received(guest)[0] > 10_000

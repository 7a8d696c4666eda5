# SPDX-License-Identifier: BSD-2-Clause
"""Configuration changes of the device: link, speed, and a request for an announcement."""

import contextlib
import socket
import struct
import threading
import time

import pytest

import host
from test_stats import by_udp
from wire import ALL_STATIONS, Wire, is_gratuitous, parse


@pytest.mark.parametrize("append", ["mode=irq irq=intx", "mode=irq irq=msix", "mode=hybrid"])
def test_announcement_on_request(boot, append):
    """The device requests an announcement: the guest sends it and acknowledges."""
    guest = boot(append).wait_ready()
    host.ping(guest.address, count=3)
    with Wire() as wire:
        for _ in range(3):  # without an acknowledgement there would not be a second request
            guest.qmp("announce-self", initial=50, max=50, rounds=1, step=0)
            frame = wire.wait_for(lambda frame: is_gratuitous(frame, guest.address))
            assert frame is not None, "no announcement"
            assert parse(frame)[:2] == (ALL_STATIONS, host.neighbour(guest.address))
    assert by_udp(guest.address)["cards"][0]["counters"]["interrupts_config"] >= 3
    host.serves(guest.address)


def test_announcement_in_a_vlan(boot):
    guest = boot("vlan=5").wait_ready()
    with Wire() as wire:
        wire.wait_for(lambda frame: False, 0.3)  # the one at the start
        guest.qmp("announce-self", initial=50, max=50, rounds=1, step=0)
        frame = wire.wait_for(lambda frame: is_gratuitous(frame, guest.address))
        assert parse(frame)[2] == 5


def test_link_goes_and_comes_in_a_transfer(boot):
    guest = boot().wait_ready()
    failed = []

    def transfer():
        try:
            host.tcp_echo(guest.address, 8 * host.MIB, sizes=(20000,))
        except (AssertionError, OSError) as error:
            failed.append(error)

    thread = threading.Thread(target=transfer, daemon=True)
    thread.start()
    for turn in (1, 2):
        guest.qmp("set_link", name="nic0", up=False)
        guest.wait_for("^vtnet: link down", count=turn)
        guest.qmp("set_link", name="nic0", up=True)
        guest.wait_for("^vtnet: link up", count=turn)
    thread.join(2 * host.PATIENCE)
    assert not thread.is_alive() and not failed, f"the transfer did not go on: {failed}"


@pytest.mark.parametrize("options, text", [
    ("speed=1000,duplex=full", "link up, 1000 Mbit/s full duplex"),
    ("speed=10,duplex=half", "link up, 10 Mbit/s half duplex"),
    ("speed=1000", "link up, 1000 Mbit/s"),
    ("", "link up")], ids=["1000", "10", "duplex-unknown", "unknown"])
def test_speed_is_told(boot, options, text):
    guest = boot(device=options).wait_ready()
    guest.wait_for(f"^vtnet: MAC address .*, {text}$")
    guest.qmp("set_link", name="nic0", up=False)
    guest.wait_for("^vtnet: link down$")
    guest.qmp("set_link", name="nic0", up=True)
    guest.wait_for(f"^vtnet: {text}$")
    first = by_udp(guest.address)["cards"][0]
    assert first["link"] is True
    duplex = {True: ",duplex=full", False: ",duplex=half", None: ""}[first["full_duplex"]]
    assert options == (f"speed={first['speed']}{duplex}" if first["speed"] else duplex)


def test_mtu_is_told(boot):
    guest = boot(device="host_mtu=1400").wait_ready()
    assert by_udp(guest.address)["cards"][0]["mtu"] == 1400


@pytest.mark.parametrize("ring", ["split", "packed"])
def test_link_flaps_under_traffic(boot, ring):
    """Frames are in the ring whenever the link goes down; a device may drop them and count wrong."""
    device = f"disable-legacy=on,packed={'on' if ring == 'packed' else 'off'}"
    guest = boot(device=device).wait_ready()
    ended = threading.Event()

    def flood():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect((guest.address, 7))
            sock.setblocking(False)
            while not ended.is_set():
                for _ in range(64):
                    with contextlib.suppress(OSError):
                        sock.send(bytes(1000))
                with contextlib.suppress(OSError):
                    while True:
                        sock.recv(2000)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    for turn in range(1, 9):
        time.sleep(0.1)
        guest.qmp("set_link", name="nic0", up=False)
        if turn % 2:  # in the other rounds the guest may see neither change
            guest.wait_for(r"^vtnet: link down$(?!(.|\n)*^vtnet: link up)")
        guest.qmp("set_link", name="nic0", up=True)
    ended.set()
    thread.join()
    host.settle(guest.address)  # frames in flight get some time before the queue is renewed
    host.ping(guest.address, count=3)
    host.serves(guest.address)


def test_link_goes_and_comes_in_a_burst(boot):
    """Traffic that the guest starts waits for the link, and then continues."""
    guest = boot().wait_ready()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(host.PATIENCE)
        sock.connect((guest.address, 19))
        sock.send(b"SEND" + struct.pack("!II", 200000, 1000))
        sock.recv(2000)
        guest.qmp("set_link", name="nic0", up=False)
        guest.wait_for("^vtnet: link down")
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                sock.recv(2000)  # what was under way
        sock.settimeout(host.PATIENCE)
        time.sleep(0.5)  # in which everything could have been sent without an effect
        guest.qmp("set_link", name="nic0", up=True)
        for _ in range(1000):
            sock.recv(2000)

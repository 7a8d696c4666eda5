# SPDX-License-Identifier: BSD-2-Clause
"""IPv4 addresses other than ip=: by DHCP, the default one, and link-local ones."""

import os
import socket
import struct
import subprocess
import sys
import time

import pytest

import host
import names
import test_netperf
from dhcp import DISCOVER, RELEASE, REQUEST, DhcpServer
from guest import PATIENCE, ROOT
from wire import ALL_STATIONS, ARP, STATION, Wire, arp_request, ipv4, is_gratuitous, parse

NO_DHCP = "no DHCP server answered: the address is 10.0.0.2/24"


@pytest.mark.parametrize("append", ["", "dhcp", "mode=irq", "bounded=1"])
def test_dhcp(boot, append):
    with DhcpServer("10.0.0.77") as server:
        guest = boot(append, address=None)
        guest.wait_for("^vtnet: ready at 10.0.0.77/24$")
        host.serves("10.0.0.77")
        assert server.order == [DISCOVER, REQUEST]
        assert server.names == {"vtnet"}
    assert NO_DHCP not in guest.console()


def test_dhcp_of_another_size_and_name(boot):
    with DhcpServer("10.0.0.78", "255.255.0.0") as server:
        boot("name=guest-7", address=None).wait_for("^vtnet: ready at 10.0.0.78/16$")
        assert server.names == {"guest-7"}


def test_a_lost_question_is_asked_again_in_time(boot):
    with DhcpServer("10.0.0.77", ignored=1):
        guest = boot(address=None)
        guest.wait_for("^vtnet: ready at 10.0.0.77/24$")
    assert NO_DHCP not in guest.console()


def test_without_a_server(boot):
    guest = boot("gw=10.0.0.1", address=None)
    guest.wait_for(f"^vtnet: {NO_DHCP}$")
    guest.wait_for("^vtnet: ready at 10.0.0.2/24$")
    host.serves("10.0.0.2")


def test_waiting_for_a_server_that_comes_late(boot):
    """With `dhcp` the guest uses no other address than the leased one."""
    guest = boot("dhcp")  # and the test's ip=
    guest.wait_for("^vtnet: ip= is ignored: dhcp asks for an address$")
    guest.wait_for("^vtnet: no DHCP server has answered yet; dhcp keeps asking$")
    guest.wait_for("^vtnet: IPv6 address")  # some two seconds later
    with Wire() as wire:
        assert wire.wait_for(lambda frame: is_gratuitous(frame, "10.0.0.2"), 1.5) is None
    with DhcpServer("10.0.0.77"):
        guest.wait_for("^vtnet: ready at 10.0.0.77/24$")
    assert NO_DHCP not in guest.console()


def test_the_wait_begins_with_the_link(boot):
    """A guest that is started stopped, so that its link is down at first."""
    guest = boot(address=None, qemu=["-S"])
    while not guest.qmp_is_there():
        pass
    guest.qmp("set_link", name="nic0", up=False)
    guest.qmp("cont")
    guest.wait_for("^vtnet: MAC address .*, link down")
    with Wire() as wire:
        wire.wait_for(lambda frame: False, 2.5)
    assert NO_DHCP not in guest.console()
    with DhcpServer("10.0.0.77"):
        guest.qmp("set_link", name="nic0", up=True)
        guest.wait_for("^vtnet: ready at 10.0.0.77/24$")


def test_refused(boot):
    with DhcpServer("10.0.0.77", refused=1) as server:
        boot(address=None).wait_for("^vtnet: ready at 10.0.0.77/24$")
        assert server.order == [DISCOVER, REQUEST, DISCOVER, REQUEST]


def test_refused_for_ever(boot):
    """Each request comes after twice the previous delay."""
    with DhcpServer("10.0.0.77", refused=1_000_000) as server, Wire() as wire:
        boot("dhcp", address=None).wait_for("^vtnet: IPv6 address")
        before = len(server.types)
        wire.wait_for(lambda frame: False, 4)
        assert 1 <= len(server.types) - before <= 8
        assert len(server.types) <= 16


@pytest.mark.parametrize("lease", [3600, 4])
def test_refused_by_another_server(boot, lease):
    """A server that was not chosen is ignored, at the start and in a renewal."""
    with DhcpServer("10.0.0.77", rogue="10.0.0.6", lease=lease) as server, Wire() as wire:
        boot(address=None).wait_for("^vtnet: ready at 10.0.0.77/24$")
        if lease == 4:
            wire.wait_for(lambda frame: False, 5)
        host.serves("10.0.0.77")
        assert server.order.count(DISCOVER) == 1


@pytest.mark.parametrize("changes", [{51: None}, {51: b"\xff" * 4, 58: struct.pack("!I", 1)}])
def test_leases_that_make_no_sense(boot, changes):
    """A lease without a time, or with a renewal each second: the guest keeps its address and sends few
    messages."""
    with DhcpServer("10.0.0.77", changes=changes) as server, Wire() as wire:
        boot(address=None).wait_for("^vtnet: ready at 10.0.0.77/24$")
        taken = len(server.types)
        wire.wait_for(lambda frame: False, 2.5)
        host.serves("10.0.0.77")
        assert server.order == [DISCOVER, REQUEST] and len(server.types) == taken


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"])
def test_address_that_no_station_has(boot, address):
    with DhcpServer(address):
        guest = boot(address=None)
        guest.wait_for("^vtnet: ready at 10.0.0.2/24$")
        host.serves("10.0.0.2")


def test_address_that_somebody_has(boot):
    with DhcpServer("10.0.0.77") as server, Wire() as wire:
        guest = boot(address=None)
        wire.wait_for(lambda frame: is_gratuitous(frame, "10.0.0.77"))
        wire.send(ALL_STATIONS, ARP, arp_request("10.0.0.77", "10.0.0.77"))
        guest.wait_for(f"^vtnet: 10.0.0.77 is already used by {STATION}: given back$")
        guest.wait_for("^vtnet: ready at 10.0.0.2/24$")
        host.serves("10.0.0.2")
        assert server.order == [DISCOVER, REQUEST, RELEASE]


@pytest.mark.parametrize("append", ["", "mode=irq", "bounded=1"])
def test_claimed_while_booting(boot, append):
    """One forged frame makes the guest lose an address of ip= for some two seconds."""
    with Wire() as wire:
        guest = boot(append)
        wire.wait_for(lambda frame: is_gratuitous(frame, "10.0.0.2"))
        wire.send(ALL_STATIONS, ARP, arp_request("10.0.0.2", "10.0.0.2"))
        guest.wait_for(f"^vtnet: 10.0.0.2 is already used by {STATION}: this guest will use it")
    guest.wait_for("^vtnet: ready at 10.0.0.2/24$", count=2)
    host.serves(guest.address)


def test_claimed_while_booting_link_local(boot):
    """lwIP defends only link-local addresses itself."""
    with Wire() as wire:
        guest = boot("ip=169.254.7.7/16", address=None)
        wire.wait_for(lambda frame: is_gratuitous(frame, "169.254.7.7"))
        wire.send(ALL_STATIONS, ARP, arp_request("169.254.7.7", "169.254.7.7"))
        guest.wait_for(f"^vtnet: 169.254.7.7 is already used by {STATION}: this guest will use it")


def test_claimed_again_and_again(boot):
    """A station that answers each probe keeps the address; the guest probes less and less often."""
    def is_probe(frame):
        *_, ethertype, payload = parse(frame)
        return ethertype == ARP and payload[14:18] == bytes(4) and payload[24:28] == ipv4("10.0.0.2")

    with Wire() as wire:
        guest = boot()
        wire.wait_for(lambda frame: is_gratuitous(frame, "10.0.0.2"))
        for _ in range(2):
            wire.send(ALL_STATIONS, ARP, arp_request("10.0.0.1", "10.0.0.2"))
            assert wire.wait_for(is_probe, 10)
    guest.wait_for("^vtnet: ready at 10.0.0.2/24$", count=2)
    assert guest.console().count("already used") == 1
    host.serves(guest.address)


def test_short_lease(boot):
    """The lease is renewed after half its time, and connections stay open."""
    with DhcpServer("10.0.0.77", lease=4) as server:
        guest = boot(address=None)
        guest.wait_for("^vtnet: ready at 10.0.0.77/24$")
        with host.tcp_socket("10.0.0.77", host.ECHO) as sock:
            deadline = time.monotonic() + PATIENCE
            taken = server.types.count(REQUEST)
            while server.types.count(REQUEST) < taken + 2:
                assert time.monotonic() < deadline, f"no two renewals: {server.types}"
                time.sleep(0.1)
            sock.sendall(b"still there")
            assert sock.recv(100) == b"still there"
        assert server.order == [DISCOVER, REQUEST]
        server.address = "10.0.0.78"
        guest.wait_for("^vtnet: ready at 10.0.0.78/24$")
        host.serves("10.0.0.78")


def test_link_that_was_down_for_a_moment(boot):
    """A leased address is kept, though the server is silent."""
    with DhcpServer("10.0.0.77"):
        guest = boot(address=None)
        guest.wait_for("^vtnet: ready at 10.0.0.77/24$")
    guest.qmp("set_link", name="nic0", up=False)
    guest.wait_for("^vtnet: link down")
    guest.qmp("set_link", name="nic0", up=True)
    guest.wait_for("^vtnet: link up")
    with Wire() as wire:
        wire.wait_for(lambda frame: False, 3)
    host.serves("10.0.0.77")
    assert NO_DHCP not in guest.console()


def test_a_given_address_asks_nobody(boot):
    with DhcpServer("10.0.0.77") as server:
        guest = boot().wait_ready()
        host.ping(guest.address, count=5)
        assert not server.types


def test_a_network_that_returns_all_frames(boot):
    """QEMU's multicast netdev returns the guest's frames: they are not a conflict, over IPv4, IPv6
    or mDNS."""
    def network(number):
        return ["-netdev", "socket,id=n0,mcast=230.0.0.1:1234,localaddr=127.0.0.1",
                "-device", f"virtio-net-pci,netdev=n0,id=nic0,mac=52:54:00:00:00:0{number}"]

    served = boot(network=network(1)).wait_ready()
    served.wait_for("^vtnet: IPv6 address fe80::5054:ff:fe00:1/64$")
    served.wait_for("^vtnet: name vtnet.local$")
    client = boot("peer=10.0.0.2 count=100", network=network(2), image="pingpong",
                  address="10.0.0.3")
    assert client.wait_exit() == client.arch.exit_success
    for guest in (served, client):
        assert guest.console().count("from our own MAC address came in and is dropped") == 1
        assert "already used" not in guest.console() and "claimed" not in guest.console()


@pytest.fixture(name="link_local")
def fixture_link_local():
    host.ip("address", "add", "169.254.0.1/16", "dev", "tap0")
    yield
    host.ip("address", "del", "169.254.0.1/16", "dev", "tap0")


@pytest.mark.usefixtures("link_local")
def test_link_local(boot):
    guest = boot("linklocal", address=None)
    address = guest.wait_for(r"^vtnet: ready at (169\.254\.\d+\.\d+)/16$")[1]
    host.serves(address)


def test_the_name_is_answered_for(boot):
    guest = boot()
    guest.wait_for("^vtnet: name vtnet.local$")
    assert names.resolve("vtnet.local") == {guest.address}
    assert names.resolve("other.local", seconds=1) == set()


USER_CLIENT = """
import os, socket
base = int(os.environ["VTNET_PORT_BASE"])
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    sock = socket.socket(socket.AF_INET, kind)
    sock.settimeout(10)
    sock.connect(("127.0.0.1", base + 7))
    sock.sendall(b"forwarded")
    print(sock.recv(100).decode(), flush=True)
"""


def as_nobody():
    """Options of subprocess.run(), by which root runs the command as another user."""
    whole_range = open("/proc/self/uid_map", encoding="ascii").read().split()[2] != "1"
    return {"user": 65534, "group": 65534} if os.geteuid() == 0 and whole_range else {}


def test_user_network_without_root(arch):
    """./vm run --net user: QEMU's own DHCP server, and its forwarded ports."""
    command = [str(ROOT / "vm"), "run", "--arch", arch.name, "--net", "user", "--accel", "tcg",
               "--console", "--", sys.executable, "-c", USER_CLIENT]
    environment = {key: value for key, value in os.environ.items() if key != "XDG_RUNTIME_DIR"}
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True,
                          timeout=60, check=False, **as_nobody())
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["forwarded", "forwarded"]
    assert "vtnet: ready at 10.0.2.15/24" in done.stderr


def vm(*arguments):
    return subprocess.run([str(ROOT / "vm"), "run", "--net", "user", *arguments], cwd=ROOT, text=True,
                          capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("port", ["55536", "60000", "65535", "80,60000"])
def test_forwarded_port_that_is_too_high(port):
    """The host's port is at least 10000 higher, so the guest's port is at most 55535."""
    done = vm("--forward", port, "--print")
    assert done.returncode == 2
    assert "55535 is the highest" in done.stderr


def test_highest_forwarded_port():
    done = vm("--forward", "55535", "--print")
    assert done.returncode == 0
    assert "hostfwd=tcp:127.0.0.1:65535-10.0.2.15:55535" in done.stdout


def test_forwarded_ports_that_are_taken():
    """The message names the port ranges that were tried."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 60000))
        done = vm("--forward", "50000", "--print")
    assert done.returncode == 1
    assert "no free port range (tried 10000): end" in done.stderr


def test_port_of_mdns_is_taken(boot):
    """A netperf client has taken the port before the guest's mDNS, which waits until it is free."""
    guest = boot().wait_ready()
    with test_netperf.control(guest.address) as sock:
        answer = test_netperf.ask(sock, test_netperf.UDP_REQUEST | {test_netperf.PORT: 5353})
        assert answer[:2] == (test_netperf.OMNI_RESPONSE, 0)
        guest.wait_for("^vtnet: IPv6 address fe80")  # now it wants to claim its name
        host.ping(guest.address, count=3)
    guest.wait_for("^vtnet: name vtnet.local")

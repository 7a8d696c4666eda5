# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's network back ends other than the tap: two guests on one, which talk to each other; and
user networking."""

import os
import re
import socket
import urllib.request

import pytest

import host
from guest import PATIENCE, Guest
from terminal import guest_with_terminal


def card(number, backend):
    return ["-netdev", f"{backend},id=n0",
            "-device", f"virtio-net-pci,netdev=n0,id=nic0,mac=52:54:00:00:00:0{number}"]


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def socket_tcp(_):
    port = free_port()
    return f"socket,listen=127.0.0.1:{port}", f"socket,connect=127.0.0.1:{port}"


def socket_udp(_):
    one, two = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    return (f"socket,udp=127.0.0.1:{one},localaddr=127.0.0.1:{two}",
            f"socket,udp=127.0.0.1:{two},localaddr=127.0.0.1:{one}")


def socket_mcast(_):
    backend = f"socket,mcast=230.0.0.1:{free_port(socket.SOCK_DGRAM)},localaddr=127.0.0.1"
    return backend, backend


def dgram_inet(_):
    one, two = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    ends = [f"{end}.type=inet,{end}.host=127.0.0.1,{end}.port=" for end in ("local", "remote")]
    return (f"dgram,{ends[0]}{one},{ends[1]}{two}", f"dgram,{ends[0]}{two},{ends[1]}{one}")


def dgram_unix(folder):
    ends = [f"{end}.type=unix,{end}.path={folder}/" for end in ("local", "remote")]
    return f"dgram,{ends[0]}one,{ends[1]}two", f"dgram,{ends[0]}two,{ends[1]}one"


def stream_inet(_):
    address = f"addr.type=inet,addr.host=127.0.0.1,addr.port={free_port()}"
    return f"stream,server=on,{address}", f"stream,server=off,{address}"


def stream_unix(folder):
    address = f"addr.type=unix,addr.path={folder}/stream"
    return f"stream,server=on,{address}", f"stream,server=off,{address}"


@pytest.mark.parametrize("pair", [socket_tcp, socket_udp, socket_mcast, dgram_inet, dgram_unix, stream_inet,
                                  stream_unix], ids=lambda pair: pair.__name__)
def test_two_guests(boot, pair, tmp_path):
    """One guest serves. The other one's exit code depends on 200 messages there and back over UDP
    and TCP."""
    one, two = pair(tmp_path)
    served = boot(network=card(1, one)).wait_ready()
    for protocol in ("udp", "tcp"):
        client = boot(f"peer=10.0.0.2 count=200 proto={protocol}", network=card(2, two), image="pingpong",
                      address="10.0.0.3")
        assert client.wait_exit() == client.arch.exit_success
        if pair in (socket_tcp, stream_inet, stream_unix):
            break  # the listening end serves one connection
    served.assert_well()


def test_user_network(arch):
    """DHCP, a forwarded port, and a ping of QEMU's own host."""
    port = free_port()
    network = card(1, f"user,hostfwd=tcp:127.0.0.1:{port}-:80")
    with guest_with_terminal(arch, "dhcp", ready=r"^vtnet: ready at 10\.0\.2\.15/24", address=None,
                             network=network) as (_, terminal):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE) as answer:
            assert b'"ip":"10.0.2.15"' in answer.read()
        assert terminal.command("ping 10.0.2.2 2")[-1].startswith("2 sent, 2 answered")


@pytest.fixture(name="bridge")
def fixture_bridge():
    """Two taps and the host on a bridge."""
    if not host.ip("link", "add", "br9", "type", "bridge", check=False) == "" or \
            "br9" not in host.ip("link", "show"):
        pytest.skip("the kernel has no bridges here")
    for tap in ("tap8", "tap9"):
        host.ip("tuntap", "add", "dev", tap, "mode", "tap")
        host.ip("link", "set", tap, "master", "br9", "up")
    host.ip("address", "add", "10.0.7.1/24", "dev", "br9")
    host.ip("link", "set", "br9", "up")
    yield
    for link in ("br9", "tap8", "tap9"):
        host.ip("link", "del", link)


def test_bridge(boot, bridge):
    backends = [f"tap,ifname={tap},script=no,downscript=no" for tap in ("tap8", "tap9")]
    served = boot(network=card(1, backends[0]), address="10.0.7.2").wait_ready()
    host.serves(served.address)
    client = boot("peer=10.0.7.2 count=200", network=card(2, backends[1]), image="pingpong", address="10.0.7.3")
    assert client.wait_exit() == client.arch.exit_success


@pytest.fixture(name="macvtap")
def fixture_macvtap():
    """A macvtap on one end of a veth pair; the other end stands for another machine. Yields its device.

    /dev names the device after the interface's index, and all network namespaces share /dev: the index
    is one that no test beside this one takes."""
    index = 10000 + os.getpid()
    if host.ip("link", "add", "v8", "type", "veth", "peer", "name", "v9", check=False) or \
            "v9" not in host.ip("link", "show"):
        pytest.skip("the kernel has no veth here")
    try:
        host.ip("link", "add", "link", "v8", "name", "mv8", "index", str(index), "type", "macvtap",
                "mode", "bridge", check=False)
        if "mv8@" not in host.ip("link", "show") or not os.path.exists(f"/dev/tap{index}"):
            pytest.skip("the kernel has no macvtap here, or /dev does not show its device")
        host.ip("address", "add", "10.0.8.1/24", "dev", "v9")
        for link in ("v8", "v9", "mv8"):
            host.ip("link", "set", link, "up")
        yield f"/dev/tap{index}"
    finally:
        host.ip("link", "del", "v8")


def test_macvtap(arch, macvtap):
    mac = re.search(r"mv8@.*?link/ether (\S+)", host.ip("link", "show"), re.DOTALL)[1]
    guest = Guest(arch, address="10.0.8.2", network=[
        "-netdev", "tap,id=n0,fd=3", "-device", f"virtio-net-pci,netdev=n0,id=nic0,mac={mac}"])
    guest.command = ["bash", "-c", f'exec "$0" "$@" 3<>{macvtap}', *guest.command]
    with guest:
        guest.wait_ready()
        host.ping(guest.address, count=20)
        host.serves(guest.address)
        guest.assert_well()

# SPDX-License-Identifier: BSD-2-Clause
"""The other guests that ./vm boots for comparison, and their services."""

import json
import shlex
import struct
import subprocess

import pytest

import host
from guest import ADDRESS, ARCHITECTURES, ROOT, Guest

FILES = [ROOT / "build/peers/linux" / name for name in ("vmlinuz", "initramfs")]
START = 60  # seconds: Linux takes some 3 on an idle machine
I386 = next(arch for arch in ARCHITECTURES if arch.name == "i386")


def vm(*arguments):
    return subprocess.run([ROOT / "vm", "run", "--accel", "tcg", *arguments], capture_output=True,
                          text=True, cwd=ROOT, check=False)


def command(*arguments):
    """The QEMU command of ./vm, as words."""
    done = vm("--print", *arguments)
    assert done.returncode == 0, done.stderr
    return shlex.split(done.stdout)


def linux(*arguments):
    """A Linux guest, not started yet; the test is skipped if there is none."""
    missing = [path.name for path in FILES if not path.exists()]
    if missing:
        pytest.skip(f"no {missing[0]} of Linux: `make linux-peer` fetches and builds it")
    return Guest(I386, command=command("--peer", "linux", *arguments))


def echo_udp(lengths):
    host.udp_echo(ADDRESS, lengths)


def echo_tcp(length):
    with host.tcp_socket(ADDRESS, host.ECHO) as sock:
        sent = host.pattern(length)
        sock.sendall(sent)
        host.compare(sent, host.receive_exactly(sock, length), "TCP echo")


def sink_counts(datagrams, size):
    """Checks that the sink counts all datagrams. They are sent a few at a time, because QEMU's NE2000
    hangs after ten of 1 KiB."""
    with host.udp_socket(ADDRESS, host.SINK) as sock:
        def counted():
            sock.send(b"STAT\0\0\0\1")
            return struct.unpack("!8xQQ", sock.recv(64))

        before = counted()
        for number in range(1, datagrams + 1):
            sock.send(host.pattern(size))
            if number % 4 == 0:
                counted()
        after = counted()
        assert (after[0] - before[0], after[1] - before[1]) == (datagrams, datagrams * size)


def source_sends(count, size):
    with host.udp_socket(ADDRESS, host.SOURCE) as sock:
        sock.send(struct.pack("!4sII", b"SEND", count, size))
        for sequence in range(count):
            datagram = sock.recv(65536)
            assert (len(datagram), datagram[:4]) == (size, struct.pack("!I", sequence))
    with host.tcp_socket(ADDRESS, host.SOURCE) as sock:
        host.receive_exactly(sock, 1 << 20)


def stats():
    with host.udp_socket(ADDRESS, 81) as sock:
        sock.send(b"?")
        card, = json.loads(sock.recv(4096))["cards"]
        return card["driver"], card["counters"]


@pytest.mark.parametrize("nic, driver, buffers, bytes_each", [
    ("virtio-net-pci", "virtio_net", 256, 1536), ("ne2k_pci", "ne2k-pci", 0, 0)])
def test_linux_serves(nic, driver, buffers, bytes_each):
    with linux("--nic", nic) as guest:
        guest.wait_for(r"^vtnet: ready at 10\.0\.0\.2/24 on eth0$", seconds=START)
        assert stats() == (driver, {"rx_buffers": buffers, "rx_held": buffers * bytes_each})
        host.ping(ADDRESS, count=10)
        echo_udp((0, 1, 1024, host.UDP_MAX))
        echo_tcp(200000)
        sink_counts(100, 1024)
        source_sends(20, 1024)
        guest.assert_well()


@pytest.mark.parametrize("arguments, reason", [
    (("--append", "ip=10.0.0.2"), "ip= must be ADDRESS/PREFIX"),
    (("--net", "none", "--append", "ip=10.0.0.2/24"), "no network card that has a driver here")])
def test_linux_ends_with_a_reason(arguments, reason):
    with linux(*arguments) as guest:
        guest.wait_failure(START)
        lines = [line for line in guest.console().splitlines() if line.startswith("vtnet:")]
        assert len(lines) == 1 and reason in lines[0]


def test_peers_have_the_machine_and_the_card_of_our_guest():
    """Except for the image, the commands are the same."""
    card = ("--nic", "i82559er")
    ours, freebsd = command(*card), command("--peer", "freebsd", "--disk", "a,b.img", *card)
    theirs = command("--peer", "linux", *card, "--append", "mitigations=auto")
    for words in (ours, theirs):
        at = words.index("-append")
        del words[at:at + 2]
    for words, options in ((ours, ["-kernel"]), (theirs, ["-kernel", "-initrd"]),
                           (freebsd, ["-hda"])):
        for option in options:
            at = words.index(option)
            del words[at:at + 2]
    freebsd.remove("-snapshot")
    assert ours == theirs == freebsd


def test_the_last_word_of_the_command_line_is_the_users():
    words = command("--peer", "linux", "--append", "mitigations=auto")
    line = words[words.index("-append") + 1].split()
    assert line.index("mitigations=off") < line.index("mitigations=auto")
    assert "ip=10.0.0.2/24" in line


@pytest.mark.parametrize("arguments, reason", [
    (("--peer", "linux", "--arch", "ppc"), "--peer takes neither --arch ppc nor --image"),
    (("--peer", "linux", "--image", "x"), "--peer takes neither --arch ppc nor --image"),
    (("--peer", "freebsd"), "--peer freebsd needs --disk IMAGE"),
    (("--disk", "x"), "--peer freebsd needs --disk IMAGE"),
    (("--peer", "freebsd", "--disk", "nowhere.img"), "vm: nowhere.img does not exist")])
def test_options_that_are_refused(arguments, reason):
    done = vm(*arguments)
    assert done.returncode != 0
    assert reason in done.stderr.splitlines()[-1]

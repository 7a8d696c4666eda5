# SPDX-License-Identifier: BSD-2-Clause
"""All kinds of machines: the card's place, the amount of memory, the processor."""

import os
import re
import signal
import time

import pytest

import host
from guest import ARCHITECTURES, PATIENCE, tap_network
from test_interrupts import INTX, ON_A_PC, assert_interrupts_work
from test_stats import by_udp

NO_CARD = "vtnet: no usable network card among"
HOST_MIB = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20


def for_each(values):
    """Parametrises over an architecture and one of its values of something."""
    cases = [(arch, value) for arch in ARCHITECTURES for value in values(arch)]
    return pytest.mark.parametrize("arch, value", cases, indirect=["arch"],
                                   ids=[f"{arch.name}-{value}" for arch, value in cases])


def assert_gives_up(guest, *lines):
    guest.wait_failure()
    for line in (*lines, NO_CARD):
        assert line in guest.console()


def test_no_network_card(boot):
    assert_gives_up(boot(network=["-nic", "none"]))


@ON_A_PC  # QEMU's PReP machines all have PCI
@pytest.mark.parametrize("machine", ["isapc", "microvm"])
def test_machine_without_pci(boot, machine):
    """Without PCI the message does not advise to add a card."""
    guest = boot(network=[], qemu=["-M", machine])
    assert guest.wait_exit() == guest.arch.exit_failure
    guest.wait_for("^vtnet: this machine has no PCI bus: start QEMU with another", seconds=0)
    assert "virtio-net-pci" not in guest.console()


def test_card_that_is_not_virtio(boot):
    assert_gives_up(boot(network=["-device", "e1000"]),
                    "8086:100e is a network card that has no driver")


def test_virtio_device_that_is_no_card(boot):
    assert_gives_up(boot(network=["-nic", "none", "-device", "virtio-rng-pci"]))


def test_virtio_card_beside_another(boot):
    guest = boot(network=["-device", "e1000,addr=4", *tap_network(device="addr=5")]).wait_ready()
    assert "00:04.0 8086:100e is a network card that has no driver" in guest.console()
    host.serves(guest.address)


def test_two_virtio_cards(boot):
    """The first card in the order of the scan counts as first, wherever it is on the command line."""
    guest = boot(network=["-device", "virtio-net-pci,addr=6", *tap_network(device="addr=5")])
    guest.wait_ready()
    guest.wait_for("^vtnet: card 1: ready at 10.0.1.2/24")
    host.serves(guest.address)


@pytest.mark.parametrize("device", ["disable-modern=on", "", "disable-legacy=on"])
@pytest.mark.parametrize("mode", ["irq", "hybrid"])
def test_card_behind_a_bridge(boot, device, mode):
    options = ",".join(filter(None, ("bus=b0,addr=3", device)))
    guest = boot(f"mode={mode}", network=["-device", "pci-bridge,id=b0,chassis_nr=1",
                                          *tap_network(device=options)]).wait_ready()
    guest.wait_for(r"01:03\.0 1af4:\w+ virtio-net$")
    host.serves(guest.address)


ROOTS = {  # another root bus: the card's device option, preceded by QEMU's arguments
    "pxb": ("bus=px", ["-device", "pxb,id=px,bus_nr=128"]),
    "pxb-pcie": ("bus=rp", ["-M", "q35", "-device", "pxb-pcie,id=px,bus_nr=128",
                            "-device", "pcie-root-port,id=rp,bus=px,addr=5,chassis=1"]),
}


@ON_A_PC
@pytest.mark.parametrize("irq", ["intx", "msix"])
@pytest.mark.parametrize("root", ROOTS)
def test_card_on_another_root_bus(boot, root, irq):
    device, before = ROOTS[root]
    guest = boot(f"irq={irq} mode=irq stats=1",
                 network=[*before, *tap_network(device=device)]).wait_ready()
    guest.wait_for(r"^vtnet: 8[0-9a-f]:\S+ 1af4:\S+ virtio-net$")
    assert_interrupts_work(guest, int(guest.wait_for(INTX)[1]) if irq == "intx" else None)


def test_card_behind_two_bridges(boot):
    guest = boot(network=["-device", "pci-bridge,id=b0,chassis_nr=1", "-device",
                          "pci-bridge,id=b1,bus=b0,addr=1,chassis_nr=2",
                          *tap_network(device="bus=b1,addr=2")]).wait_ready()
    host.serves(guest.address)


@pytest.mark.parametrize("mode", ["irq", "hybrid"])
def test_card_that_is_a_later_function(boot, mode):
    """Function 3 of a device with another function 0: its interrupt pin differs too."""
    guest = boot(f"mode={mode}", network=[
        "-device", "virtio-rng-pci,addr=5.0,multifunction=on",
        *tap_network(device="addr=5.3,multifunction=on")]).wait_ready()
    assert "00:05.3 1af4:1000 virtio-net" in guest.console()
    host.serves(guest.address)


@pytest.mark.parametrize("slot", [4, 5, 6, 7])
def test_every_interrupt_line(boot, slot):
    """The guest sleeps until an interrupt, so that a missing one is detected."""
    guest = boot("mode=irq", network=tap_network(device=f"addr={slot}")).wait_ready()
    host.ping(guest.address, count=20)


@for_each(lambda arch: arch.memories)
def test_memory(boot, value):
    if value > HOST_MIB * 0.9:
        pytest.skip(f"this host has only {HOST_MIB} MiB")
    guest = boot(qemu=["-m", str(value)]).wait_ready()
    kib = int(guest.wait_for(r"^vtnet: (\d+) KiB of memory")[1])
    # a PC has no RAM between 3 and 4 GiB unless all of it fits below 3.5 GiB
    assert min(value - 4, 3000) << 10 <= kib <= value << 10
    host.serves(guest.address)
    host.tcp_echo(guest.address, 4 * host.MIB)


@for_each(lambda arch: arch.cpus)
def test_processor(boot, value):
    guest = boot(qemu=["-cpu", value]).wait_ready()
    host.serves(guest.address)
    host.tcp_echo(guest.address, host.MIB)


def wait_for_clock(guest, between=lambda: time.sleep(0.01)):
    """Returns the kHz that the guest measured. Calls `between` until then."""
    deadline = time.monotonic() + PATIENCE
    while not (clock := re.search(r"clock .* at (\d+) kHz\n", guest.console())):
        assert time.monotonic() < deadline, guest.console()
        between()
    guest.process.kill()
    guest.wait_exit()
    return int(clock[1])


def test_clock_on_a_busy_host(boot):
    """The host stops the emulator repeatedly while the guest measures its clock."""
    right = wait_for_clock(boot(address=None, network=["-nic", "none"]))
    for attempt in range(4):
        guest = boot(address=None, network=["-nic", "none"])

        def stop():
            guest.process.send_signal(signal.SIGSTOP)
            time.sleep(0.058 + 0.007 * attempt)  # the timer's period is 55 ms
            guest.process.send_signal(signal.SIGCONT)
            firmware = guest.arch.name == "i386" and "Booting" not in guest.console()
            time.sleep(0.01 if firmware else 0.001)
        assert wait_for_clock(guest, stop) == pytest.approx(right, rel=0.002)


@for_each(lambda arch: arch.cpus)
def test_clock(boot, value):
    """The guest's clock between two readings, compared with the host's: less has passed from the answer to
    the first question to the second question, more from the first to the second answer."""
    guest = boot(qemu=["-cpu", value]).wait_ready()
    asked, first, answered = time.monotonic(), by_udp(guest.address)["clock_ns"] / 1e9, time.monotonic()
    time.sleep(1)
    asked_again, last = time.monotonic(), by_udp(guest.address)["clock_ns"] / 1e9
    assert 0.9 * (asked_again - answered) < last - first < 1.1 * (time.monotonic() - asked)


@pytest.mark.parametrize("arch", [arch for arch in ARCHITECTURES if arch.name == "ppc"],
                         indirect=True, ids=lambda arch: arch.name)
@pytest.mark.parametrize("kernel, says", [
    ([], "vtnet: no image at 0x01000000: start QEMU with -kernel, too"),
    (["build/ppc/vtnet-demo.elf"], "vtnet: -kernel names an ELF file: this ROM takes the .bin beside it"),
    (["build/ppc/vtnet-demo.bin"], "started by a ROM"),
], ids=["none", "elf", "bin"])
def test_rom(boot, kernel, says):
    guest = boot(network=["-nic", "none"], qemu=[
        "-bios", "build/ppc/prep-rom.bin", *(word for file in kernel for word in ("-kernel", file))])
    guest.wait_for(f"{says}$")
    guest.end_seen = True

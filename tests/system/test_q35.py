# SPDX-License-Identifier: BSD-2-Clause
"""A card at each possible place of a PCI Express machine: root complex, ports, switches, bridges."""

import pytest

from guest import tap_network
from test_interrupts import INTX, ON_A_PC, assert_interrupts_work

PORT = ["-device", "pcie-root-port,id=rp,chassis=1"]
SWITCH = [*PORT, "-device", "x3130-upstream,id=up,bus=rp",
          "-device", "xio3130-downstream,id=down0,bus=up,addr=0,chassis=2",
          "-device", "xio3130-downstream,id=down1,bus=up,addr=1,chassis=3"]
TO_PCI = [*PORT, "-device", "pcie-pci-bridge,id=br,bus=rp"]
PLACES = {  # the card's bus, QEMU's arguments before it, and the bus number found by the guest
    "root": ("pcie.0", [], 0),
    "root-port": ("rp", PORT, 1),
    "switch": ("down1", SWITCH, 4),
    "pci-bridge": ("br,addr=1", TO_PCI, 2),
    "switch-behind-a-bridge": ("deep,addr=2", [
        *SWITCH, "-device", "pcie-pci-bridge,id=br,bus=down0",
        "-device", "pci-bridge,id=deep,bus=br,addr=1,chassis_nr=9"], None),
}


@ON_A_PC
@pytest.mark.parametrize("irq", ["intx", "msix"])
@pytest.mark.parametrize("place", PLACES)
def test_card_at(boot, place, irq):
    bus, before, number = PLACES[place]
    guest = boot(f"irq={irq} mode=irq stats=1",
                 network=["-M", "q35", *before, *tap_network(device=f"bus={bus}")]).wait_ready()
    at = "[0-9a-f]{2}" if number is None else f"{number:02x}"
    guest.wait_for(rf"^vtnet: {at}:\S+ 1af4:\S+ virtio-net$")
    assert_interrupts_work(guest, int(guest.wait_for(INTX)[1]) if irq == "intx" else None)

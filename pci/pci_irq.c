/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines. Firmware writes the line into a register (§6.2.4 Miscellaneous Registers). On a
 * PReP machine this program is the firmware and knows the wiring instead. The slot of the
 * PCI-to-ISA bridge, which contains the interrupt controllers, tells which of QEMU's two PReP
 * machines it is.
 */
#include "pci/internal/pci_bridge.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"
#include "pci/pci_platform.h"

enum {
    RAVEN = 0x48011057,  /* device and vendor of the host bridge, at 00:00.0 */
    I82378 = 0x04848086, /* device and vendor of the PCI-to-ISA bridge */
    ISA_SLOT_40P = 11,
    ISA_SLOT_PREP = 1,

    LINE_40P = 15, /* all PCI interrupts: PowerPC Reference Platform 1.1 §6.1.6 System Interrupts */
    LINE_PREP_EVEN = 9,
    LINE_PREP_ODD = 11,
};

static bool is_at_slot(unsigned slot, uint32_t id)
{
    return vpci_platform_config_read((uint16_t)(slot << 3), PCI_VENDOR_ID, 4) == id;
}

/*
 * The pin as seen at the root bus, plus the slot there. Each bridge rotates the pins by the slot of
 * the device behind it.
 */
static unsigned pin_plus_slot(uint16_t bdf, unsigned pin)
{
    uint16_t above = bdf;

    for (unsigned i = 0; i < PCI_BUSES_MAX && vpci_bridge_above(&above); i++) {
        pin = (pin + (bdf >> 3 & 31)) % 4;
        bdf = above;
    }
    return pin + (bdf >> 3 & 31);
}

uint8_t vpci_irq_line(uint16_t bdf)
{
    unsigned pin = vpci_platform_config_read(bdf, PCI_INTERRUPT_PIN, 1);

    if (is_at_slot(0, RAVEN) && pin != 0) {
        if (is_at_slot(ISA_SLOT_40P, I82378)) {
            return LINE_40P;
        }
        if (is_at_slot(ISA_SLOT_PREP, I82378)) {
            return pin_plus_slot(bdf, pin - 1) % 2 == 0 ? LINE_PREP_EVEN : LINE_PREP_ODD;
        }
    }
    return (uint8_t)vpci_platform_config_read(bdf, PCI_INTERRUPT_LINE, 1);
}

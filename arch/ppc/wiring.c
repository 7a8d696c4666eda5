/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt wiring of QEMU's two PReP machines: no firmware writes the lines into the registers. The
 * slot of the PCI-to-ISA bridge, which contains the interrupt controllers, tells which machine it is.
 */
#include "pci/pci.h"
#include "pci/pci_platform.h"

enum {
    VENDOR_ID = 0,       /* register: vendor, then device */
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
    return vpci_platform_config_read((uint16_t)(slot << 3), VENDOR_ID, 4) == id;
}

uint8_t vpci_platform_irq_line(uint16_t bdf, unsigned pin, uint8_t line)
{
    if (is_at_slot(0, RAVEN)) {
        if (is_at_slot(ISA_SLOT_40P, I82378)) {
            return LINE_40P;
        }
        if (is_at_slot(ISA_SLOT_PREP, I82378)) {
            return vpci_irq_at_root(bdf, pin) % 2 == 0 ? LINE_PREP_EVEN : LINE_PREP_ODD;
        }
    }
    return line;
}

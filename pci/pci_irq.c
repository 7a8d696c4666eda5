/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines. Firmware writes the line into a register (§6.2.4 Miscellaneous Registers). Where it does
 * not, the machine's own vpci_platform_irq_line() knows the wiring.
 */
#include "pci/internal/pci_bridge.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"
#include "pci/pci_platform.h"

/* Each bridge rotates the pins by the slot of the device behind it. */
unsigned vpci_irq_at_root(uint16_t bdf, unsigned pin)
{
    uint16_t above = bdf;

    for (unsigned i = 0; i < PCI_BUSES_MAX && vpci_bridge_above(&above); i++) {
        pin = (pin + (bdf >> 3 & 31)) % 4;
        bdf = above;
    }
    return pin + (bdf >> 3 & 31);
}

__attribute__((weak)) uint8_t vpci_platform_irq_line(uint16_t bdf, unsigned pin, uint8_t line)
{
    (void)bdf, (void)pin;
    return line;
}

uint8_t vpci_irq_line(uint16_t bdf)
{
    unsigned pin = vpci_platform_config_read(bdf, PCI_INTERRUPT_PIN, 1);
    uint8_t line = (uint8_t)vpci_platform_config_read(bdf, PCI_INTERRUPT_LINE, 1);

    return pin != 0 ? vpci_platform_irq_line(bdf, pin - 1, line) : line;
}

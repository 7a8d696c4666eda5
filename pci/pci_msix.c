/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI-X (§6.8.2 MSI-X Capability and Table Structures). */
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"
#include "pci/pci_platform.h"

enum {
    MSIX_CONTROL = 2, /* offsets in the capability */
    MSIX_TABLE = 4,
    MSIX_CAPABILITY_SIZE = 12,

    CONTROL_TABLE_SIZE = 0x7ff, /* the number of entries less one */
    CONTROL_FUNCTION_MASK = 0x4000,
    CONTROL_ENABLE = 0x8000,
    TABLE_BAR = 0x7, /* the BAR, in the low bits of the table's offset */

    ENTRY_ADDRESS_LOW = 0, /* offsets in an entry */
    ENTRY_ADDRESS_HIGH = 4,
    ENTRY_DATA = 8,
    ENTRY_CONTROL = 12,
    ENTRY_SIZE = 16,
    ENTRY_MASKED = 1,
};

void vpci_msix_open(const struct vpci_device *device, struct vpci_msix *msix)
{
    uint8_t capability = vpci_find_capability(device, PCI_CAP_MSIX, 0);
    uint32_t table;
    uint16_t entries;

    *msix = (struct vpci_msix){.bdf = device->bdf};
    if (capability == 0 || capability + MSIX_CAPABILITY_SIZE > 256) {
        return;
    }
    msix->capability = capability;
    vpci_msix_enable(msix, false);
    entries =
        (uint16_t)((vpci_config_read(device, capability + MSIX_CONTROL, 2) & CONTROL_TABLE_SIZE) +
                   1);
    table = vpci_config_read(device, capability + MSIX_TABLE, 4);
    if (vpci_map(device, table & TABLE_BAR, table & ~(uint32_t)TABLE_BAR, entries * ENTRY_SIZE,
                 &msix->table) &&
        !msix->table.io) {
        msix->entries = entries;
    }
}

/* §6.8.2: software must mask an entry before it changes it. */
void vpci_msix_set(const struct vpci_msix *msix, unsigned entry, uint32_t address, uint32_t data)
{
    uint32_t at = entry * ENTRY_SIZE;

    if (entry >= msix->entries) {
        return; /* other registers may lie behind the table */
    }
    vpci_write32(&msix->table, at + ENTRY_CONTROL, ENTRY_MASKED);
    vpci_write32(&msix->table, at + ENTRY_ADDRESS_LOW, address);
    vpci_write32(&msix->table, at + ENTRY_ADDRESS_HIGH, 0);
    vpci_write32(&msix->table, at + ENTRY_DATA, data);
    vpci_write32(&msix->table, at + ENTRY_CONTROL, 0);
}

void vpci_msix_enable(const struct vpci_msix *msix, bool on)
{
    unsigned at = msix->capability + MSIX_CONTROL;
    uint32_t control;

    if (msix->capability == 0) {
        return;
    }
    control = vpci_platform_config_read(msix->bdf, at, 2);
    control &= ~(uint32_t)(CONTROL_ENABLE | CONTROL_FUNCTION_MASK);
    vpci_platform_config_write(msix->bdf, at, 2, on ? control | CONTROL_ENABLE : control);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Implements pci_platform.h for the machines of this project by configuration mechanism 1 (PCI 3.0
 * §3.2.2.3.2). i386 and PReP have its address and data ports at the same I/O addresses.
 */
#include "pci/pci_platform.h"
#include "arch/arch.h"
#include "boot/fw_cfg.h"

enum {
    CONFIG_ADDRESS = 0xcf8,
    CONFIG_DATA = 0xcfc,
};

/*
 * Interrupts are off while the two ports are used, as a handler could select another register in
 * between.
 */
static void select_register(uint16_t bdf, unsigned offset)
{
    arch_io_write32(CONFIG_ADDRESS, 0x80000000u | (uint32_t)bdf << 8 | (offset & 0xfc));
}

uint32_t vpci_platform_config_read(uint16_t bdf, unsigned offset, unsigned width)
{
    bool enabled = arch_interrupts_save();
    uint32_t value;

    select_register(bdf, offset);
    value = vpci_platform_read(true, CONFIG_DATA + (offset & 3), width);
    arch_interrupts_restore(enabled);
    return value;
}

void vpci_platform_config_write(uint16_t bdf, unsigned offset, unsigned width, uint32_t value)
{
    bool enabled = arch_interrupts_save();

    select_register(bdf, offset);
    vpci_platform_write(true, CONFIG_DATA + (offset & 3), width, value);
    arch_interrupts_restore(enabled);
}

/* Nothing is translated. */
bool vpci_platform_map(uint32_t address, uint32_t size, uintptr_t *at)
{
    (void)size;
    *at = address;
    return true;
}

uint32_t vpci_platform_read(bool io, uintptr_t address, unsigned width)
{
    switch (width) {
    case 1:
        return io ? arch_io_read8(address) : arch_bus_read8(address);
    case 2:
        return io ? arch_io_read16(address) : arch_bus_read16(address);
    default:
        return io ? arch_io_read32(address) : arch_bus_read32(address);
    }
}

void vpci_platform_write(bool io, uintptr_t address, unsigned width, uint32_t value)
{
    switch (width) {
    case 1:
        io ? arch_io_write8(address, (uint8_t)value) : arch_bus_write8(address, (uint8_t)value);
        break;
    case 2:
        io ? arch_io_write16(address, (uint16_t)value) : arch_bus_write16(address, (uint16_t)value);
        break;
    default:
        io ? arch_io_write32(address, value) : arch_bus_write32(address, value);
        break;
    }
}

/*
 * The number of QEMU's expander bridges (pxb, pxb-pcie), little-endian. Real machines would report
 * other roots by ACPI, which is not supported.
 */
unsigned vpci_platform_other_roots(void)
{
    static bool known;
    static uint8_t roots[8];

    if (!known) {
        known = true;
        fw_cfg_read_file("etc/extra-pci-roots", roots, sizeof roots);
    }
    return roots[0];
}

struct vpci_window vpci_platform_window(bool io)
{
    return io ? (struct vpci_window){ARCH_BUS_IO_FIRST, ARCH_BUS_IO_LAST}
              : (struct vpci_window){ARCH_BUS_MEMORY_FIRST, ARCH_BUS_MEMORY_LAST};
}

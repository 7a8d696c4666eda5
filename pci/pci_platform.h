/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pci/ asks of the machine. arch/pci_platform.c answers for the machines of this project;
 * a port to another system supplies these seven functions instead. None of them blocks, and all of them may
 * be called from interrupt context.
 */
#ifndef VTNET_PCI_PLATFORM_H
#define VTNET_PCI_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Configuration space. bdf: bus << 8 | device << 3 | function. offset: 0 to 255, a multiple of
 * width. width: 1, 2 or 4 bytes. A function that is not there reads as all ones.
 */
uint32_t vpci_platform_config_read(uint16_t bdf, unsigned offset, unsigned width);
void vpci_platform_config_write(uint16_t bdf, unsigned offset, unsigned width, uint32_t value);

/*
 * Makes device registers accessible: `size` bytes of memory space from this bus address on, a part of a BAR. Where
 * addresses are translated it maps them, without a cache; else *at is the bus address itself. Returns false where that
 * cannot be done: the device is used through I/O space or configuration space then, where it can be. Called by
 * virtio_pci_open(), once for each structure of a device, never from interrupt context, and again when a device is opened
 * again; nothing ends the mapping. *at: the address of the first byte for vpci_platform_read() and _write().
 */
bool vpci_platform_map(uint32_t address, uint32_t size, uintptr_t *at);

/*
 * Device registers, little-endian as all of PCI: the value is in the processor's order. io: whether
 * the address is in I/O space, as the BAR has it; else it is one of vpci_platform_map(). width: 1, 2 or 4 bytes.
 * Accesses are made in program order, and stores of this processor to memory come before them.
 */
uint32_t vpci_platform_read(bool io, uintptr_t address, unsigned width);
void vpci_platform_write(bool io, uintptr_t address, unsigned width, uint32_t value);

/* A range of bus addresses: first to last, both included. */
struct vpci_window {
    uint32_t first;
    uint32_t last;
};

/*
 * How many root buses there are beside bus 0, whose numbers no bridge tells: vpci_scan() looks for so
 * many. 0 where there are none or nobody knows, which saves it the search.
 */
unsigned vpci_platform_other_roots(void);

/* Where BARs that the firmware left without an address may be put. io: which space. */
struct vpci_window vpci_platform_window(bool io);

/*
 * Optional, for machines whose firmware does not write interrupt lines into the registers: the line of a function. pin:
 * 0 to 3, for INTA to INTD. line: what the register has. vpci_irq_at_root() may be called. pci/ has a weak
 * definition, which returns line.
 */
uint8_t vpci_platform_irq_line(uint16_t bdf, unsigned pin, uint8_t line);

#ifdef __cplusplus
}
#endif

#endif

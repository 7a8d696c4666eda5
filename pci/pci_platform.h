/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that pci/ requires from the machine. arch/pci_platform.c implements them for the
 * machines of this project; a port to another system provides these seven functions instead. None
 * of them blocks. All of them except vpci_platform_map() may be called from interrupt context, and,
 * with several processors, by several at once.
 */
#ifndef VTNET_PCI_PLATFORM_H
#define VTNET_PCI_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Accesses to configuration space. bdf: bus << 8 | device << 3 | function. offset: 0 to 255, a
 * multiple of width. width: 1, 2 or 4 bytes. A missing function reads as all ones.
 */
uint32_t vpci_platform_config_read(uint16_t bdf, unsigned offset, unsigned width);
void vpci_platform_config_write(uint16_t bdf, unsigned offset, unsigned width, uint32_t value);

/*
 * Makes device registers accessible: `size` bytes of memory space from this bus address on, a part
 * of a BAR. On a system with paging it maps them uncached; otherwise *at is the bus address itself.
 * Returns false if that is not possible; the device is then used through I/O space or configuration
 * space, if it supports that. virtio_pci_open() calls it once per structure of a device, never from
 * interrupt context, and again when the device is opened again; mappings are never removed. *at:
 * the address of the first byte for vpci_platform_read() and vpci_platform_write().
 */
bool vpci_platform_map(uint32_t address, uint32_t size, uintptr_t *at);

/*
 * Accesses to device registers. PCI is little-endian; values are in the processor's byte order. io:
 * the address is in I/O space, as in the BAR; otherwise it is one of vpci_platform_map(). width: 1,
 * 2 or 4 bytes. Accesses are made in program order, after this processor's earlier stores to
 * memory.
 */
uint32_t vpci_platform_read(bool io, uintptr_t address, unsigned width);
void vpci_platform_write(bool io, uintptr_t address, unsigned width, uint32_t value);

/* A range of bus addresses: first to last, both included. */
struct vpci_window {
    uint32_t first;
    uint32_t last;
};

/*
 * The number of root buses other than bus 0. No bridge tells their bus numbers, so vpci_scan()
 * searches for this many. 0: none or unknown, and no search.
 */
unsigned vpci_platform_other_roots(void);

/* The range in which BARs without an address may be placed. io: which space. */
struct vpci_window vpci_platform_window(bool io);

/*
 * Optional, for machines whose firmware does not write interrupt lines to the registers: returns a
 * function's line. pin: 0 to 3, for INTA to INTD. line: the register's value. It may call
 * vpci_irq_at_root(). pci/ has a weak definition that returns line.
 */
uint8_t vpci_platform_irq_line(uint16_t bdf, unsigned pin, uint8_t line);

#ifdef __cplusplus
}
#endif

#endif

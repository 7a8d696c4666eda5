/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI for drivers: finds functions, sizes and assigns BARs, walks capabilities. Section numbers are
 * those of the PCI Local Bus Specification 3.0.
 */
#ifndef VTNET_PCI_H
#define VTNET_PCI_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { VPCI_BARS = 6 };
enum { VPCI_CLASS_NETWORK = 0x02 }; /* a base class (PCI Code and ID Assignment) */

/* A base address register. size 0: not implemented. address 0: not assigned. */
struct vpci_bar {
    uint64_t address;
    uint64_t size; /* bytes */
    bool io;
    bool wide; /* 64-bit: occupies the next register too */
};

struct vpci_device {
    uint16_t bdf; /* bus << 8 | device << 3 | function */
    uint16_t vendor;
    uint16_t device;
    uint16_t subsystem;
    uint16_t class_code; /* base class << 8 | sub-class */
    uint8_t revision;
    uint8_t irq_line; /* vpci_irq_line() */
    uint8_t irq_pin;  /* 1 to 4 for INTA# to INTD#; 0: none */
    struct vpci_bar bar[VPCI_BARS];
};

/* A part of a BAR. Accesses are not checked against its size. */
struct vpci_region {
    uintptr_t base; /* I/O space: as in the BAR; memory space: from vpci_platform_map() */
    uint32_t size;  /* bytes */
    bool io;
};

/* Prints as "00:03.0": VPCI_BDF_FORMAT with VPCI_BDF_ARGS(bdf). */
#define VPCI_BDF_FORMAT "%x%x:%x%x.%x" /* no field widths: some printf()s lack them */
#define VPCI_BDF_ARGS(bdf)                                                                         \
    (unsigned)((bdf) >> 12), (unsigned)((bdf) >> 8 & 15), (unsigned)((bdf) >> 7 & 1),              \
        (unsigned)((bdf) >> 3 & 15), (unsigned)((bdf)&7)

/*
 * Calls visit() for every function on every root bus (vpci_platform_other_roots()) and on every bus
 * that is reachable from a root bus through bridges that have a bus number. Each bus is scanned
 * once, whatever the bridges claim. The scan ends when visit() returns false. The device passed to
 * visit() is complete except for its BARs, and valid only during the call. Returns the number of
 * functions visited.
 */
unsigned vpci_scan(bool (*visit)(const struct vpci_device *device, void *context), void *context);

/*
 * Gives each bridge a bus number and a part of vpci_platform_window(), unless the firmware has done
 * so. If you need it, call it before all other functions.
 */
void vpci_setup_bridges(void);

/*
 * Sizes the device's BARs (§6.2.5.1) and assigns an address from vpci_platform_window() to those
 * without one. A BAR for which there is no room keeps address 0. Decoding is off during the call
 * and restored afterwards.
 */
void vpci_setup_bars(struct vpci_device *device);

/*
 * The input of the interrupt controller to which the function's interrupt pin is connected: as the
 * firmware wrote it, or as vpci_platform_irq_line() returns it. 255: none.
 */
uint8_t vpci_irq_line(uint16_t bdf);

/*
 * The interrupt pin as seen at the root bus, plus the slot there. pin: 0 to 3, for INTA to INTD.
 * Each bridge on the way rotates it.
 */
unsigned vpci_irq_at_root(uint16_t bdf, unsigned pin);

/* Enables I/O decoding, memory decoding and bus mastering. Leaves the interrupt line disabled. */
void vpci_enable(const struct vpci_device *device);

/*
 * Enables the device's interrupt line. Call it only after the handler is installed: the line may be
 * shared, and the other devices' handlers cannot silence this device. An interrupt that is already
 * pending arrives at once.
 */
void vpci_enable_line(const struct vpci_device *device);

/*
 * Returns the offset of the nth capability with this id (§6.7; nth counts from 0), or 0 if there
 * are fewer. Terminates on lists with loops or wrong pointers, and so does a caller that counts nth
 * up until it gets 0.
 */
uint8_t vpci_find_capability(const struct vpci_device *device, uint8_t id, unsigned nth);

/*
 * Makes a region from a part of a BAR. Returns false and leaves *region unset if the BAR is not
 * implemented, has no address or one above 4 GiB, is smaller than offset + size, or cannot be
 * mapped.
 */
bool vpci_map(const struct vpci_device *device, unsigned bar, uint32_t offset, uint32_t size,
              struct vpci_region *region);

/* Accesses to configuration space. width: 1, 2 or 4 bytes. Any context. */
uint32_t vpci_config_read(const struct vpci_device *device, unsigned offset, unsigned width);
void vpci_config_write(const struct vpci_device *device, unsigned offset, unsigned width,
                       uint32_t value);

/* The MSI-X capability of a function (§6.8.2), if its table can be accessed. */
struct vpci_msix {
    uint16_t bdf;
    uint8_t capability; /* its offset; 0: none */
    uint16_t entries;   /* size of the table; 0: none */
    struct vpci_region table;
};

/*
 * Finds the capability and disables MSI-X, so the function uses its interrupt line. Call it after
 * vpci_setup_bars().
 */
void vpci_msix_open(const struct vpci_device *device, struct vpci_msix *msix);

/*
 * Sets the message of a table entry: `data` written to the bus address `address`. Does nothing if
 * there is no such entry.
 */
void vpci_msix_set(const struct vpci_msix *msix, unsigned entry, uint32_t address, uint32_t data);

/*
 * Enables or disables MSI-X. While it is enabled, the function sends the messages of the table and
 * does not use its interrupt line.
 */
void vpci_msix_enable(const struct vpci_msix *msix, bool on);

/*
 * Accesses to the registers of a region; values are in the processor's byte order. width: 1, 2 or 4
 * bytes. Any context.
 */
uint32_t vpci_read(const struct vpci_region *region, uint32_t offset, unsigned width);
void vpci_write(const struct vpci_region *region, uint32_t offset, unsigned width, uint32_t value);

static inline uint8_t vpci_read8(const struct vpci_region *region, uint32_t offset)
{
    return (uint8_t)vpci_read(region, offset, 1);
}

static inline uint16_t vpci_read16(const struct vpci_region *region, uint32_t offset)
{
    return (uint16_t)vpci_read(region, offset, 2);
}

static inline uint32_t vpci_read32(const struct vpci_region *region, uint32_t offset)
{
    return vpci_read(region, offset, 4);
}

static inline void vpci_write8(const struct vpci_region *region, uint32_t offset, uint8_t value)
{
    vpci_write(region, offset, 1, value);
}

static inline void vpci_write16(const struct vpci_region *region, uint32_t offset, uint16_t value)
{
    vpci_write(region, offset, 2, value);
}

static inline void vpci_write32(const struct vpci_region *region, uint32_t offset, uint32_t value)
{
    vpci_write(region, offset, 4, value);
}

#ifdef __cplusplus
}
#endif

#endif

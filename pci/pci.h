/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI as a driver needs it: find functions, size and assign BARs, walk capabilities.
 * Section numbers are those of the PCI Local Bus Specification 3.0.
 */
#ifndef VTNET_PCI_H
#define VTNET_PCI_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { VPCI_BARS = 6 };

/* A base address register, sized. size 0: not implemented. address 0: nobody assigned one. */
struct vpci_bar {
    uint64_t address;
    uint64_t size; /* bytes */
    bool io;
    bool wide; /* 64-bit: takes the next register too */
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

/* A part of a BAR that can be accessed. Offsets into it are the caller's to check. */
struct vpci_region {
    uint32_t base;
    uint32_t size; /* bytes */
    bool io;
};

/* Prints as "00:03.0": VPCI_BDF_FORMAT with VPCI_BDF_ARGS(bdf). */
#define VPCI_BDF_FORMAT "%x%x:%x%x.%x" /* without widths, which not every printf has */
#define VPCI_BDF_ARGS(bdf)                                                                         \
    (unsigned)((bdf) >> 12), (unsigned)((bdf) >> 8 & 15), (unsigned)((bdf) >> 7 & 1),              \
        (unsigned)((bdf) >> 3 & 15), (unsigned)((bdf)&7)

/*
 * Calls visit for every function on every root bus (vpci_platform_other_roots()) and on every bus that
 * can be reached from there through bridges that have a bus number, each once whatever the bridges claim, until it returns false. Its device is complete but
 * for the BARs and lives only as long as the call. Returns the number of functions visited.
 */
unsigned vpci_scan(bool (*visit)(const struct vpci_device *device, void *context), void *context);

/*
 * Gives bus numbers to the bridges, and a part of vpci_platform_window() to each, where no firmware
 * has done so. To be called before anything else, if it is called at all.
 */
void vpci_setup_bridges(void);

/*
 * Sizes the device's BARs (§6.2.5.1) and assigns an address from vpci_platform_window() to those
 * without one; a BAR for which there is no room keeps address 0. Decoding is off meanwhile, and is
 * afterwards as it was.
 */
void vpci_setup_bars(struct vpci_device *device);

/*
 * The line of the interrupt controller on which the interrupt pin of this function arrives, as the
 * firmware wrote it or, on a PReP machine, as it is wired; 255: none.
 */
uint8_t vpci_irq_line(uint16_t bdf);

/* Switches I/O decoding, memory decoding and bus mastering on: what a driver needs, but for the
 * interrupt line, which it leaves off. */
void vpci_enable(const struct vpci_device *device);

/*
 * Lets the device use its interrupt line. To be called when there is a handler for it: others may
 * have theirs on that line, and could not silence it. An interrupt that it has to give comes then.
 */
void vpci_enable_line(const struct vpci_device *device);

/*
 * The offset of the nth capability with this id (§6.7; nth counts from 0), or 0 where there are not
 * that many. Survives lists with loops and pointers to nowhere: whatever the list, a caller that
 * counts nth up comes to an end.
 */
uint8_t vpci_find_capability(const struct vpci_device *device, uint8_t id, unsigned nth);

/*
 * Makes a region of a BAR's bytes. Returns false, and *region unset, when the BAR is not
 * implemented, has no address or one above 4 GiB, or does not hold offset + size bytes.
 */
bool vpci_map(const struct vpci_device *device, unsigned bar, uint32_t offset, uint32_t size,
              struct vpci_region *region);

/* Registers of configuration space; width: 1, 2 or 4 bytes. Any context. */
uint32_t vpci_config_read(const struct vpci_device *device, unsigned offset, unsigned width);
void vpci_config_write(const struct vpci_device *device, unsigned offset, unsigned width,
                       uint32_t value);

/* The MSI-X capability of a function (§6.8.2): what has a table that can be reached. */
struct vpci_msix {
    uint16_t bdf;
    uint8_t capability; /* its offset; 0: none */
    uint16_t entries;   /* of the table; 0: none */
    struct vpci_region table;
};

/* Finds it, after vpci_setup_bars(), and switches it off: the function uses its interrupt line. */
void vpci_msix_open(const struct vpci_device *device, struct vpci_msix *msix);

/* What this entry of the table sends: `data` to the bus address `address`. There must be that entry. */
void vpci_msix_set(const struct vpci_msix *msix, unsigned entry, uint32_t address, uint32_t data);

/* Switches it on or off. While it is on, the function sends what was set, and leaves its line. */
void vpci_msix_enable(const struct vpci_msix *msix, bool on);

/* Registers of a region, in the processor's byte order; width: 1, 2 or 4 bytes. Any context. */
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

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

/* §6.1 Configuration Space Organization: offsets */
enum {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION_ID = 0x08,
    PCI_CLASS = 0x0a, /* sub-class in the low byte, base class in the high one */
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_SECONDARY_BUS = 0x19, /* of a PCI-to-PCI bridge */
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
};
enum {
    PCI_COMMAND_IO = 0x1,
    PCI_COMMAND_MEMORY = 0x2,
    PCI_COMMAND_MASTER = 0x4,
    PCI_COMMAND_INTX_DISABLE = 0x400,
};
enum {
    PCI_STATUS_CAPABILITIES = 0x10,
    PCI_CLASS_NETWORK = 0x02, /* base class */
    PCI_CLASS_BRIDGE_PCI = 0x0604,
    PCI_CAP_VENDOR_SPECIFIC = 0x09,
    PCI_CAP_MSIX = 0x11,
    PCI_BARS = 6,
};

/* A base address register, sized. size 0: not implemented. address 0: nobody assigned one. */
struct pci_bar {
    uint64_t address;
    uint64_t size; /* bytes */
    bool io;
    bool wide; /* 64-bit: takes the next register too */
};

struct pci_device {
    uint16_t bdf; /* bus << 8 | device << 3 | function */
    uint16_t vendor;
    uint16_t device;
    uint16_t subsystem;
    uint16_t class_code; /* base class << 8 | sub-class */
    uint8_t revision;
    uint8_t irq_line; /* pci_irq_line() */
    uint8_t irq_pin;  /* 1 to 4 for INTA# to INTD#; 0: none */
    struct pci_bar bar[PCI_BARS];
};

/* A part of a BAR that can be accessed. Offsets into it are the caller's to check. */
struct pci_region {
    uint32_t base;
    uint32_t size; /* bytes */
    bool io;
};

/* Prints as "00:03.0": PCI_BDF_FORMAT with PCI_BDF_ARGS(bdf). */
#define PCI_BDF_FORMAT "%x%x:%x%x.%x" /* without widths, which not every printf has */
#define PCI_BDF_ARGS(bdf)                                                                          \
    (unsigned)((bdf) >> 12), (unsigned)((bdf) >> 8 & 15), (unsigned)((bdf) >> 7 & 1),              \
        (unsigned)((bdf) >> 3 & 15), (unsigned)((bdf)&7)

/*
 * Calls visit for every function on every root bus (pci_platform_other_roots()) and on every bus that
 * can be reached from there through bridges that have a bus number, each once whatever the bridges claim, until it returns false. Its device is complete but
 * for the BARs and lives only as long as the call. Returns the number of functions visited.
 */
unsigned pci_scan(bool (*visit)(const struct pci_device *device, void *context), void *context);

/*
 * Gives bus numbers to the bridges, and a part of pci_platform_window() to each, where no firmware
 * has done so. To be called before anything else, if it is called at all.
 */
void pci_setup_bridges(void);

/*
 * Sizes the device's BARs (§6.2.5.1) and assigns an address from pci_platform_window() to those
 * without one; a BAR for which there is no room keeps address 0. Decoding is off meanwhile, and is
 * afterwards as it was.
 */
void pci_setup_bars(struct pci_device *device);

/*
 * The line of the interrupt controller on which the interrupt pin of this function arrives, as the
 * firmware wrote it or, on a PReP machine, as it is wired; 255: none.
 */
uint8_t pci_irq_line(uint16_t bdf);

/* Switches I/O decoding, memory decoding and bus mastering on: what a driver needs, but for the
 * interrupt line, which it leaves off. */
void pci_enable(const struct pci_device *device);

/*
 * Lets the device use its interrupt line. To be called when there is a handler for it: others may
 * have theirs on that line, and could not silence it. An interrupt that it has to give comes then.
 */
void pci_enable_line(const struct pci_device *device);

/*
 * The offset of the nth capability with this id (§6.7; nth counts from 0), or 0 where there are not
 * that many. Survives lists with loops and pointers to nowhere: whatever the list, a caller that
 * counts nth up comes to an end.
 */
uint8_t pci_find_capability(const struct pci_device *device, uint8_t id, unsigned nth);

/*
 * Makes a region of a BAR's bytes. Returns false, and *region unset, when the BAR is not
 * implemented, has no address or one above 4 GiB, or does not hold offset + size bytes.
 */
bool pci_map(const struct pci_device *device, unsigned bar, uint32_t offset, uint32_t size,
             struct pci_region *region);

/* Registers of configuration space; width: 1, 2 or 4 bytes. Any context. */
uint32_t pci_config_read(const struct pci_device *device, unsigned offset, unsigned width);
void pci_config_write(const struct pci_device *device, unsigned offset, unsigned width,
                      uint32_t value);

/* The MSI-X capability of a function (§6.8.2): what has a table that can be reached. */
struct pci_msix {
    uint16_t bdf;
    uint8_t capability; /* its offset; 0: none */
    uint16_t entries;   /* of the table; 0: none */
    struct pci_region table;
};

/* Finds it, after pci_setup_bars(), and switches it off: the function uses its interrupt line. */
void pci_msix_open(const struct pci_device *device, struct pci_msix *msix);

/* What this entry of the table sends: `data` to the bus address `address`. There must be that entry. */
void pci_msix_set(const struct pci_msix *msix, unsigned entry, uint32_t address, uint32_t data);

/* Switches it on or off. While it is on, the function sends what was set, and leaves its line. */
void pci_msix_enable(const struct pci_msix *msix, bool on);

/* Registers of a region, in the processor's byte order; width: 1, 2 or 4 bytes. Any context. */
uint32_t pci_read(const struct pci_region *region, uint32_t offset, unsigned width);
void pci_write(const struct pci_region *region, uint32_t offset, unsigned width, uint32_t value);

static inline uint8_t pci_read8(const struct pci_region *region, uint32_t offset)
{
    return (uint8_t)pci_read(region, offset, 1);
}

static inline uint16_t pci_read16(const struct pci_region *region, uint32_t offset)
{
    return (uint16_t)pci_read(region, offset, 2);
}

static inline uint32_t pci_read32(const struct pci_region *region, uint32_t offset)
{
    return pci_read(region, offset, 4);
}

static inline void pci_write8(const struct pci_region *region, uint32_t offset, uint8_t value)
{
    pci_write(region, offset, 1, value);
}

static inline void pci_write16(const struct pci_region *region, uint32_t offset, uint16_t value)
{
    pci_write(region, offset, 2, value);
}

static inline void pci_write32(const struct pci_region *region, uint32_t offset, uint32_t value)
{
    pci_write(region, offset, 4, value);
}

#ifdef __cplusplus
}
#endif

#endif

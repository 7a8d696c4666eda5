/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PCI machine in memory, behind pci/pci_platform.h: functions with 256 bytes of configuration
 * space, and base address registers that behave like hardware. An address that no function decodes
 * reads as ones.
 */
#ifndef FAKE_PCI_H
#define FAKE_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "pci/pci_platform.h"

/* cmocka.h requires these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum fake_bar_kind {
    FAKE_BAR_IO,
    FAKE_BAR_MEM32,
    FAKE_BAR_MEM64, /* occupies the next register too */
};

/* One PCI function. */
struct fake_function {
    uint16_t bdf;
    uint8_t config[256];  /* as in configuration space: little-endian */
    uint32_t bar_mask[6]; /* writable address bits; 0: not implemented */
    uint32_t bar_flags[6];
    bool bar_upper[6]; /* upper half of the previous register */
    /* Accesses to its BARs. width: 1, 2 or 4 bytes. */
    uint32_t (*read)(void *context, unsigned bar, uint32_t offset, unsigned width);
    void (*write)(void *context, unsigned bar, uint32_t offset, unsigned width, uint32_t value);
    /*
     * Called on each access to its configuration space from FAKE_CAPABILITY_AREA on: before a read,
     * to set the value; instead of a write.
     */
    void (*config_read)(void *context, unsigned offset, unsigned width);
    void (*config_write)(void *context, unsigned offset, unsigned width, uint32_t value);
    void *context;
};

enum { FAKE_CAPABILITY_AREA = 0x40 };

enum fake_space { FAKE_CONFIG, FAKE_IO, FAKE_MEMORY };

/* An access, for tests of the order. */
struct fake_access {
    enum fake_space space;
    bool write;
    uint16_t bdf;     /* configuration space only */
    uint32_t address; /* offset in configuration space, else bus address */
    unsigned width;
    uint32_t value;
};

struct fake_pci {
    struct fake_function function[32];
    unsigned functions;
    struct vpci_window window[2]; /* memory, I/O */
    unsigned other_roots;         /* reported by the platform */
    unsigned config_reads;        /* of any function */
    bool unmappable;              /* vpci_platform_map() refuses everything */
    unsigned unclaimed;           /* register accesses that no function decoded */
    unsigned bars_written_while_decoding;
    bool tracing;
    struct fake_access trace[4096];
    unsigned traced;
};
extern struct fake_pci fake_pci;

/* Memory is accessed at addresses with these bits inverted. */
enum { FAKE_MAPPED = 0x05000000 };

/* Resets to an empty machine. */
void fake_pci_reset(void);

/* Adds a function with this address and these ids, without BARs. */
struct fake_function *fake_pci_add(uint16_t bdf, uint16_t vendor, uint16_t device);

/* Adds a BAR. size: bytes, a power of two. address: 0: not assigned. */
void fake_pci_bar(struct fake_function *function, unsigned index, enum fake_bar_kind kind,
                  uint64_t size, uint64_t address);

/* Makes the function a bridge to this bus. */
void fake_pci_bridge(struct fake_function *function, uint8_t secondary);

/* Fields of configuration space, in the processor's byte order. */
uint32_t fake_pci_get(const struct fake_function *function, unsigned offset, unsigned width);
void fake_pci_set(struct fake_function *function, unsigned offset, unsigned width, uint32_t value);

/* The address in a BAR's registers now. */
uint64_t fake_pci_bar_address(const struct fake_function *function, unsigned index);

#endif

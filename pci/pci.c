/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds PCI functions and their capabilities, and accesses their registers. */
#include "pci/pci.h"

#include <stddef.h>

#include "pci/internal/pci_bridge.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci_platform.h"

uint32_t vpci_config_read(const struct vpci_device *device, unsigned offset, unsigned width)
{
    return vpci_platform_config_read(device->bdf, offset, width);
}

void vpci_config_write(const struct vpci_device *device, unsigned offset, unsigned width,
                       uint32_t value)
{
    vpci_platform_config_write(device->bdf, offset, width, value);
}

enum { BUSES = 256, FUNCTIONS = 256 /* per bus */ };

struct scan {
    bool (*visit)(const struct vpci_device *device, void *context);
    void *context;
    bool lines; /* look up each function's interrupt line */
    unsigned visited;
    bool stopped;
    uint32_t bus_seen[BUSES / 32]; /* two bridges may claim the same bus, or form a loop */
};

static bool has_seen(const struct scan *scan, unsigned bus)
{
    return scan->bus_seen[bus / 32] & 1u << bus % 32;
}

/*
 * Visits a function. If it is a bridge to a bus that has not been scanned, returns that bus, else
 * 0.
 */
static unsigned scan_function(struct scan *scan, uint16_t bdf)
{
    struct vpci_device device = {
        .bdf = bdf,
        .vendor = (uint16_t)vpci_platform_config_read(bdf, PCI_VENDOR_ID, 2),
        .device = (uint16_t)vpci_platform_config_read(bdf, PCI_DEVICE_ID, 2),
        .subsystem = (uint16_t)vpci_platform_config_read(bdf, PCI_SUBSYSTEM_ID, 2),
        .class_code = (uint16_t)vpci_platform_config_read(bdf, PCI_CLASS, 2),
        .revision = (uint8_t)vpci_platform_config_read(bdf, PCI_REVISION_ID, 1),
        .irq_line = scan->lines ? vpci_irq_line(bdf) : 0,
        .irq_pin = (uint8_t)vpci_platform_config_read(bdf, PCI_INTERRUPT_PIN, 1),
    };
    unsigned secondary;

    scan->visited++;
    if (!scan->visit(&device, scan->context)) {
        scan->stopped = true;
        return 0;
    }
    if (device.class_code != PCI_CLASS_BRIDGE_PCI) {
        return 0;
    }
    secondary = (uint8_t)vpci_platform_config_read(bdf, PCI_SECONDARY_BUS, 1);
    return has_seen(scan, secondary) ? 0 : secondary;
}

/*
 * The next function of the bus to probe. Functions 1 to 7 are probed only if function 0 says that
 * the device has several.
 */
static unsigned next_function(uint16_t bdf)
{
    uint16_t first = bdf & 0xfff8;
    bool many = vpci_platform_config_read(first, PCI_VENDOR_ID, 2) != 0xffff &&
                vpci_platform_config_read(first, PCI_HEADER_TYPE, 1) & 0x80;

    return ((many ? bdf : bdf | 7) & 0xffu) + 1;
}

/*
 * Visits the functions of a bus in order. After a bridge, it visits the bus behind that bridge.
 * Bridges may be nested as deep as there are buses, so the path is kept in an array instead of on
 * the stack.
 */
static void scan_bus(struct scan *scan, unsigned bus)
{
    uint16_t bridges[BUSES]; /* the path from the root to this bus */
    unsigned depth = 0;
    unsigned function = 0; /* device << 3 | function */

    scan->bus_seen[bus / 32] |= 1u << bus % 32;
    while (!scan->stopped && (function < FUNCTIONS || depth > 0)) {
        uint16_t bdf = (uint16_t)(function < FUNCTIONS ? bus << 8 | function : bridges[--depth]);
        unsigned behind = 0;

        if (function < FUNCTIONS && vpci_platform_config_read(bdf, PCI_VENDOR_ID, 2) != 0xffff) {
            behind = scan_function(scan, bdf);
        }
        if (behind != 0) {
            bridges[depth++] = bdf;
            bus = behind;
            scan->bus_seen[bus / 32] |= 1u << bus % 32;
            function = 0;
        } else {
            bus = bdf >> 8;
            function = next_function(bdf);
        }
    }
}

/* True if some device answers at function 0, which every device must have. */
static bool has_devices(unsigned bus)
{
    unsigned slot = 0;

    while (slot < 32 && vpci_platform_config_read((uint16_t)(bus << 8 | slot << 3), PCI_VENDOR_ID,
                                                  2) == 0xffff) {
        slot++;
    }
    return slot < 32;
}

static unsigned scan_all(struct scan *scan)
{
    scan_bus(scan, 0);
    /*
     * In ascending order: the buses behind a root's bridges have higher numbers than the root, so
     * they have been marked as seen by the time the loop reaches them.
     */
    for (unsigned bus = 1, left = vpci_platform_other_roots();
         bus < BUSES && left > 0 && !scan->stopped; bus++) {
        if (!has_seen(scan, bus) && has_devices(bus)) {
            scan_bus(scan, bus);
            left--;
        }
    }
    return scan->visited;
}

unsigned vpci_scan(bool (*visit)(const struct vpci_device *device, void *context), void *context)
{
    struct scan scan = {.visit = visit, .context = context, .lines = true};

    return scan_all(&scan);
}

unsigned vpci_scan_without_lines(bool (*visit)(const struct vpci_device *device, void *context),
                                 void *context)
{
    struct scan scan = {.visit = visit, .context = context};

    return scan_all(&scan);
}

void vpci_enable(const struct vpci_device *device)
{
    uint32_t command = vpci_config_read(device, PCI_COMMAND, 2);

    command |= PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE;
    vpci_config_write(device, PCI_COMMAND, 2, command);
}

void vpci_enable_line(const struct vpci_device *device)
{
    uint32_t command = vpci_config_read(device, PCI_COMMAND, 2);

    vpci_config_write(device, PCI_COMMAND, 2, command & ~(uint32_t)PCI_COMMAND_INTX_DISABLE);
}

uint8_t vpci_find_capability(const struct vpci_device *device, uint8_t id, unsigned nth)
{
    /* The list lies above the 64-byte header, in steps of 4 bytes: a longer list has a loop. */
    const unsigned longest = (256 - 64) / 4;
    unsigned pointer = PCI_CAPABILITIES;

    if (!(vpci_config_read(device, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES)) {
        return 0;
    }
    for (unsigned i = 0; i < longest; i++) {
        /* The two low bits are reserved and must be masked (§6.7). */
        uint8_t offset = (uint8_t)(vpci_config_read(device, pointer, 1) & 0xfc);

        if (offset < 64) {
            return 0;
        }
        if (vpci_config_read(device, offset, 1) == id && nth-- == 0) {
            return offset;
        }
        pointer = offset + 1u;
    }
    return 0;
}

bool vpci_map(const struct vpci_device *device, unsigned bar, uint32_t offset, uint32_t size,
              struct vpci_region *region)
{
    const struct vpci_bar *b;
    uintptr_t base;

    if (bar >= VPCI_BARS) {
        return false;
    }
    b = &device->bar[bar];
    if (b->address == 0 || b->size == 0 || (uint64_t)offset + size > b->size ||
        b->address > UINT32_MAX || b->address + offset + size > (uint64_t)UINT32_MAX + 1) {
        return false;
    }
    base = (uint32_t)b->address + offset;
    if (!b->io && !vpci_platform_map((uint32_t)base, size, &base)) {
        return false;
    }
    *region = (struct vpci_region){.base = base, .size = size, .io = b->io};
    return true;
}

uint32_t vpci_read(const struct vpci_region *region, uint32_t offset, unsigned width)
{
    return vpci_platform_read(region->io, region->base + offset, width);
}

void vpci_write(const struct vpci_region *region, uint32_t offset, unsigned width, uint32_t value)
{
    vpci_platform_write(region->io, region->base + offset, width, value);
}

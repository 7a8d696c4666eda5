/* SPDX-License-Identifier: BSD-2-Clause */
/* Base address registers: sizes them, and assigns addresses to those that have none. */
#include <stddef.h>

#include "pci/internal/pci_bridge.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"
#include "pci/pci_platform.h"

enum {
    BAR_IO = 0x1,        /* bit 0: I/O space */
    BAR_IO_FLAGS = 0x3,  /* flags in the low bits */
    BAR_MEM_TYPE = 0x6,  /* bits 1 and 2 */
    BAR_MEM_64 = 0x4,    /* type: anywhere in 64-bit address space */
    BAR_MEM_FLAGS = 0xf, /* flags in the low bits */
    HEADER_TYPE_MASK = 0x7f,
};

static unsigned bar_offset(unsigned index)
{
    return PCI_BAR0 + 4 * index;
}

/* Writes all ones and reads back which bits stick (§6.2.5.1 Address Maps). */
static uint32_t bar_mask(uint16_t bdf, unsigned offset)
{
    uint32_t saved = vpci_platform_config_read(bdf, offset, 4);
    uint32_t mask;

    vpci_platform_config_write(bdf, offset, 4, UINT32_MAX);
    mask = vpci_platform_config_read(bdf, offset, 4);
    vpci_platform_config_write(bdf, offset, 4, saved);
    return mask;
}

/* Sizes the BAR at `index`, with decoding off. Returns how many registers it takes. */
static unsigned size_bar(uint16_t bdf, unsigned index, unsigned count, struct vpci_bar *bar)
{
    uint64_t mask = bar_mask(bdf, bar_offset(index));
    uint32_t low =
        vpci_platform_config_read(bdf, bar_offset(index), 4); /* which of the ones it stored */
    uint64_t address;

    *bar = (struct vpci_bar){0};
    if (mask == 0 || mask == UINT32_MAX) {
        return 1; /* not implemented, or a register without address bits */
    }
    bar->io = low & BAR_IO;
    bar->wide = !bar->io && (low & BAR_MEM_TYPE) == BAR_MEM_64 && index + 1 < count;
    address = low & ~(uint32_t)(bar->io ? BAR_IO_FLAGS : BAR_MEM_FLAGS);
    mask &= ~(uint64_t)(bar->io ? BAR_IO_FLAGS : BAR_MEM_FLAGS);
    if (bar->wide) {
        mask |= (uint64_t)bar_mask(bdf, bar_offset(index + 1)) << 32;
        address |= (uint64_t)vpci_platform_config_read(bdf, bar_offset(index + 1), 4) << 32;
    }
    bar->size = mask & -mask; /* the lowest address bit that sticks */
    bar->address = address & ~(bar->size - 1);
    return bar->wide ? 2 : 1;
}

/*
 * Turns decoding off, so that a BAR that is being written does not claim the addresses of another
 * device. Returns the previous value of the command register.
 */
static uint32_t decoding_off(uint16_t bdf)
{
    uint32_t command = vpci_platform_config_read(bdf, PCI_COMMAND, 2);

    vpci_platform_config_write(bdf, PCI_COMMAND, 2,
                               command & ~(uint32_t)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    return command;
}

static void size_bars(uint16_t bdf, struct vpci_bar bar[VPCI_BARS])
{
    unsigned type = vpci_platform_config_read(bdf, PCI_HEADER_TYPE, 1) & HEADER_TYPE_MASK;
    unsigned count = type == 0 ? VPCI_BARS : type == 1 ? 2 : 0;
    uint32_t command = decoding_off(bdf);

    for (unsigned i = 0; i < VPCI_BARS; i++) {
        bar[i] = (struct vpci_bar){0};
    }
    for (unsigned i = 0; i < count;) {
        i += size_bar(bdf, i, count, &bar[i]);
    }
    vpci_platform_config_write(bdf, PCI_COMMAND, 2, command);
}

struct placement {
    const struct vpci_bar *wanted;
    unsigned bus;
    uint64_t address; /* the candidate */
    uint64_t below;   /* start of the range it collides with */
    bool collides;
};

static void collide(struct placement *place, uint64_t first, uint64_t size)
{
    if (first < place->address + place->wanted->size && place->address < first + size) {
        place->collides = true;
        place->below = first;
    }
}

/*
 * A vpci_scan() visitor. Stops at a device with a BAR that overlaps the placement, or at a bridge
 * that forwards an overlapping range to another bus.
 */
static bool check_collision(const struct vpci_device *device, void *context)
{
    struct placement *place = context;
    struct vpci_bar bar[VPCI_BARS];

    size_bars(device->bdf, bar);
    for (unsigned i = 0; i < VPCI_BARS; i++) {
        if (bar[i].size != 0 && bar[i].address != 0 && bar[i].io == place->wanted->io) {
            collide(place, bar[i].address, bar[i].size);
        }
    }
    if (device->class_code == PCI_CLASS_BRIDGE_PCI &&
        !vpci_bridge_leads_to(device->bdf, place->bus)) {
        struct vpci_window window = vpci_bridge_window(device->bdf, place->wanted->io);

        if (window.first != 0 && window.first <= window.last) {
            collide(place, window.first, (uint64_t)window.last - window.first + 1);
        }
    }
    return !place->collides;
}

/*
 * The addresses that reach this bus: the window of the bridge above it, or the platform's window.
 */
static struct vpci_window window_of_bus(unsigned bus, bool io)
{
    uint16_t bridge;

    return bus != 0 && vpci_find_bridge(bus, &bridge) ? vpci_bridge_window(bridge, io)
                                                      : vpci_platform_window(io);
}

/* Searches from the top of the window down, because firmware allocates from the bottom. */
static uint64_t find_room(const struct vpci_bar *bar, unsigned bus)
{
    struct vpci_window window = window_of_bus(bus, bar->io);
    struct placement place = {.wanted = bar, .bus = bus, .below = (uint64_t)window.last + 1};

    do {
        if (place.below < bar->size) {
            return 0;
        }
        place.address = (place.below - bar->size) & ~(bar->size - 1);
        if (place.address < window.first || place.address == 0) {
            return 0;
        }
        place.collides = false;
        vpci_scan(check_collision, &place);
    } while (place.collides);
    return place.address;
}

/*
 * Writes the BAR's address and reads it back. If the BAR did not store it, the address becomes 0,
 * so that the BAR does not claim the addresses of another device.
 */
static void assign(uint16_t bdf, unsigned index, struct vpci_bar *bar, uint64_t address)
{
    uint32_t flags = bar->io ? BAR_IO_FLAGS : BAR_MEM_FLAGS;
    bool kept;

    vpci_platform_config_write(bdf, bar_offset(index), 4, (uint32_t)address);
    kept = (vpci_platform_config_read(bdf, bar_offset(index), 4) & ~flags) == (uint32_t)address;
    if (bar->wide) {
        vpci_platform_config_write(bdf, bar_offset(index + 1), 4, (uint32_t)(address >> 32));
        kept = kept && vpci_platform_config_read(bdf, bar_offset(index + 1), 4) ==
                           (uint32_t)(address >> 32);
    }
    bar->address = kept ? address : 0;
    if (!kept) {
        vpci_platform_config_write(bdf, bar_offset(index), 4, 0);
    }
}

void vpci_setup_bars(struct vpci_device *device)
{
    uint32_t command = decoding_off(device->bdf);

    size_bars(device->bdf, device->bar);
    for (unsigned i = 0; i < VPCI_BARS; i++) {
        struct vpci_bar *bar = &device->bar[i];

        if (bar->size == 0 || bar->address != 0) {
            continue;
        }
        assign(device->bdf, i, bar, find_room(bar, device->bdf >> 8));
    }
    vpci_platform_config_write(device->bdf, PCI_COMMAND, 2, command);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI-to-PCI bridges: finds them, and sets them up where this program is the firmware. Section
 * numbers are those of the PCI-to-PCI Bridge Architecture Specification 1.2.
 */
#include "pci/internal/pci_bridge.h"
#include "pci/internal/pci_spec.h"

#include <stddef.h>

#include "pci/pci_platform.h"

/* §3.2 Configuration Space: offsets */
enum {
    BRIDGE_PRIMARY_BUS = 0x18,
    BRIDGE_SUBORDINATE_BUS = 0x1a, /* the last bus behind the bridge */
    BRIDGE_IO_BASE = 0x1c,
    BRIDGE_IO_LIMIT = 0x1d,
    BRIDGE_MEMORY_BASE = 0x20,
    BRIDGE_MEMORY_LIMIT = 0x22,
    BRIDGE_PREFETCHABLE_BASE = 0x24,
    BRIDGE_PREFETCHABLE_LIMIT = 0x26,
};

/*
 * The part of the platform's windows that each bus gets, counted from the bottom. For I/O space it
 * is the smallest range that a bridge can forward.
 */
enum {
    IO_SLICE = 0x1000,
    MEMORY_SLICE = 0x400000,
};

struct vpci_window vpci_bridge_window(uint16_t bdf, bool io)
{
    if (io) {
        return (struct vpci_window){
            (vpci_platform_config_read(bdf, BRIDGE_IO_BASE, 1) & 0xf0) << 8,
            (vpci_platform_config_read(bdf, BRIDGE_IO_LIMIT, 1) & 0xf0) << 8 | 0xfff,
        };
    }
    return (struct vpci_window){
        (vpci_platform_config_read(bdf, BRIDGE_MEMORY_BASE, 2) & 0xfff0) << 16,
        (vpci_platform_config_read(bdf, BRIDGE_MEMORY_LIMIT, 2) & 0xfff0) << 16 | 0xfffff,
    };
}

bool vpci_bridge_leads_to(uint16_t bdf, unsigned bus)
{
    unsigned secondary = vpci_platform_config_read(bdf, PCI_SECONDARY_BUS, 1);

    return secondary != 0 && bus >= secondary &&
           bus <= vpci_platform_config_read(bdf, BRIDGE_SUBORDINATE_BUS, 1);
}

struct search {
    unsigned secondary;
    uint16_t bdf;
    bool found;
};

/* A vpci_scan() visitor. */
static bool has_secondary(const struct vpci_device *device, void *context)
{
    struct search *search = context;

    if (device->class_code == PCI_CLASS_BRIDGE_PCI &&
        vpci_config_read(device, PCI_SECONDARY_BUS, 1) == search->secondary) {
        search->bdf = device->bdf;
        search->found = true;
    }
    return !search->found;
}

bool vpci_find_bridge(unsigned secondary, uint16_t *bdf)
{
    struct search search = {.secondary = secondary};

    vpci_scan_without_lines(has_secondary, &search);
    if (search.found) {
        *bdf = search.bdf;
    }
    return search.found;
}

bool vpci_bridge_above(uint16_t *bdf)
{
    return *bdf >> 8 != 0 && vpci_find_bridge(*bdf >> 8, bdf);
}

/* A vpci_scan() visitor: stops at the first bridge that has a bus number. */
static bool has_number(const struct vpci_device *device, void *context)
{
    bool *numbered = context;

    *numbered |= device->class_code == PCI_CLASS_BRIDGE_PCI &&
                 vpci_config_read(device, PCI_SECONDARY_BUS, 1) != 0;
    return !*numbered;
}

static struct vpci_window slice(unsigned bus, bool io)
{
    uint32_t size = io ? IO_SLICE : MEMORY_SLICE;
    uint32_t first = vpci_platform_window(io).first + (bus - 1) * size;

    return (struct vpci_window){first, first + size - 1};
}

static void set_bases(uint16_t bdf, unsigned bus)
{
    vpci_platform_config_write(bdf, BRIDGE_IO_BASE, 1, slice(bus, true).first >> 8 & 0xf0);
    vpci_platform_config_write(bdf, BRIDGE_MEMORY_BASE, 2, slice(bus, false).first >> 16);
    /* Base above limit closes this window. The other window forwards prefetchable memory too. */
    vpci_platform_config_write(bdf, BRIDGE_PREFETCHABLE_BASE, 2, 0xfff0);
    vpci_platform_config_write(bdf, BRIDGE_PREFETCHABLE_LIMIT, 2, 0);
}

static void set_limits(uint16_t bdf, unsigned bus)
{
    vpci_platform_config_write(bdf, BRIDGE_SUBORDINATE_BUS, 1, bus);
    vpci_platform_config_write(bdf, BRIDGE_IO_LIMIT, 1, slice(bus, true).last >> 8 & 0xf0);
    vpci_platform_config_write(bdf, BRIDGE_MEMORY_LIMIT, 2, slice(bus, false).last >> 16 & 0xfff0);
}

/*
 * The scan enters a bridge as soon as the bridge has a number. So the buses behind a bridge get the
 * numbers that follow its own, and one range covers all their slices.
 */
void vpci_setup_bridges(void)
{
    struct vpci_device bridge = {0};
    bool numbered = false;

    vpci_scan(has_number, &numbered);
    if (numbered) {
        return;
    }
    for (unsigned bus = 1; bus <= PCI_BUSES_MAX && vpci_find_bridge(0, &bridge.bdf); bus++) {
        uint16_t parent = bridge.bdf;

        vpci_platform_config_write(bridge.bdf, BRIDGE_PRIMARY_BUS, 1, bridge.bdf >> 8);
        vpci_platform_config_write(bridge.bdf, PCI_SECONDARY_BUS, 1, bus);
        set_bases(bridge.bdf, bus);
        set_limits(bridge.bdf, bus);
        vpci_enable(&bridge);
        for (unsigned i = 0; i < PCI_BUSES_MAX && vpci_bridge_above(&parent); i++) {
            set_limits(parent, bus);
        }
    }
}

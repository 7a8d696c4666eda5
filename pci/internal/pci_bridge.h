/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI-to-PCI bridges. */
#ifndef VTNET_PCI_BRIDGE_H
#define VTNET_PCI_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "pci/pci.h"
#include "pci/pci_platform.h"

enum { PCI_BUSES_MAX = 8 }; /* the most buses we number, so bridges nest no deeper */

/* Finds the bridge with this secondary bus; 0 finds a bridge without a bus number. */
bool vpci_find_bridge(unsigned secondary, uint16_t *bdf);

/*
 * Replaces a function by the bridge that leads to its bus. Returns false on a root bus. Bridges may
 * form a loop, so the caller must limit how often it repeats this.
 */
bool vpci_bridge_above(uint16_t *bdf);

/* The addresses that a bridge forwards to its secondary side. Empty if first is above last. */
struct vpci_window vpci_bridge_window(uint16_t bdf, bool io);

/* True if this bus is behind the bridge, directly or through other bridges. */
bool vpci_bridge_leads_to(uint16_t bdf, unsigned bus);

/*
 * vpci_scan() without the functions' interrupt lines. For code that looks for bridges: finding an
 * interrupt line itself looks for bridges, which would recurse.
 */
unsigned vpci_scan_without_lines(bool (*visit)(const struct vpci_device *device, void *context),
                                 void *context);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI-to-PCI bridges. */
#ifndef VTNET_PCI_BRIDGE_H
#define VTNET_PCI_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "pci/pci.h"
#include "pci/pci_platform.h"

enum { PCI_BUSES_MAX = 8 }; /* that we number: bridges are not deeper one behind the other */

/* Finds the bridge with this secondary bus; 0: one that nobody has given a number. */
bool vpci_find_bridge(unsigned secondary, uint16_t *bdf);

/* Goes from a function to the bridge that leads to its bus. Returns false on a root bus. Bridges may
 * lead to one another in a circle, so who goes on from there has to count. */
bool vpci_bridge_above(uint16_t *bdf);

/* The addresses that a bridge forwards to what is behind it; none where first is above last. */
struct vpci_window vpci_bridge_window(uint16_t bdf, bool io);

/* Whether this bus is behind the bridge, directly or not. */
bool vpci_bridge_leads_to(uint16_t bdf, unsigned bus);

/*
 * vpci_scan() for who looks for bridges: without the functions' interrupt lines, which are found out by
 * looking for bridges.
 */
unsigned vpci_scan_without_lines(bool (*visit)(const struct vpci_device *device, void *context),
                                 void *context);

#endif

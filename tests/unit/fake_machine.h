/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's two PReP machines after reset, as seen by firmware: their recorded configuration spaces,
 * in the machine of fake_pci.h.
 */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H

#include <stdint.h>

#include "fake_pci.h"

/* An address in configuration space. */
#define BDF(bus, slot, function) ((uint16_t)((bus) << 8 | (slot) << 3 | (function)))

/* Creates the machine without cards. */
void fake_machine_prep(void);
void fake_machine_40p(void);

/* Adds a recorded virtio network card, or a PCI-to-PCI bridge, at any address. */
struct fake_function *fake_machine_add_transitional(uint16_t bdf);
struct fake_function *fake_machine_add_modern(uint16_t bdf);
struct fake_function *fake_machine_add_legacy(uint16_t bdf);
struct fake_function *fake_machine_add_bridge(uint16_t bdf);

#endif

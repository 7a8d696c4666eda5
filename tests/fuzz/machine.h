/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PCI machine behind pci/pci_platform.h with bridges and virtio network cards, modified by the
 * input: configuration space, BAR sizes, register values.
 */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

/* Creates it from the input. */
void machine_create(void);

#endif

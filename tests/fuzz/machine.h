/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PCI machine behind pci/pci_platform.h, of bridges and virtio network cards that the input has
 * changed: configuration space, sizes of BARs, what registers say.
 */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

/* As the input has it. */
void machine_create(void);

#endif

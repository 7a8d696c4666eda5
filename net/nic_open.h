/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NIC_OPEN_H
#define NIC_OPEN_H

#include "net/nic.h"

/*
 * Opens the cards on PCI that have a driver, in the order of the scan, and connects their
 * interrupts. The first one opened is nics[0], up to `count`. Each must have its client set. wake
 * is called in interrupt context after a top half. Prints which cards it found and which are not
 * used. Returns the number of open cards.
 */
unsigned nic_open(struct nic *const nics[], unsigned count, void (*wake)(void));

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Connects a card's MSI-X vectors, for drivers' open(). */
#ifndef NIC_VECTORS_H
#define NIC_VECTORS_H

#include <stdbool.h>

#include "arch/arch.h"
#include "pci/pci.h"

enum { NIC_VECTORS_MAX = 4 };

struct nic_vectors {
    /* a driver's top half for one vector, in interrupt context; nic_wake() follows */
    void (*handle)(void *state, unsigned vector);
    void *state;
    unsigned count; /* connected vectors */
    struct nic_vector {
        struct nic_vectors *all;
        struct arch_msi message;
    } vector[NIC_VECTORS_MAX];
};

/*
 * Connects entries of the card's table from the first on: as many as are wanted, the card has and
 * the machine has messages for. Returns false if there are none. *vectors must stay at its address
 * until nic_vectors_free(), which may be called when the card no longer sends messages.
 */
bool nic_vectors_connect(struct nic_vectors *vectors, const struct vpci_msix *msix, unsigned wanted,
                         void (*handle)(void *state, unsigned vector), void *state);
void nic_vectors_free(struct nic_vectors *vectors);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operations that differ between ring formats (virtio 1.3 §2.7, §2.8). The guest is
 * little-endian, like this host.
 */
#ifndef VHOST_RING_H
#define VHOST_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "tests/vhost/vhost_user.h"

enum { PARTS = 256 };

struct chain {
    uint16_t id, descriptors;
    unsigned count; /* of parts; 0: their memory is invalid */
    struct iovec part[PARTS];
};

struct ring {
    /* Takes the next chain. Returns false if there is none. */
    bool (*take)(struct queue *queue, struct chain *chain);
    /*
     * Writes the pending entries and makes them visible at once. Returns true if the guest wants an
     * interrupt.
     */
    bool (*show)(struct queue *queue);
    /* Requests a notification of the next buffer, or none. Returns true if there is one already. */
    bool (*want_kick)(struct queue *queue, bool wanted);
    /* Lie: `by` entries more, or fewer, are used than there are. */
    void (*jump)(struct queue *queue, int by);
    /*
     * Lie: random data in fields that only the driver writes, and in fields that the device has
     * already written.
     */
    void (*spoil_descriptors)(struct queue *queue);
    void (*spoil_avail)(struct queue *queue);
    void (*spoil_used)(struct queue *queue);
};
extern const struct ring split_ring, packed_ring;

/* Adds memory to a chain's parts. Returns false if it is invalid. */
bool chain_add(struct chain *chain, uint64_t address, uint32_t length);

#endif

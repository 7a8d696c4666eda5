/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two formats of a ring do differently (virtio 1.3 §2.7, §2.8); the guest is little-endian, as
 * this host is. */
#ifndef VHOST_RING_H
#define VHOST_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "tests/vhost/vhost_user.h"

enum { PARTS = 256 };

struct chain {
    uint16_t id, descriptors;
    unsigned count; /* of parts; 0: none of it is memory */
    struct iovec part[PARTS];
};

struct ring {
    /* Takes the next chain; returns whether there is one. */
    bool (*take)(struct queue *queue, struct chain *chain);
    /* Writes what is pending, and shows all of it at once. Returns whether the guest wants an interrupt. */
    bool (*show)(struct queue *queue);
    /* Whether to be notified of the next buffer, or of none. Returns whether there is one already. */
    bool (*want_kick)(struct queue *queue, bool wanted);
    /* Lies: `by` entries more are used than there are, or fewer. */
    void (*jump)(struct queue *queue, int by);
    /* Lies: noise where only the driver writes, or where the device has nothing more to say. */
    void (*spoil_descriptors)(struct queue *queue);
    void (*spoil_avail)(struct queue *queue);
    void (*spoil_used)(struct queue *queue);
};
extern const struct ring split_ring, packed_ring;

/* Adds memory to a chain's parts; returns false where it is none. */
bool chain_add(struct chain *chain, uint64_t address, uint32_t length);

#endif

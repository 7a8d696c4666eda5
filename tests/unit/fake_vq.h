/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtqueue without the network driver: the transmit queue of a fake device. */
#ifndef FAKE_VQ_H
#define FAKE_VQ_H

#include "fake_card.h"
#include "virtio/virtqueue.h"

enum { VQ = VIRTIO_NET_QUEUE_TX, VQ_PARTS = 60 };

extern struct virtqueue vq;
extern uint8_t *vq_memory; /* VQ_PARTS parts of 64 bytes */

/*
 * Initialises the device of card_create_as(which) with one queue of this size and all `features`.
 * tables: of 16 parts. fake_platform.weak_barrier and common_length are kept.
 */
void vq_start(unsigned which, uint64_t features, uint16_t size, uint16_t tables);

/* Resets the device and frees the queue; checks that no memory is left. */
void vq_stop(void);

/* Adds a chain of parts of 10, 11, 12 ... bytes. */
int vq_add(unsigned out, unsigned in, uintptr_t cookie);

/* Returns the cookie of the next used buffer, or 0; vq_length is its length. */
uintptr_t vq_get(void);
extern uint32_t vq_length;

/* The device takes the next chain and uses it; checks that vq_add() made it. */
void vq_take_and_use(void);
void vq_check_chain(const struct fake_chain *chain, unsigned out, unsigned in);

/* A random number below the limit. Each vq_start() restarts the sequence. */
unsigned vq_random(unsigned limit);

#endif

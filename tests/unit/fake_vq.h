/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtqueue by itself: the transmit queue of a fake device, without the network driver. */
#ifndef FAKE_VQ_H
#define FAKE_VQ_H

#include "fake_card.h"
#include "virtio/virtqueue.h"

enum { VQ = VIRTIO_NET_QUEUE_TX, VQ_PARTS = 60 };

extern struct virtqueue vq;
extern uint8_t *vq_memory; /* VQ_PARTS parts of 64 bytes */

/* Brings the device of card_create_as(which) up with one queue of this size and all of `features`.
 * tables: of 16 parts. fake_platform.weak_barrier and common_length of before are kept. */
void vq_start(unsigned which, uint64_t features, uint16_t size, uint16_t tables);

/* Resets the device and frees the queue; checks that nothing is left. */
void vq_stop(void);

/* Adds a chain of parts of 10, 11, 12 ... bytes. */
int vq_add(unsigned out, unsigned in, uintptr_t cookie);

/* The cookie of the next used buffer, or 0; its length is in vq_length. */
uintptr_t vq_get(void);
extern uint32_t vq_length;

/* The device takes the next chain and uses it up; checks that it is one of vq_add(). */
void vq_take_and_use(void);
void vq_check_chain(const struct fake_chain *chain, unsigned out, unsigned in);

/* A random number below the limit; the same sequence from each vq_start() on. */
unsigned vq_random(unsigned limit);

#endif

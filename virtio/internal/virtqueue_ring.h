/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two ring formats and the queue built on them share, for virtqueue*.c. */
#ifndef VTNET_VIRTQUEUE_RING_H
#define VTNET_VIRTQUEUE_RING_H

#include "virtio/virtqueue.h"

enum { VIRTQUEUE_NO_TABLE = -1 };

/* A ring format. All but interrupts_off() are for the queue's one context. */
struct virtqueue_ring {
    uint16_t first_index; /* avail_idx and used_idx of an empty ring */
    /* Allocates the three areas, zeroed. 0 or ERROR_NOMEM. */
    int (*allocate)(struct virtqueue *vq);
    /* Writes the descriptors of buffer `id` into the ring, or into its table where it has one, and
     * shows them to the device. Sets the slot's count and last, and moves avail_idx. Returns how
     * far, in entries. */
    unsigned (*add)(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                    unsigned count, uint16_t id);
    /* Whether the device asks to be notified of one of the `unkicked` last entries; of the next. */
    bool (*wants_kick)(const struct virtqueue *vq);
    bool (*wants_next)(const struct virtqueue *vq);
    /* The next used entry, whose id is of a buffer in flight, and its length as the device wrote it;
     * moves used_idx past it, or with IN_ORDER past all that it covers, and begins a batch. false: none,
     * or the queue is broken now. */
    bool (*next_used)(struct virtqueue *vq, uint32_t *id, uint32_t *length);
    /* Whether an entry behind the next one has been used, and the next one has not: it never should be so for
     * long. NULL: that cannot be. */
    bool (*hides_one)(const struct virtqueue *vq);
    void (*interrupts_off)(struct virtqueue *vq);
    bool (*interrupts_on)(struct virtqueue *vq, uint16_t after);
};

extern const struct virtqueue_ring virtqueue_split;
extern const struct virtqueue_ring virtqueue_packed;

/* Whether a used id names a buffer that the device has. */
static inline bool virtqueue_has(const struct virtqueue *vq, uint32_t id)
{
    return id < vq->slots && vq->slot[id].cookie != NULL;
}

/* Of an indirect table, for the device. */
static inline uint64_t virtqueue_table_address(const struct virtqueue *vq, int16_t table)
{
    return vq->tables_address + sizeof(struct virtq_desc) * vq->table_parts * (unsigned)table;
}

/* The flags of part i: of `count`, the first `out` are read by the device. */
static inline uint16_t virtqueue_part_flags(unsigned i, unsigned out, unsigned count)
{
    return (uint16_t)((i >= out ? VIRTQ_DESC_F_WRITE : 0) |
                      (i + 1 < count ? VIRTQ_DESC_F_NEXT : 0));
}

/*
 * §2.7.10: whether the entry `event` is one of the `count` before `end`, modulo 2^16. The
 * specification's vring_need_event() with old = end - count.
 */
static inline bool virtqueue_passes(uint16_t event, uint16_t end, uint16_t count)
{
    return (uint16_t)(end - event - 1) < count;
}

/*
 * With IN_ORDER: how many buffers a used entry with this id covers, from the oldest on, and in
 * *descriptors those of their chains. 0: the device has no such buffer.
 */
unsigned virtqueue_covered(const struct virtqueue *vq, uint32_t id, unsigned *descriptors);

/* Stops the queue: nothing that the device says about it can be believed any more. */
void virtqueue_break(struct virtqueue *vq, const char *why);
void virtqueue_bad_id(struct virtqueue *vq);

#endif

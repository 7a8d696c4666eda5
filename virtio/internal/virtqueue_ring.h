/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface between the two ring formats and the queue, for virtqueue*.c. */
#ifndef VTNET_VIRTQUEUE_RING_H
#define VTNET_VIRTQUEUE_RING_H

#include "virtio/virtqueue.h"

enum { VIRTQUEUE_NO_TABLE = -1 };

/*
 * The functions of a ring format, virtqueue_split_... and virtqueue_packed_..., and the choice
 * between them: direct calls, which the compiler can inline. All but interrupts_off() must be
 * called in the queue's context.
 */
static inline bool virtqueue_is_packed(const struct virtqueue *vq)
{
    return VIRTIO_CONFIG_PACKED && vq->packed;
}

/* Allocates the three areas, zeroed. 0 or VIRTIO_ERROR_NOMEM. */
int virtqueue_split_allocate(struct virtqueue *vq);
int virtqueue_packed_allocate(struct virtqueue *vq);

static inline int virtqueue_ring_allocate(struct virtqueue *vq)
{
    return virtqueue_is_packed(vq) ? virtqueue_packed_allocate(vq) : virtqueue_split_allocate(vq);
}

/*
 * Writes the descriptors of buffer `id` to the ring, or to its indirect table if it has one, and
 * makes them available. Sets the slot's count and last, and advances avail_idx. Returns by how many
 * entries.
 */
unsigned virtqueue_split_add(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                             unsigned count, uint16_t id);
unsigned virtqueue_packed_add(struct virtqueue *vq, const struct virtqueue_part *parts,
                              unsigned out, unsigned count, uint16_t id);

static inline unsigned virtqueue_ring_add(struct virtqueue *vq, const struct virtqueue_part *parts,
                                          unsigned out, unsigned count, uint16_t id)
{
    return virtqueue_is_packed(vq) ? virtqueue_packed_add(vq, parts, out, count, id)
                                   : virtqueue_split_add(vq, parts, out, count, id);
}

/* The same for a buffer of one part, without a table. The slot is complete; one entry is added. */
void virtqueue_split_add_single(struct virtqueue *vq, const struct virtqueue_part *part,
                                bool writes, uint16_t id);
void virtqueue_packed_add_single(struct virtqueue *vq, const struct virtqueue_part *part,
                                 bool writes, uint16_t id);

static inline void virtqueue_ring_add_single(struct virtqueue *vq,
                                             const struct virtqueue_part *part, bool writes,
                                             uint16_t id)
{
    if (virtqueue_is_packed(vq)) {
        virtqueue_packed_add_single(vq, part, writes, id);
    } else {
        virtqueue_split_add_single(vq, part, writes, id);
    }
}

/* True if the device wants a notification of one of the last `unkicked` entries. */
bool virtqueue_split_wants_kick(const struct virtqueue *vq);
bool virtqueue_packed_wants_kick(const struct virtqueue *vq);

static inline bool virtqueue_ring_wants_kick(const struct virtqueue *vq)
{
    return virtqueue_is_packed(vq) ? virtqueue_packed_wants_kick(vq)
                                   : virtqueue_split_wants_kick(vq);
}

/* True if it wants one of the next entry. */
bool virtqueue_split_wants_next(const struct virtqueue *vq);
bool virtqueue_packed_wants_next(const struct virtqueue *vq);

static inline bool virtqueue_ring_wants_next(const struct virtqueue *vq)
{
    return virtqueue_is_packed(vq) ? virtqueue_packed_wants_next(vq)
                                   : virtqueue_split_wants_next(vq);
}

/*
 * Takes the next used entry: its id, which is that of a buffer in flight, and its length as written
 * by the device. Advances used_idx past it or, with IN_ORDER, past all entries that it covers, and
 * begins a batch. Returns false if there is none, or the queue is broken now.
 */
bool virtqueue_split_next_used(struct virtqueue *vq, uint32_t *id, uint32_t *length);
bool virtqueue_packed_next_used(struct virtqueue *vq, uint32_t *id, uint32_t *length);

static inline bool virtqueue_ring_next_used(struct virtqueue *vq, uint32_t *id, uint32_t *length)
{
    return virtqueue_is_packed(vq) ? virtqueue_packed_next_used(vq, id, length)
                                   : virtqueue_split_next_used(vq, id, length);
}

/*
 * True if a later entry is used but the next one is not, which must not last long. This is not
 * possible in a split ring.
 */
bool virtqueue_packed_hides_one(const struct virtqueue *vq);

static inline bool virtqueue_ring_hides_one(const struct virtqueue *vq)
{
    return virtqueue_is_packed(vq) && virtqueue_packed_hides_one(vq);
}

void virtqueue_split_interrupts_off(struct virtqueue *vq);
void virtqueue_packed_interrupts_off(struct virtqueue *vq);

static inline void virtqueue_ring_interrupts_off(struct virtqueue *vq)
{
    if (virtqueue_is_packed(vq)) {
        virtqueue_packed_interrupts_off(vq);
    } else {
        virtqueue_split_interrupts_off(vq);
    }
}

bool virtqueue_split_interrupts_on(struct virtqueue *vq, uint16_t after);
bool virtqueue_packed_interrupts_on(struct virtqueue *vq, uint16_t after);

static inline bool virtqueue_ring_interrupts_on(struct virtqueue *vq, uint16_t after)
{
    return virtqueue_is_packed(vq) ? virtqueue_packed_interrupts_on(vq, after)
                                   : virtqueue_split_interrupts_on(vq, after);
}

/* True if a used id names a buffer of the device. */
static inline bool virtqueue_has(const struct virtqueue *vq, uint32_t id)
{
    return id < vq->slots && vq->slot[id].cookie != NULL;
}

/* The address of an indirect table for the device. */
static inline uint64_t virtqueue_table_address(const struct virtqueue *vq, int16_t table)
{
    return vq->tables_address + sizeof(struct virtq_desc) * vq->table_parts * (unsigned)table;
}

/* The flags of part i of `count`. The device reads the first `out`. */
static inline uint16_t virtqueue_part_flags(unsigned i, unsigned out, unsigned count)
{
    return (uint16_t)((i >= out ? VIRTQ_DESC_F_WRITE : 0) |
                      (i + 1 < count ? VIRTQ_DESC_F_NEXT : 0));
}

/*
 * §2.7.10: true if the entry `event` is one of the `count` before `end`, modulo 2^16. The
 * specification's vring_need_event() with old = end - count.
 */
static inline bool virtqueue_passes(uint16_t event, uint16_t end, uint16_t count)
{
    return (uint16_t)(end - event - 1) < count;
}

/*
 * With IN_ORDER: how many buffers, from the oldest on, a used entry with this id covers;
 * *descriptors: the descriptors of their chains. 0: the device has no such buffer.
 */
unsigned virtqueue_covered(const struct virtqueue *vq, uint32_t id, unsigned *descriptors);

/* Stops the queue: nothing that the device says about it can be trusted any more. */
void virtqueue_break(struct virtqueue *vq, const char *why);
void virtqueue_bad_id(struct virtqueue *vq);

#endif

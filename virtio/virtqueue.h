/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A split virtqueue (virtio 1.3 §2.7). Buffers are chains of descriptors, each handed over with a
 * cookie that comes back when the device has used it:
 *
 *     virtqueue_add(vq, parts, out, in, cookie);      any number of times
 *     virtqueue_kick(vq);                             once after them
 *     while ((cookie = virtqueue_get(vq, &length))) ...
 *
 * Nothing that the device can write is trusted: what it says is checked against what this side
 * remembers, and what fails the check is counted and survived.
 *
 * A queue is not locked: all functions are for one context, but for virtqueue_interrupts_off(),
 * which an interrupt handler may call too.
 */
#ifndef VIRTQUEUE_H
#define VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/virtio.h"
#include "virtio/virtio_spec.h"

/* A part of a buffer. Memory that lies as it is until the device has used the buffer. */
struct virtqueue_part {
    const void *data; /* the device writes to it where it is an "in" part */
    uint32_t length;  /* bytes, not 0 */
};

/* What happened on a queue since it was created. */
struct virtqueue_counters {
    uint32_t kicks;            /* notifications sent */
    uint32_t kicks_suppressed; /* not sent because the device did not want one */
    uint32_t kicks_saved;      /* of those sent, seen to be wanted only after the fence */
    uint32_t full;             /* virtqueue_add() that found no room */
    uint32_t bad_id;           /* used ids that name no buffer of the device's */
    uint32_t bad_length;       /* used lengths beyond the buffer */
    uint32_t bad_index;        /* used indices that jumped */
};

/* What this side remembers of each descriptor that heads a chain; the device cannot reach it. */
struct virtqueue_slot {
    void *cookie;       /* NULL: not the head of a chain that the device has */
    uint32_t in_length; /* bytes that the device may write */
    uint16_t count;     /* descriptors of the chain in the ring */
    uint16_t last;      /* the last of them */
    uint16_t next;      /* free list, and the order within a chain */
    int16_t table;      /* index of its indirect table, or -1 */
};

enum { VIRTQUEUE_PARTS_MAX = 16 }; /* parts that an indirect table holds */

struct virtqueue {
    struct virtio_device *dev;
    uint16_t index; /* which queue of the device */
    uint16_t size;  /* descriptors; a power of two */
    bool event_idx;
    bool broken; /* the device broke the rules: nothing is taken from it any more */

    /* Shared with the device. */
    struct virtq_desc *desc;
    struct virtq_avail *avail;
    struct virtq_used *used;

    /* Ours: what we wrote and what we have seen. */
    uint16_t free_head;
    uint16_t free_count; /* descriptors */
    uint16_t in_flight;  /* chains that the device has */
    uint16_t avail_idx;  /* as published */
    uint16_t kicked_idx; /* avail_idx at the last notification */
    uint16_t used_idx;   /* the next used entry to take */
    struct virtqueue_slot *slot;

    /* Indirect tables; none where the feature is not agreed. */
    struct virtq_desc *tables;
    uint16_t table_count;
    int16_t free_table;
    int16_t *table_next;

    uint32_t notify_offset; /* the modern transport's: where the doorbell is */
    struct virtqueue_counters counters;
};

/*
 * Makes queue `index` and tells the device, between virtio_device_negotiate() and _ready(). size:
 * descriptors wanted, a power of two; a modern device may allow fewer, a legacy one dictates its
 * own. tables: indirect tables to have for chains of many parts, used where the device can. 0 or
 * an error; then nothing is kept.
 */
int virtqueue_create(struct virtqueue *vq, struct virtio_device *dev, uint16_t index, uint16_t size,
                     uint16_t tables);

/* Frees its memory; only after the device has been reset. */
void virtqueue_destroy(struct virtqueue *vq);

/*
 * Hands over a buffer: `out` parts that the device reads, then `in` parts that it writes. cookie:
 * not NULL; comes back from virtqueue_get(). The parts' memory is the device's until then. 0,
 * ERROR_FULL, ERROR_TOOBIG (never fits) or ERROR_BROKEN.
 */
int virtqueue_add(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                  unsigned in, void *cookie);

/* Whether a chain of this many parts would fit now. */
bool virtqueue_has_room(const struct virtqueue *vq, unsigned parts);

/* Notifies the device of what was added, if it wants that. Returns whether it was notified. */
bool virtqueue_kick(struct virtqueue *vq);

/* Whether the device asks to be notified of the next buffer: so it does while it waits for one. */
bool virtqueue_wanted(struct virtqueue *vq);

/*
 * The next buffer that the device has used: its cookie, and in *length the bytes written, never
 * more than its in parts hold. NULL: none.
 */
void *virtqueue_get(struct virtqueue *vq, uint32_t *length);

/* Takes back, one a call, the buffers that the device never used; only after a reset. */
void *virtqueue_detach(struct virtqueue *vq);

/* Asks the device not to interrupt for this queue: a hint, an interrupt may still come. */
void virtqueue_interrupts_off(struct virtqueue *vq);

/*
 * Asks for an interrupt when `after` more buffers have been used (1: the next one; without event
 * index it is always the next). Returns true where that many have been already: then no interrupt
 * may come, and the caller must look.
 */
bool virtqueue_interrupts_on(struct virtqueue *vq, uint16_t after);

#endif

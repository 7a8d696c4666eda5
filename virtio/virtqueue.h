/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtqueue (virtio 1.3 §2.6), split (§2.7) or packed (§2.8) as agreed with the device. Buffers
 * are chains of descriptors, each handed over with a cookie that comes back when the device has
 * used it:
 *
 *     virtqueue_add(vq, parts, out, in, cookie);      any number of times
 *     virtqueue_kick(vq);                             once after them
 *     while ((cookie = virtqueue_get(vq, &length))) ...
 *
 * One queue by itself, where RING_RESET was agreed, is made anew by
 *
 *     virtqueue_reset(vq);                            the device lets go of its buffers
 *     while ((cookie = virtqueue_get(vq, &length)))   those that it had used
 *     while ((cookie = virtqueue_detach(vq))) ...     the others come back
 *     virtqueue_restart(vq);                          empty, and live again
 *
 * or, for who must not wait, with virtqueue_reset_begin() and virtqueue_reset_ended().
 *
 * Nothing that the device can write is trusted: what it says is checked against what this side
 * remembers, and what fails the check is counted and survived.
 *
 * A queue is not locked: all functions are for one context, but for virtqueue_interrupts_off(),
 * which an interrupt handler may call too.
 */
#ifndef VTNET_VIRTQUEUE_H
#define VTNET_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/virtio.h"
#include "virtio/virtio_config.h"
#include "virtio/virtio_frame.h"
#include "virtio/virtio_spec.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What happened on a queue since it was created. */
struct virtqueue_counters {
    uint32_t buffers;          /* used buffers taken */
    uint32_t kicks;            /* notifications sent */
    uint32_t kicks_suppressed; /* not sent because the device did not want one */
    uint32_t kicks_saved;      /* of those sent, seen to be wanted only after the fence */
    uint32_t full;             /* virtqueue_add() that found no room */
    uint32_t bad_id;           /* used ids of no buffer in flight: the queue is broken */
    uint32_t bad_length;       /* used lengths beyond the buffer */
    uint32_t bad_index;        /* used buffers that there cannot be: the queue is broken */

    /* By who takes its interrupts. One that may be of other queues too, since they share the line
     * or the vector, counts for each queue that had used buffers then, and is nobody's where none
     * had; one of this queue alone always counts. */
    uint32_t interrupts;
    uint32_t interrupts_spurious; /* of this queue alone, without used buffers */
};

/*
 * What this side remembers of a buffer; the device cannot reach it. Its number is the buffer's id:
 * in a packed ring any free one, in a split ring that of its first descriptor, where each further
 * descriptor of the chain occupies one too.
 */
struct virtqueue_slot {
    void *cookie; /* NULL: not a buffer that the device has */
#if VIRTIO_CONFIG_DMA_MAP
    struct virtqueue_mapping *mapped; /* one for each part, in order */
#endif
    uint32_t in_length; /* bytes that the device may write */
    uint16_t count;     /* descriptors of the chain in the ring */
    uint16_t last;      /* the last slot that it occupies */
    uint16_t next; /* free list, chain; with IN_ORDER always the following one, round the ring */
    int16_t table; /* index of its indirect table, or -1 */
    bool watched;  /* it was out at the last virtqueue_overtaken() */
};

enum { VIRTQUEUE_PARTS_MAX = 48 }; /* parts that an indirect table may hold */

/* What is remembered of a part that is mapped: the device can write over its descriptor. */
struct virtqueue_mapping {
    uint64_t address;
    const void *memory;
    uint32_t length;
    bool writes;
    struct virtqueue_mapping *next;
};

struct virtqueue {
    struct virtio_device *dev;
    const struct virtqueue_ring *ring; /* what its format does */
    uint16_t index;                    /* which queue of the device */
    uint16_t size;                     /* descriptors; of a split ring a power of two */
    uint16_t slots; /* of them that are used: a legacy device dictates the size */
    bool event_idx;
    bool in_order;
    bool broken;   /* the device broke the rules: nothing is taken from it any more */
    bool stopped;  /* its reset has begun, and it was not restarted: nothing is given to it */
    bool released; /* that has ended: the device has let go of it */
    bool overdue;  /* that takes too long, or the restart failed: this has been logged */
    uint64_t reset_since; /* clock: when that reset began */

    /* Shared with the device, in one block. */
    void *descriptor_area;
    void *driver_area;
    void *device_area;
    uint32_t area_size;    /* bytes of all three */
    uint64_t area_address; /* of the first, for the device */

    /* Ours: what we wrote and what we have seen. A packed ring's two indices are a PVIRTQ_OFF and
     * PVIRTQ_WRAP each. */
    uint16_t avail_idx; /* the next entry to make available */
    uint16_t used_idx;  /* the next used entry to take */
    uint16_t unkicked;  /* entries made available since the last notification, at most size */
    uint16_t free_head;
    uint16_t free_count; /* descriptors */
    uint16_t in_flight;  /* buffers that the device has, or that virtqueue_get() owes */
    struct virtqueue_slot *slot;

    /* With IN_ORDER: the oldest buffer in flight, and how many from there on a used entry covered. */
    uint16_t oldest;
    uint16_t batch_left;
    uint32_t batch_length; /* bytes written to the last of them */

    /* Indirect tables; none where the feature is not agreed. Descriptors of either format take 16
     * bytes. */
    void *tables;
    uint64_t tables_address;
    uint16_t table_count;
    uint16_t table_parts;
    uint16_t free_tables; /* how many */
    int16_t free_table;   /* the first of them */
    int16_t *table_next;

    uint16_t watched;      /* buffers that were out at the last virtqueue_overtaken() */
    uint32_t watched_from; /* counters.buffers then */
    bool hidden;           /* the next used entry was missing at the last virtqueue_look_behind() */
    uint16_t hidden_at;

#if VIRTIO_CONFIG_DMA_MAP
    struct virtqueue_mapping *mappings;
    struct virtqueue_mapping *free_mapping;
#endif

    uint16_t vector;      /* the transport's: interrupts for it, where there are vectors */
    uint16_t notify_data; /* the modern transport's: what the doorbell is told, and where it is */
    uint32_t notify_offset;

    /* Set by who takes interrupts, cleared by the queue's context: one came that may be its. */
    volatile bool interrupted;
    struct virtqueue_counters counters;
};

/*
 * Makes queue `index` and tells the device, between virtio_device_negotiate() and _ready(). size:
 * descriptors wanted, of a split ring a power of two; a modern device may allow fewer. A legacy one dictates its
 * ring, of which no more than `size` descriptors are used then. tables: indirect tables to have for chains of many parts, used where the device can; 0:
 * none. table_parts: parts that each holds, at most VIRTQUEUE_PARTS_MAX. 0 or an error (ERROR_INVAL: a
 * size or number that is none of these); then nothing is kept.
 */
int virtqueue_create(struct virtqueue *vq, struct virtio_device *dev, uint16_t index, uint16_t size,
                     uint16_t tables, uint16_t table_parts);

/* Frees its memory; only after the device or the queue has been reset. */
void virtqueue_destroy(struct virtqueue *vq);

/*
 * Hands over a buffer: `out` parts that the device reads, then `in` parts that it writes. cookie:
 * not NULL; comes back from virtqueue_get(). The parts' memory is the device's until then. 0,
 * ERROR_FULL, ERROR_TOOBIG (never fits), ERROR_BROKEN, ERROR_NOMEM (cannot be mapped now), or ERROR_INVAL: no part, one without memory or
 * length, more than 4 GiB together, no cookie, or a queue whose reset has begun.
 */
int virtqueue_add(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                  unsigned in, void *cookie);

/* Whether a chain of this many parts would fit now. */
bool virtqueue_has_room(const struct virtqueue *vq, unsigned parts);

/* The descriptors of the ring that `chains` chains of this many parts each would take now. */
unsigned virtqueue_descriptors(const struct virtqueue *vq, unsigned chains, unsigned parts);

/* Notifies the device of what was added, if it wants that. Returns whether it was notified. */
bool virtqueue_kick(struct virtqueue *vq);

/* Notifies the device of what it has had for long, whether it wants that or not. */
void virtqueue_remind(struct virtqueue *vq);

/* Whether a buffer is out that was out at the last call, though one that was added since has come back. */
bool virtqueue_overtaken(struct virtqueue *vq);

/*
 * Stops the queue where the next used entry has been missing since the last call, which is some seconds ago, though
 * entries behind it are there: it would be waited for until the device is reset.
 */
void virtqueue_look_behind(struct virtqueue *vq);

/* Whether the device asks to be notified of the next buffer: so it does while it waits for one. */
bool virtqueue_wanted(const struct virtqueue *vq);

/*
 * The next buffer that the device has used: its cookie, and in *length the bytes written, never
 * more than its in parts hold. NULL: none. With IN_ORDER a device may report several buffers by
 * the length of the last only; the others are full then (§2.7.9, §2.8.8), and *length says so.
 */
void *virtqueue_get(struct virtqueue *vq, uint32_t *length);

/*
 * Takes back, one a call, the buffers that the device never used; only after the device or the
 * queue has been reset. NULL: no more, or the device has not let go of the queue.
 */
void *virtqueue_detach(struct virtqueue *vq);

/*
 * Makes the device let go of the queue and its buffers (§2.6.1.1). From here on nothing is added.
 * virtqueue_reset_ended(), which may be asked at any time after it, says whether the device has done
 * so: then what it used before can still be taken, and the rest by virtqueue_detach(). One that needs
 * more than a second is logged, once, and may still do it. 0; ERROR_UNSUPPORTED where RING_RESET was not
 * agreed; ERROR_INVAL where the device is not live, or this queue is being reset already.
 */
int virtqueue_reset_begin(struct virtqueue *vq);
bool virtqueue_reset_ended(struct virtqueue *vq);

/*
 * Both, and waits in between: at most a second, then the result is ERROR_IO. The device may still do it
 * later, as virtqueue_reset_ended() says; where it never does only its own reset helps.
 */
int virtqueue_reset(struct virtqueue *vq);

/*
 * Makes the queue live again (§2.6.1.2), in the memory that it has and as it was made: empty, with
 * interrupts on; counters go on. After virtqueue_reset(), or after a reset of the whole device and
 * a negotiation with the same result. 0; ERROR_INVAL where buffers have not been taken back by
 * virtqueue_detach(), or the device has not let go of the queue; ERROR_IO, for one where
 * the device refuses it a vector to interrupt by.
 */
int virtqueue_restart(struct virtqueue *vq);

/* Asks the device not to interrupt for this queue: a hint, an interrupt may still come. */
void virtqueue_interrupts_off(struct virtqueue *vq);

/*
 * Asks for an interrupt when `after` more buffers have been used (1: the next one; without event
 * index it is always the next, and so it is in a packed ring with IN_ORDER or with chains of several
 * descriptors).
 * Returns true where that many have been already: then no interrupt may come, and the caller must
 * look.
 */
bool virtqueue_interrupts_on(struct virtqueue *vq, uint16_t after);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtqueue (virtio 1.3 §2.6), split (§2.7) or packed (§2.8) as negotiated. A buffer is a chain
 * of descriptors. It is added with a cookie, which is returned when the device has used it:
 *
 *     virtqueue_add(vq, parts, out, in, cookie);       any number of times
 *     virtqueue_kick(vq);                              once after them
 *     while ((cookie = virtqueue_get(vq, &length))) ...
 *
 * With RING_RESET a single queue can be reset:
 *
 *     virtqueue_reset(vq);                             the device releases its buffers
 *     while ((cookie = virtqueue_get(vq, &length)))    those that it had used
 *     while ((cookie = virtqueue_detach(vq))) ...      the others
 *     virtqueue_restart(vq);                           empty, and live again
 *
 * virtqueue_reset_begin() and virtqueue_reset_ended() do this without waiting.
 *
 * Nothing that the device writes is trusted. It is checked against the driver's own records; what
 * fails the check is counted and tolerated.
 *
 * A queue has no lock. All functions must be called in one context, except for
 * virtqueue_interrupts_off(), which an interrupt handler may call too.
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

/* Events of a queue since it was created. */
struct virtqueue_counters {
    uint32_t buffers;          /* used buffers taken */
    uint32_t kicks;            /* notifications sent */
    uint32_t kicks_suppressed; /* not sent because the device did not want any */
    uint32_t kicks_saved;      /* of those sent: only found to be wanted by a second look */
    uint32_t full;             /* virtqueue_add() without room */
    uint32_t bad_id;           /* used ids without a buffer in flight: the queue is broken */
    uint32_t bad_length;       /* used lengths above the buffer's size */
    uint32_t bad_index;        /* more used buffers than are in flight: the queue is broken */

    /*
     * Interrupts, counted by the code that takes them. An interrupt that several queues share (line
     * or vector) counts for each queue that had used buffers, and for none if no queue had any. An
     * interrupt of this queue alone always counts.
     */
    uint32_t interrupts;
    uint32_t interrupts_spurious; /* of this queue alone, without used buffers */
};

/*
 * The driver's record of a buffer, which the device cannot access. Its number is the buffer's id:
 * any free one in a packed ring, the first descriptor's in a split ring. There, each further
 * descriptor of the chain occupies a slot too.
 */
struct virtqueue_slot {
    void *cookie; /* NULL: not a buffer in flight */
#if VIRTIO_CONFIG_DMA_MAP
    struct virtqueue_mapping *mapped; /* one per part, in order */
#endif
    uint32_t in_length; /* bytes that the device may write */
    uint16_t count;     /* descriptors of the chain in the ring */
    uint16_t last;      /* the last slot of the chain */
    uint16_t next; /* in the free list or chain; with IN_ORDER always the next slot in the ring */
    int16_t table; /* index of its indirect table, or -1 */
    bool watched;  /* it was in flight at the last virtqueue_overtaken() */
};

enum { VIRTQUEUE_PARTS_MAX = 48 }; /* most parts of an indirect table */

/* The record of a mapped part: the device can overwrite its descriptor. */
struct virtqueue_mapping {
    uint64_t address;
    const void *memory;
    uint32_t length;
    bool writes;
    struct virtqueue_mapping *next;
};

struct virtqueue {
    struct virtio_device *dev;
    uint16_t index; /* index of the queue in the device */
    uint16_t size;  /* descriptors; a power of two in a split ring */
    uint16_t slots; /* how many of them are used: a legacy device dictates the size */
    bool packed;    /* the ring format */
    bool event_idx;
    bool in_order;
    bool broken;          /* the device broke the rules: no more buffers are taken from the queue */
    bool stopped;         /* a reset was begun and the queue not restarted: no buffers are added */
    bool released;        /* the reset has completed: the device has released the queue */
    bool overdue;         /* the reset takes too long or the restart failed; this has been logged */
    uint64_t reset_since; /* clock: start of the reset */

    /* Memory shared with the device, in one block. */
    void *descriptor_area;
    void *driver_area;
    void *device_area;
    uint32_t area_size;    /* bytes of all three areas */
    uint64_t area_address; /* of the first area, for the device */

    /*
     * State of the driver: what it has written and seen. In a packed ring the two indices are each
     * a PVIRTQ_OFF and PVIRTQ_WRAP.
     */
    uint16_t avail_idx; /* next entry to make available */
    uint16_t used_idx;  /* next used entry to take */
    uint16_t unkicked;  /* entries made available since the last notification, at most `size` */
    uint16_t free_head; /* the slot that has been free longest */
    uint16_t free_tail;
    uint16_t free_count; /* descriptors */
    uint16_t in_flight;  /* buffers of the device, and used ones not yet returned by
                          * virtqueue_get() */
    struct virtqueue_slot *slot;

    /*
     * With IN_ORDER: the oldest buffer in flight, and how many from there on are used but not yet
     * returned.
     */
    uint16_t oldest;
    uint16_t batch_left;
    uint32_t batch_length; /* bytes written to the last of them */

    /* Indirect tables; none without the feature. A descriptor of either format has 16 bytes. */
    void *tables;
    uint64_t tables_address;
    uint16_t table_count;
    uint16_t table_parts;
    uint16_t free_tables; /* number of free tables */
    int16_t free_table;   /* the first free table */
    int16_t *table_next;

    uint16_t watched;      /* buffers that were in flight at the last virtqueue_overtaken() */
    uint32_t watched_from; /* counters.buffers at that time */
    bool hidden;           /* the next used entry was missing at the last virtqueue_look_behind() */
    uint16_t hidden_at;

#if VIRTIO_CONFIG_DMA_MAP
    struct virtqueue_mapping *mappings;
    struct virtqueue_mapping *free_mapping;
#endif

    uint16_t vector;      /* for the transport: the queue's interrupt vector */
    uint16_t notify_data; /* for the modern transport: the value and the place of the doorbell */
    uint32_t notify_offset;

    /* Set when an interrupt arrives that may be this queue's, cleared in the queue's context. */
    volatile bool interrupted;
    struct virtqueue_counters counters;
};

/*
 * Creates queue `index` and tells the device. Call it between virtio_device_negotiate() and
 * virtio_device_ready(). size: descriptors wanted, a power of two for a split ring; a modern device
 * may allow fewer. A legacy device dictates the ring's size; then at most `size` descriptors of it
 * are used. tables: number of indirect tables for chains of several parts, if the device supports
 * them; 0: none. table_parts: parts per table, at most VIRTQUEUE_PARTS_MAX. 0 or an error
 * (VIRTIO_ERROR_INVAL: an invalid size or number); after an error nothing is left allocated.
 */
int virtqueue_create(struct virtqueue *vq, struct virtio_device *dev, uint16_t index, uint16_t size,
                     uint16_t tables, uint16_t table_parts);

/* Frees the queue's memory. Only after the device or the queue has been reset. */
void virtqueue_destroy(struct virtqueue *vq);

/*
 * Adds a buffer: `out` parts that the device reads, then `in` parts that it writes. cookie: not
 * NULL; returned by virtqueue_get(). The memory of the parts belongs to the device until then. 0,
 * VIRTIO_ERROR_FULL, VIRTIO_ERROR_TOOBIG (can never fit), VIRTIO_ERROR_BROKEN, VIRTIO_ERROR_NOMEM
 * (cannot be mapped now), or VIRTIO_ERROR_INVAL: no parts, a part without memory or length, more
 * than 4 GiB in total, no cookie, or a queue whose reset has begun.
 */
int virtqueue_add(struct virtqueue *vq, const struct virtqueue_part *parts, unsigned out,
                  unsigned in, void *cookie);

/* The same for a buffer of one part. writes: the device writes it. */
int virtqueue_add_single(struct virtqueue *vq, const struct virtqueue_part *part, bool writes,
                         void *cookie);

/* True if a chain of this many parts would fit now. */
bool virtqueue_has_room(const struct virtqueue *vq, unsigned parts);

/* How many descriptors of the ring `chains` chains of this many parts each would take now. */
unsigned virtqueue_descriptors(const struct virtqueue *vq, unsigned chains, unsigned parts);

/* Notifies the device of the added buffers if it wants that. Returns true if it was notified. */
bool virtqueue_kick(struct virtqueue *vq);

/*
 * The same without the register read of a weak barrier (virtio_device.weak_barrier), for a caller
 * that will look again: the device may have asked for a notification without the driver seeing it.
 * virtqueue_kick_again() is that second look, later or behind virtio_device_fence().
 */
bool virtqueue_try_kick(struct virtqueue *vq);
bool virtqueue_kick_again(struct virtqueue *vq);

/* Notifies the device again of buffers that it has had for long, whether it wants that or not. */
void virtqueue_remind(struct virtqueue *vq);

/*
 * True if a buffer that was in flight at the last call still is, although a buffer added since then
 * has come back.
 */
bool virtqueue_overtaken(struct virtqueue *vq);

/*
 * Call it every few seconds. Stops the queue if the next used entry was already missing at the last
 * call although later entries are present: the driver would wait for it until the device is reset.
 */
void virtqueue_look_behind(struct virtqueue *vq);

/* True if the device asked to be notified of the next buffer, i.e. it is waiting for one. */
bool virtqueue_wanted(const struct virtqueue *vq);

/*
 * Returns the cookie of the next used buffer, or NULL if there is none. *length: the bytes written,
 * at most what the in parts hold. With IN_ORDER a device may report several buffers by the length
 * of the last one only; then the others are full (§2.7.9, §2.8.8), and *length says so.
 */
void *virtqueue_get(struct virtqueue *vq, uint32_t *length);

/*
 * Returns the cookies of buffers that the device never used, one per call. Only after the device or
 * the queue has been reset. NULL: there are no more, or the device has not released the queue.
 */
void *virtqueue_detach(struct virtqueue *vq);

/*
 * Starts a reset of the queue, which makes the device release its buffers (§2.6.1.1). From then on
 * no buffers are added. virtqueue_reset_ended() may be called at any time afterwards and returns
 * true when the reset has completed: then used buffers can still be taken, and the others by
 * virtqueue_detach(). A reset that takes more than a second is logged once; it may still complete.
 * 0; VIRTIO_ERROR_UNSUPPORTED without RING_RESET; VIRTIO_ERROR_INVAL if the device is not live or
 * this queue is being reset already.
 */
int virtqueue_reset_begin(struct virtqueue *vq);
bool virtqueue_reset_ended(struct virtqueue *vq);

/*
 * Starts a reset and waits for it, at most a second; then it returns VIRTIO_ERROR_IO. The reset may
 * still complete later, which virtqueue_reset_ended() tells. If it never does, only a reset of the
 * device helps.
 */
int virtqueue_reset(struct virtqueue *vq);

/*
 * Makes the queue live again (§2.6.1.2) in its memory and with its parameters: empty, with
 * interrupts enabled. Counters continue. After virtqueue_reset(), or after a reset of the whole
 * device and a negotiation with the same result. 0; VIRTIO_ERROR_INVAL if virtqueue_detach() has
 * buffers left or the device has not released the queue; VIRTIO_ERROR_IO e.g. if the device refuses
 * an interrupt vector.
 */
int virtqueue_restart(struct virtqueue *vq);

/* Asks the device not to interrupt for this queue. This is a hint: an interrupt may still come. */
void virtqueue_interrupts_off(struct virtqueue *vq);

/*
 * Requests an interrupt when `after` more buffers have been used (1: the next one). It is always
 * the next one without event index, and in a packed ring with IN_ORDER or with chains of several
 * descriptors. Returns true if that many have been used already: there may be no interrupt then, so
 * the caller must check the queue.
 */
bool virtqueue_interrupts_on(struct virtqueue *vq, uint16_t after);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device, whatever its transport: status, features, configuration. How a driver brings
 * one up (virtio 1.3 §3.1.1 Driver Requirements: Device Initialization):
 *
 *     virtio_device_begin(dev);                   reset, ACKNOWLEDGE, DRIVER; reads the offer
 *     virtio_device_negotiate(dev, wanted);       features, FEATURES_OK
 *     virtqueue_create(...) for each queue, virtio_config_read(...)
 *     virtio_device_ready(dev);                   DRIVER_OK; from here on queues may be notified
 *
 * After an error anywhere: virtio_device_fail(dev).
 */
#ifndef VTNET_VIRTIO_H
#define VTNET_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What functions of virtio/ return: 0 or one of these. Where a comment names one it leaves VIRTIO_ out. Pointers to a
 * device, a queue or options that were set up as their header says are not checked; other arguments are.
 */
enum {
    VIRTIO_ERROR_NODEV =
        -1,               /* no device of this kind, or none with an interface that can be used */
    VIRTIO_ERROR_IO = -2, /* the device does not do what it must */
    VIRTIO_ERROR_FEATURES = -3, /* the device refuses the features we agreed to */
    VIRTIO_ERROR_NOMEM = -4,    /* no memory, or none that the device can reach */
    VIRTIO_ERROR_FULL = -5,     /* the queue is full: try again when buffers have been used */
    VIRTIO_ERROR_TOOBIG = -6,   /* it never fits: join parts, or give fewer entries */
    VIRTIO_ERROR_BROKEN = -7,   /* the device broke the rules of this queue: it needs a reset */
    VIRTIO_ERROR_REFUSED = -8,  /* the device says no to a command */
    VIRTIO_ERROR_INVAL = -9, /* an argument, or a call now, that is not allowed: nothing changed */
    VIRTIO_ERROR_DOWN = -10, /* the link is down */
    VIRTIO_ERROR_UNSUPPORTED =
        -11, /* needs a feature that was not agreed, or that the device lacks */
};

struct virtio_device;
struct virtqueue;

/*
 * A transport: how the device's registers are reached. queue: a queue's index.
 * isr_status() may be called from interrupt context.
 */
struct virtio_transport {
    const char *name;
    bool legacy;          /* no FEATURES_OK, 32 feature bits, queue size fixed by the device */
    unsigned queue_align; /* bytes: of the ring's start and of its used part */
    uint8_t (*get_status)(struct virtio_device *dev);
    void (*set_status)(struct virtio_device *dev, uint8_t status);
    uint64_t (*get_features)(struct virtio_device *dev);
    void (*set_features)(struct virtio_device *dev, uint64_t features);
    /* Reads fields of the configuration; returns false where it changed under the reader. */
    bool (*config_read)(struct virtio_device *dev, unsigned offset, void *to, unsigned width,
                        unsigned count);
    /* Writes bytes of the configuration; NULL: nothing there may be written. */
    void (*config_write)(struct virtio_device *dev, unsigned offset, const uint8_t *bytes,
                         unsigned count);
    /* Sends configuration changes to their vector, where there are vectors; a reset undoes it. */
    void (*config_vector)(struct virtio_device *dev);
    uint16_t (*queue_size)(struct virtio_device *dev, uint16_t queue); /* largest; 0: no queue */
    int (*queue_enable)(struct virtio_device *dev, struct virtqueue *vq);
    /* Begin to reset a queue; whether that has ended. With RING_RESET only. */
    void (*queue_reset)(struct virtio_device *dev, const struct virtqueue *vq);
    bool (*queue_is_reset)(struct virtio_device *dev, const struct virtqueue *vq);
    void (*notify)(struct virtio_device *dev, const struct virtqueue *vq);
    uint8_t (*isr_status)(struct virtio_device *dev); /* reading clears it */
};

struct virtio_device {
    const struct virtio_transport *transport;
    uint64_t offered;          /* features, from virtio_device_begin() on */
    uint64_t features;         /* agreed, from virtio_device_negotiate() on */
    bool config_torn;          /* the last virtio_config_read() failed, which has been logged */
    uint8_t config_generation; /* of what was read of it last; a legacy device has none: 0 */
    bool live;                 /* DRIVER_OK is set: it may use its queues */
    bool connected;      /* it was live, so that its interrupts are connected as they are now */
    const char *trouble; /* why it needs a reset, since virtio_device_begin(); NULL: it does not */
    bool resetting;      /* a reset has been begun, and has not ended */
    bool little_endian;  /* the byte order of rings, headers and configuration */
    /*
     * Set before virtio_device_begin(): whether a full barrier of this processor does not order its
     * stores before its loads as seen by the device. So it is under QEMU's TCG with one virtual
     * CPU: it leaves barriers out of the code it makes, though the device runs on another host
     * processor. Then a device register is read where that order decides whether a notification
     * is lost (virtio_device_fence()). True is always safe.
     */
    bool weak_barrier;
    /*
     * Set before virtio_device_begin(): where a device on its bus finds the memory at address 0. Counts with
     * ACCESS_PLATFORM agreed only, and where nothing is mapped (VIRTIO_CONFIG_DMA_MAP).
     */
    uint64_t bus_offset;
    uint64_t address_offset; /* of addresses for this device, from virtio_device_negotiate() on */
    /*
     * How many interrupts there are to tell apart, each for other events; 0: one, with an ISR
     * status. The transport sets it before virtio_device_begin(), and goes back to 0 before
     * virtio_device_ready() where the device does not play along.
     */
    uint16_t vectors;
};

#define VIRTIO_RESET_TIMEOUT_NS 1000000000u /* after it nobody waits any more */

/* Which vector interrupts for what: configuration changes the first, each queue one of the others
 * as long as there are any; then they share the last. */
enum { VIRTIO_CONFIG_VECTOR = 0 };
static inline uint16_t virtio_queue_vector(const struct virtio_device *dev, uint16_t queue)
{
    return queue + 1 < dev->vectors ? (uint16_t)(queue + 1) : (uint16_t)(dev->vectors - 1);
}

/* Whether bit number `feature` is in the set. */
static inline bool virtio_has(uint64_t features, unsigned feature)
{
    return features >> feature & 1;
}

/* The set of this feature alone; constant where its argument is. */
#define virtio_bit(feature) ((uint64_t)1 << (feature))

/* Resets the device, sets ACKNOWLEDGE and DRIVER and reads what it offers. 0 or ERROR_IO. */
int virtio_device_begin(struct virtio_device *dev);

/*
 * Agrees on what is both offered and in `wanted`; VERSION_1 is added where the transport needs it, and
 * ANY_LAYOUT is left out there.
 * 0, ERROR_FEATURES, or ERROR_IO where a modern device does not offer VERSION_1.
 */
int virtio_device_negotiate(struct virtio_device *dev, uint64_t wanted);

/* Sets DRIVER_OK: the device is live. */
void virtio_device_ready(struct virtio_device *dev);

/* Whether the device asks for a reset (§2.1.2): then it does nothing else any more. */
bool virtio_device_needs_reset(struct virtio_device *dev);

/* Gives the device up: sets FAILED, unless it has not finished a reset. */
void virtio_device_fail(struct virtio_device *dev);

/*
 * Resets the device and waits until it has: afterwards it touches no memory of ours. 0, or
 * ERROR_IO where it does not come to rest within a second.
 */
int virtio_device_reset(struct virtio_device *dev);

/* The same for who must not wait: begins the reset; whether it has ended. */
void virtio_device_reset_begin(struct virtio_device *dev);
bool virtio_device_reset_ended(struct virtio_device *dev);

/* The rest of virtio_device_begin(), after a reset that has ended. */
void virtio_device_acknowledge(struct virtio_device *dev);

/*
 * Reads `count` fields of `width` bytes each (1, 2 or 4) into `to`, converted to the processor's
 * byte order, all from one state of the configuration (§2.5.3): 0, or ERROR_IO where it does not hold
 * still; the first of several such failures is logged.
 */
int virtio_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned width,
                       unsigned count);

/*
 * A full barrier that also holds where virtio_mb() alone does not: orders all stores before it
 * against all loads after it as the device sees them. Reading any device register does that; it
 * costs one access where weak_barrier is set, nothing elsewhere. Any context.
 */
void virtio_device_fence(struct virtio_device *dev);

/* The features of a network device that are of use: those whose requirements are in the set, too. */
uint64_t virtio_feature_require(uint64_t features);

/* The name of a feature of a network device, as in the specification but without its prefix and in
 * lower case, or NULL where the bit has none. */
const char *virtio_feature_name(unsigned bit);

/* Writes the names of these features to `text`, blanks between them; a bit without one as its
 * number. What does not fit into `size` bytes is left out. Returns text. */
const char *virtio_feature_names(uint64_t features, char *text, size_t size);

/*
 * Reads a list like "-event_idx,+mrg_rxbuf,-29" and clears or sets those bits in *features: a sign,
 * then a name of virtio_feature_name() or a bit number. Returns NULL, or the first word that is
 * not understood; the words before it have taken effect.
 */
const char *virtio_feature_parse(const char *text, uint64_t *features);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device, independent of its transport: status, features, configuration. A driver
 * initialises a device like this (virtio 1.3 §3.1.1 Driver Requirements: Device Initialization):
 *
 *     virtio_device_begin(dev);                reset, ACKNOWLEDGE, DRIVER; reads the offer
 *     virtio_device_negotiate(dev, wanted);    features, FEATURES_OK
 *     virtqueue_create(...) for each queue, virtio_config_read(...)
 *     virtio_device_ready(dev);                DRIVER_OK; queues may be notified from here on
 *
 * After an error in any step: virtio_device_fail(dev).
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
 * Results of the functions of virtio/: 0 or one of these. Pointers to a device, a queue or options
 * must have been set up as their header says and are not checked; all other arguments are.
 */
enum {
    VIRTIO_ERROR_NODEV = -1,    /* no device of this kind, or none with a usable interface */
    VIRTIO_ERROR_IO = -2,       /* the device does not do what it must */
    VIRTIO_ERROR_FEATURES = -3, /* the device refused the negotiated features */
    VIRTIO_ERROR_NOMEM = -4,    /* no memory, or it could not be mapped for the device */
    VIRTIO_ERROR_FULL = -5,     /* the queue is full: try again when buffers have been used */
    VIRTIO_ERROR_TOOBIG = -6,   /* can never fit: join parts, or pass fewer entries */
    VIRTIO_ERROR_BROKEN = -7,   /* the device broke the rules of this queue: it needs a reset */
    VIRTIO_ERROR_REFUSED = -8,  /* the device rejected a command */
    VIRTIO_ERROR_INVAL = -9, /* an invalid argument, or a call not allowed now: nothing changed */
    VIRTIO_ERROR_DOWN = -10, /* the link is down */
    VIRTIO_ERROR_UNSUPPORTED =
        -11, /* requires a feature that was not negotiated, or that the device lacks */
};

struct virtio_device;
struct virtqueue;

/*
 * A transport: access to the device's registers. queue: the index of a queue. isr_status() may be
 * called from interrupt context.
 */
struct virtio_transport {
    const char *name;
    bool legacy;          /* no FEATURES_OK, 32 feature bits, queue size fixed by the device */
    unsigned queue_align; /* alignment of the ring's start and of its used part, bytes */
    uint8_t (*get_status)(struct virtio_device *dev);
    void (*set_status)(struct virtio_device *dev, uint8_t status);
    uint64_t (*get_features)(struct virtio_device *dev);
    void (*set_features)(struct virtio_device *dev, uint64_t features);
    /* Reads fields of the configuration. Returns false if it changed during the read. */
    bool (*config_read)(struct virtio_device *dev, unsigned offset, void *to, unsigned width,
                        unsigned count);
    /* Writes bytes of the configuration. NULL: it is read-only. */
    void (*config_write)(struct virtio_device *dev, unsigned offset, const uint8_t *bytes,
                         unsigned count);
    /* If there are vectors, assigns configuration changes to theirs. A reset undoes this. */
    void (*config_vector)(struct virtio_device *dev);
    uint16_t (*queue_size)(struct virtio_device *dev,
                           uint16_t queue); /* maximum size; 0: no such queue */
    int (*queue_enable)(struct virtio_device *dev, struct virtqueue *vq);
    /* Starts a reset of a queue; returns true when it has completed. Only with RING_RESET. */
    void (*queue_reset)(struct virtio_device *dev, const struct virtqueue *vq);
    bool (*queue_is_reset)(struct virtio_device *dev, const struct virtqueue *vq);
    void (*notify)(struct virtio_device *dev, const struct virtqueue *vq);
    uint8_t (*isr_status)(struct virtio_device *dev); /* reading it clears it */
};

struct virtio_device {
    const struct virtio_transport *transport;
    uint64_t offered;          /* features, valid after virtio_device_begin() */
    uint64_t features;         /* negotiated, valid after virtio_device_negotiate() */
    bool config_torn;          /* the last virtio_config_read() failed, which has been logged */
    uint8_t config_generation; /* at the last read of the configuration; 0 on a legacy device,
                                * which has none */
    bool live;                 /* DRIVER_OK is set: the device may use its queues */
    bool connected;            /* it has been live, so its interrupts stay connected as they are */
    const char *trouble; /* why it needs a reset, since virtio_device_begin(); NULL: it does not
                          * need one */
    bool resetting;      /* a reset has begun and not completed */
    bool little_endian;  /* byte order of rings, headers and configuration */
    /*
     * Set it before virtio_device_begin(). True: as seen by the device, a full barrier does not
     * order this processor's stores before its later loads. This is the case under QEMU's TCG with
     * one virtual CPU, which omits barriers from the generated code although the device runs on
     * another host processor. A device register is then read where that order decides whether a
     * notification is lost (virtio_device_fence()). True is always safe.
     */
    bool weak_barrier;
    /*
     * Set it before virtio_device_begin(): the address of memory address 0 for devices on the bus.
     * Only used if ACCESS_PLATFORM is negotiated and memory is not mapped (VIRTIO_CONFIG_DMA_MAP).
     */
    uint64_t bus_offset;
    uint64_t address_offset; /* added to addresses for this device, valid after
                              * virtio_device_negotiate() */
    /*
     * The number of interrupt vectors. 0: a single interrupt, with an ISR status. The transport
     * sets it before virtio_device_begin() and resets it to 0 before virtio_device_ready() if the
     * device refuses a vector.
     */
    uint16_t vectors;
};

#define VIRTIO_RESET_TIMEOUT_NS 1000000000u /* no operation waits longer than this */

/*
 * The assignment of vectors: the first to configuration changes, one of the others to each queue.
 * If there are too few, the remaining queues share the last.
 */
enum { VIRTIO_CONFIG_VECTOR = 0 };
static inline uint16_t virtio_queue_vector(const struct virtio_device *dev, uint16_t queue)
{
    return queue + 1 < dev->vectors ? (uint16_t)(queue + 1) : (uint16_t)(dev->vectors - 1);
}

/* True if bit number `feature` is in the set. */
static inline bool virtio_has(uint64_t features, unsigned feature)
{
    return features >> feature & 1;
}

/* The set with only this feature; constant if the argument is. */
#define virtio_bit(feature) ((uint64_t)1 << (feature))

/*
 * Resets the device, sets ACKNOWLEDGE and DRIVER, and reads the offered features. 0 or
 * VIRTIO_ERROR_IO.
 */
int virtio_device_begin(struct virtio_device *dev);

/*
 * Negotiates the features that are both offered and in `wanted`. On a transport that requires
 * VERSION_1, that is added and ANY_LAYOUT is removed. 0, VIRTIO_ERROR_FEATURES, or VIRTIO_ERROR_IO
 * if a modern device does not offer VERSION_1.
 */
int virtio_device_negotiate(struct virtio_device *dev, uint64_t wanted);

/* Sets DRIVER_OK: the device is live. */
void virtio_device_ready(struct virtio_device *dev);

/* True if the device requests a reset (§2.1.2). It then does nothing else until it is reset. */
bool virtio_device_needs_reset(struct virtio_device *dev);

/* Gives up the device: sets FAILED, unless a reset is incomplete. */
void virtio_device_fail(struct virtio_device *dev);

/*
 * Resets the device and waits for completion. Afterwards the device does not access memory. 0, or
 * VIRTIO_ERROR_IO if the reset takes more than a second.
 */
int virtio_device_reset(struct virtio_device *dev);

/* The same without waiting: starts the reset; returns true when it has completed. */
void virtio_device_reset_begin(struct virtio_device *dev);
bool virtio_device_reset_ended(struct virtio_device *dev);

/* The rest of virtio_device_begin(), after a completed reset. */
void virtio_device_acknowledge(struct virtio_device *dev);

/*
 * Reads `count` fields of `width` bytes each (1, 2 or 4) into `to`, converted to the processor's
 * byte order. All fields are from one state of the configuration (§2.5.3). 0, or VIRTIO_ERROR_IO if
 * the configuration keeps changing; of several such failures in a row, the first is logged.
 */
int virtio_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned width,
                       unsigned count);

/*
 * A full barrier, even if virtio_mb() alone is not: as seen by the device, it orders all earlier
 * stores before all later loads. If weak_barrier is set it reads a device register, otherwise it
 * costs nothing more. Any context.
 */
void virtio_device_fence(struct virtio_device *dev);

/* Returns the set without features of a network device whose required features are not in it. */
uint64_t virtio_feature_require(uint64_t features);

/*
 * The name of a feature of a network device as in the specification, in lower case and without its
 * prefix. NULL if the bit has no name.
 */
const char *virtio_feature_name(unsigned bit);

/*
 * Writes the names of these features to `text`, separated by blanks; a bit without a name is
 * written as its number. What does not fit into `size` bytes is omitted. Returns text.
 */
const char *virtio_feature_names(uint64_t features, char *text, size_t size);

/*
 * Parses a list like "-event_idx,+mrg_rxbuf,-29" and clears or sets the bits in *features. An item
 * is a sign and a name of virtio_feature_name() or a bit number. Returns NULL, or the first item
 * that is invalid; the items before it have taken effect.
 */
const char *virtio_feature_parse(const char *text, uint64_t *features);

#ifdef __cplusplus
}
#endif

#endif

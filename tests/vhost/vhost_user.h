/* SPDX-License-Identifier: BSD-2-Clause */
/* The vhost-user back end: its messages and rings. */
#ifndef VHOST_USER_H
#define VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/virtio_spec.h"

/* Requests of the front end. Others are ignored. */
enum {
    GET_FEATURES = 1,
    SET_FEATURES = 2,
    SET_MEM_TABLE = 5,
    SET_VRING_NUM = 8,
    SET_VRING_ADDR = 9,
    SET_VRING_BASE = 10,
    GET_VRING_BASE = 11,
    SET_VRING_KICK = 12,
    SET_VRING_CALL = 13,
    GET_PROTOCOL_FEATURES = 15,
};
enum {
    RX,
    TX,
    QUEUES,
    REGIONS = 8,
    QUEUE_MAX = 1024,
    MESSAGE_HEADER = 12, /* bytes */
    MESSAGE_VERSION = 1,
    MESSAGE_REPLY = 4,
    NO_FILE = 0x100,        /* flag in a kick or call message: no file descriptor */
    PROTOCOL_FEATURES = 30, /* vhost-user's own feature bit */
};

#define BIT(feature) (UINT64_C(1) << (feature))
#define FEATURES                                                                                   \
    (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ANY_LAYOUT) | BIT(VIRTIO_F_INDIRECT_DESC) |            \
     BIT(VIRTIO_F_EVENT_IDX) | BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_NET_F_MRG_RXBUF) |           \
     BIT(PROTOCOL_FEATURES))
#define OFFLOADS                                                                                   \
    (BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6))

struct message {
    uint32_t request, flags, size;
    union {
        uint64_t number;
        struct {
            uint32_t index, number;
        } state;
        struct {
            uint32_t index, flags;
            uint64_t desc, used, avail, log; /* addresses in the front end's memory */
        } addresses;
        struct {
            uint32_t regions, padding;
            struct {
                uint64_t guest, size, user, offset;
            } region[REGIONS];
        } memory;
    } __attribute__((packed));
} __attribute__((packed));

struct region {
    uint64_t guest, user; /* its start: guest-physical, and in the front end's memory */
    uint64_t size, offset;
    uint8_t *memory;
};

struct queue {
    const struct ring *ring;
    uint16_t size;
    void *desc, *avail, *used; /* the Descriptor, Driver and Device Area */
    uint16_t next;             /* where to take: index of a split ring, position in a packed one */
    uint16_t used_idx;         /* where to write used entries, likewise */
    uint16_t seen;             /* the last valid available index of a split ring */
    bool out[QUEUE_MAX];       /* by id: taken but not used */
    struct used_entry {
        uint32_t id, length;
        uint32_t room;        /* size of the buffer */
        uint16_t descriptors; /* number of descriptors in a packed ring */
    } pending[2 * QUEUE_MAX]; /* used, not visible to the guest yet */
    unsigned pending_count;
    int kick, call;
    bool running;
};

/* The front end and its settings. */
struct connection {
    uint64_t features; /* accepted by the guest */
    struct queue queue[QUEUES];
    struct region region[REGIONS];
    unsigned regions;
};
extern struct connection connection;

static inline bool agreed(unsigned feature)
{
    return connection.features & BIT(feature);
}

/* The guest's memory, or NULL if any of it is missing. */
void *guest_memory(uint64_t address, uint64_t length);

void queue_start(struct queue *queue);

/* Moves frames from the tap to the guest; the guest sees them only when all are written. */
void queue_receive(struct queue *queue, int tap);

/* Moves frames from the guest to the tap. */
void queue_transmit(struct queue *queue, int tap);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The vhost-user back end: its messages, and the rings that it works on. */
#ifndef VHOST_USER_H
#define VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/virtio_spec.h"

/* Requests of the front end; others are ignored. */
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
    NO_FILE = 0x100,        /* in the number of a kick or a call: it has no file descriptor */
    PROTOCOL_FEATURES = 30, /* a feature bit of vhost-user's own */
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
    uint64_t guest, user; /* where it begins: guest-physical, and in the front end's memory */
    uint64_t size, offset;
    uint8_t *memory;
};

struct queue {
    const struct ring *ring;
    uint16_t size;
    void *desc, *avail, *used; /* the Descriptor, Driver and Device Area */
    uint16_t next;             /* where to take: a split ring's index, a packed one's place */
    uint16_t used_idx;         /* where to write what was used, likewise */
    uint16_t seen;             /* a split ring's available index, the last that can be */
    bool out[QUEUE_MAX];       /* by id: taken, and not used */
    struct used_entry {
        uint32_t id, length;
        uint32_t room;        /* bytes of the buffer */
        uint16_t descriptors; /* of a packed ring that it stands for */
    } pending[2 * QUEUE_MAX]; /* used, and not shown to the guest */
    unsigned pending_count;
    int kick, call;
    bool running;
};

/* The front end, and what it has told. */
struct connection {
    uint64_t features; /* that the guest has accepted */
    struct queue queue[QUEUES];
    struct region region[REGIONS];
    unsigned regions;
};
extern struct connection connection;

static inline bool agreed(unsigned feature)
{
    return connection.features & BIT(feature);
}

/* The guest's memory; NULL where not all of it is there. */
void *guest_memory(uint64_t address, uint64_t length);

void queue_start(struct queue *queue);

/* Moves what the tap has to the guest, all of it before the guest sees the first. */
void queue_receive(struct queue *queue, int tap);

/* Moves what the guest has sent to the tap. */
void queue_transmit(struct queue *queue, int tap);

#endif

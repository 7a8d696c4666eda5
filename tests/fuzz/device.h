/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio network device that does and says what the input tells it: a transport of its own, and
 * the platform under the driver. The driver's loads of memory that the device reaches come here, by
 * -fsanitize-coverage=trace-loads, so the device can act between any two of them.
 */
#ifndef FUZZ_DEVICE_H
#define FUZZ_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/virtio.h"
#include "virtio/virtio_net.h"

enum { DEVICE_QUEUES = 8, DEVICE_CHAINS = 64, DEVICE_PARTS = 2 };

/* A chain that the device has taken. */
struct device_chain {
    uint16_t id;
    uint16_t descriptors; /* in the ring */
    unsigned count;       /* parts that the device writes: a header and a frame at the most */
    struct device_part {
        uint8_t *data;
        uint32_t length;
    } part[DEVICE_PARTS];
};

struct device_queue {
    uint16_t size;    /* as it is offered */
    uint16_t entries; /* as it was enabled; 0: it is not */
    uint8_t *descriptors, *driver, *device;
    uint32_t area_size;   /* bytes of all three */
    uint16_t avail, used; /* split: indices; packed: places, wrap counter in bit 15 */
    bool resetting;
    struct device_chain chain[DEVICE_CHAINS]; /* taken, oldest first */
    unsigned chains;
};

struct device {
    struct virtio_device dev; /* first */
    uint64_t offered;
    uint64_t told; /* of that to the driver */
    uint8_t status;
    bool resetting;
    uint8_t isr;
    uint8_t config[20];
    uint8_t generation;
    bool keeps_features_ok;
    bool resets;        /* it finishes a reset */
    bool resets_queues; /* and that of a queue */
    bool takes_vectors;
    bool answers; /* the control queue's commands, at once */
    bool honest;  /* so far: it used what it had taken, and wrote nowhere else */
    struct device_queue queue[DEVICE_QUEUES];

    struct virtio_net *net; /* to be interrupted; NULL: not yet */
    unsigned loads;         /* of memory that it reaches, since the last call of device_step() */
    unsigned until;         /* of them, before it acts */
    bool acting;
};
extern struct device device;

/* The device as the input has it, and the driver's choices for it. Memory is all free. */
void device_create(struct virtio_net_options *options);

/* The driver is called next: counts its loads anew, and chooses when the device acts. */
void device_step(void);

/* One action of the device's, as the input says. */
void device_act(void);

/* Takes what is available on a queue. Returns how many chains it has then. */
unsigned device_take(struct device_queue *q);

/* Uses a chain that it has taken, with what the input says of it: as it should be where `truly`. */
void device_use(struct device_queue *q, unsigned which, bool truly);

/* The client's: called with each address that the driver tells the device. */
void device_given(const void *memory);

/* For device_rings.c: whether the ring is packed, or little-endian. */
bool device_packed(void);

/* An answer of the control queue, by its truth or not. */
void device_answer(bool truly);

#endif

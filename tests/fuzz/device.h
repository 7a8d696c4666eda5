/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio network device controlled by the input: its transport, and the platform under the
 * driver. By -fsanitize-coverage=trace-loads, each load of the driver from shared memory calls a
 * function here, so the device can act between any two loads.
 */
#ifndef FUZZ_DEVICE_H
#define FUZZ_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/virtio.h"
#include "virtio/virtio_net.h"

enum { DEVICE_QUEUES = 8, DEVICE_CHAINS = 64, DEVICE_PARTS = 2 };

/* A chain taken by the device. */
struct device_chain {
    uint16_t id;
    uint16_t descriptors; /* in the ring */
    unsigned count;       /* device-writable parts: a header and a frame at most */
    struct device_part {
        uint8_t *data;
        uint32_t length;
    } part[DEVICE_PARTS];
};

struct device_queue {
    uint16_t size;    /* as offered */
    uint16_t entries; /* as enabled; 0: not enabled */
    uint8_t *descriptors, *driver, *device;
    uint32_t area_size;   /* bytes of all three areas */
    uint16_t avail, used; /* split: indices; packed: positions, wrap counter in bit 15 */
    bool resetting;
    struct device_chain chain[DEVICE_CHAINS]; /* taken, oldest first */
    unsigned chains;
};

struct device {
    struct virtio_device dev; /* must be first */
    uint64_t offered;
    uint64_t told; /* offset reported to the driver */
    uint8_t status;
    bool resetting;
    uint8_t isr;
    uint8_t config[20];
    uint8_t generation;
    bool keeps_features_ok;
    bool resets;        /* completes a reset */
    bool resets_queues; /* completes a reset of a queue */
    bool takes_vectors;
    bool answers; /* answers control commands at once */
    bool honest;  /* so far it used the right buffers and wrote nowhere else */
    struct device_queue queue[DEVICE_QUEUES];

    struct virtio_net *net; /* to interrupt; NULL: not yet */
    unsigned loads;         /* from shared memory, since the last device_step() */
    unsigned until;         /* loads before it acts */
    bool acting;
};
extern struct device device;

/* Creates the device and the driver's options from the input. No memory is allocated. */
void device_create(struct virtio_net_options *options);

/*
 * Call it before each call of the driver: resets the count of loads and chooses when the device
 * acts.
 */
void device_step(void);

/* One action of the device, chosen by the input. */
void device_act(void);

/* Takes all available chains of a queue. Returns the number of chains that it has then. */
unsigned device_take(struct device_queue *q);

/* Uses a chain that it has taken, with values from the input, or with correct values if `truly`. */
void device_use(struct device_queue *q, unsigned which, bool truly);

/* Set by the client: called for each address that the driver passes to the device. */
void device_given(const void *memory);

/* For device_rings.c: true if the ring is packed; little-endian. */
bool device_packed(void);

/* Answers a control command, correctly or not. */
void device_answer(bool truly);

#endif

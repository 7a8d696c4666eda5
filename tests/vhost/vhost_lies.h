/* SPDX-License-Identifier: BSD-2-Clause */
/* Lies of the back end, one at a time, and the places where they take effect. */
#ifndef VHOST_LIES_H
#define VHOST_LIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/vhost/vhost_user.h"

/* One of these is set. */
struct lie {
    const char *name;
    void (*header)(struct virtio_net_hdr *header);
    void (*used)(struct queue *queue, unsigned at); /* one of the pending entries */
    void (*shown)(struct queue *queue);
    enum {
        COUNTED,
        STALL,   /* takes no buffers */
        MUTE,    /* sends no interrupts */
        UNHEARD, /* takes no buffers, then waits for a notification that it did not request */
        LOSS,    /* frames are neither sent nor used */
        AWAY,    /* the connection to QEMU is closed and reopened */
    } kind;
    size_t share; /* bytes of a frame per buffer; 0: as many as fit */
};
extern const struct lie lies[];
extern const unsigned lies_count;

/* Reads a line from standard input and begins that lie. Returns false at the end of input. */
bool lies_read(void);

/* A random number; the sequence depends on the seed. */
uint32_t lies_random(uint32_t below);
void lies_noise(void *memory, size_t length);

/* Changes the header of a received frame before its delivery. */
void lies_header(const struct queue *queue, struct virtio_net_hdr *header);

/* Changes pending entries before they become visible. */
void lies_used(struct queue *queue);

/* Called after they have become visible. */
void lies_shown(struct queue *queue);

/* The bytes of a received frame that a buffer may get. */
size_t lies_share(const struct queue *queue, size_t length);

/* True if no buffers are taken from the queue; if no interrupts are sent. */
bool lies_stall(const struct queue *queue);
bool lies_mute(const struct queue *queue);

/* True if the frame just taken is neither sent nor used. */
bool lies_loses(const struct queue *queue);

/* The milliseconds for which the back end disconnects, once; 0: it stays connected. */
unsigned lies_away(void);

/* Ends a lasting lie whose time is over. Returns true if one may end soon. */
bool lies_end(void);

#endif

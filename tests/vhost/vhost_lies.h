/* SPDX-License-Identifier: BSD-2-Clause */
/* Lies of the back end, one at a time, and where they are told. */
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
    void (*used)(struct queue *queue, unsigned at); /* one of those that are pending */
    void (*shown)(struct queue *queue);
    enum {
        COUNTED,
        STALL,   /* nothing is taken */
        MUTE,    /* no interrupt is sent */
        UNHEARD, /* nothing is taken, then waits for a notification that it has not asked for */
        LOSS,    /* frames are neither sent nor used */
        AWAY,    /* the connection to QEMU is closed, and opened again */
    } kind;
    size_t share; /* bytes of a frame for each buffer; 0: all that it holds */
};
extern const struct lie lies[];
extern const unsigned lies_count;

/* Reads a line of standard input, and begins the lie that it names. Returns false at its end. */
bool lies_read(void);

/* Different ones each time, the same after the same seed. */
uint32_t lies_random(uint32_t below);
void lies_noise(void *memory, size_t length);

/* The header of a received frame that is about to be delivered. */
void lies_header(const struct queue *queue, struct virtio_net_hdr *header);

/* What is pending, about to be shown. */
void lies_used(struct queue *queue);

/* It has been shown. */
void lies_shown(struct queue *queue);

/* Bytes of a received frame that a buffer may get. */
size_t lies_share(const struct queue *queue, size_t length);

/* Whether nothing is taken from the queue, no interrupt sent. */
bool lies_stall(const struct queue *queue);
bool lies_mute(const struct queue *queue);

/* Whether the frame that was taken is neither sent nor used. */
bool lies_loses(const struct queue *queue);

/* Milliseconds for which the back end is to be away, once; 0: it stays. */
unsigned lies_away(void);

/* Ends what lasts until now. Returns whether something may end soon. */
bool lies_end(void);

#endif

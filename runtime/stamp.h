/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a packet passed which point on its way through the guest, for bench/trace/anatomy. Off, and then
 * compiled away, in a program that never calls stamp_start(): bench/guest/anatomy.c does.
 */
#ifndef STAMP_H
#define STAMP_H

#include <stdbool.h>
#include <stdint.h>

enum stamp_point {
    STAMP_INTERRUPT, /* the processor took it; absent while polling */
    STAMP_PASS,      /* of the loop, begins */
    STAMP_RECEIVE,   /* the driver gives the frame to the stack */
    STAMP_APPLICATION,
    STAMP_TRANSMIT, /* the stack gives a frame to the driver */
    STAMP_FLUSH,    /* the pass is about to notify the device */
    STAMP_END,      /* it has */
    STAMP_POINTS,
};

/* Turns the stamps on. */
void stamp_start(void);

/* The packet under way is at the point; interrupt context is allowed. */
void stamp(enum stamp_point point);

/* The last packet that reached the application: arch_clock_ns() at each point, 0 where it was not. */
const uint64_t *stamp_last(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timestamps of a packet's way through the guest, for bench/trace/anatomy. Off until stamp_start() is
 * called. A program that never calls it (all but bench/guest/anatomy.c) has the calls compiled away.
 */
#ifndef STAMP_H
#define STAMP_H

#include <stdbool.h>
#include <stdint.h>

enum stamp_point {
    STAMP_INTERRUPT, /* the processor took the interrupt; absent while polling */
    STAMP_PASS,      /* a pass of the loop begins */
    STAMP_RECEIVE,   /* the driver passes the frame to the stack */
    STAMP_APPLICATION,
    STAMP_TRANSMIT, /* the stack passes a frame to the driver */
    STAMP_FLUSH,    /* the pass is about to notify the device */
    STAMP_END,      /* the device has been notified */
    STAMP_POINTS,
};

/* Turns the stamps on. */
void stamp_start(void);

/* Records that the current packet has reached the point. Any context. */
void stamp(enum stamp_point point);

/*
 * The last packet that reached the application: arch_clock_ns() at each point, 0 for a point that
 * it did not pass.
 */
const uint64_t *stamp_last(void);

#endif

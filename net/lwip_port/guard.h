/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps packets that trigger a fault in lwIP from stopping the machine: docs/internals.md. */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_pcb;

/* Counted from the start. They wrap. */
struct guard_counters {
    uint32_t assertions;           /* failed assertions of lwIP */
    uint32_t connections_ended;    /* because of a failed assertion */
    uint32_t segments_refused;     /* TCP segments with data outside of the window */
    uint32_t segments_dropped;     /* segments with data, while buffers were scarce and the
                                 * connection held many */
    uint32_t out_of_order_dropped; /* queues of connections dropped, because together they were
                                    * too large */
    uint32_t fragments_refused;    /* empty ones, and those that extend too far */
};
extern struct guard_counters guard_counters;

/*
 * Calls step(argument) and returns true. If an assertion of lwIP fails in it, the step is
 * abandoned, the assertion is counted and reported, and the result is false. What the step worked
 * on is lost and may be half done. Do not call it within a step.
 */
bool guard_run(void (*step)(void *argument), void *argument);

/*
 * Tells that the current step handles a segment of this connection, which is ended if the step
 * fails.
 */
void guard_segment_of(struct tcp_pcb *pcb);

/* Call it before tcp_tmr(). */
void guard_before_tcp_timer(void);

/* Call it when tcp_tmr() has failed: ends the connection that it was handling. */
void guard_after_tcp_timer(void);

#endif

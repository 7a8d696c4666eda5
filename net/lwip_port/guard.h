/* SPDX-License-Identifier: BSD-2-Clause */
/* What the network may bring about in lwIP must not stop the machine: docs/internals.md. */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_pcb;

/* They count from the start and wrap. */
struct guard_counters {
    uint32_t assertions;        /* of lwIP's that failed, and were survived */
    uint32_t connections_ended; /* for that */
    uint32_t segments_refused;  /* of TCP, with data that no window had room for */
    uint32_t segments_dropped;  /* with data, where buffers were few and the connection had many */
    uint32_t out_of_order_dropped; /* queues of a connection, as all together kept too much */
    uint32_t fragments_refused;    /* empty ones, and those that lead too far */
};
extern struct guard_counters guard_counters;

/*
 * Calls step(argument), and returns true. Where an assertion of lwIP's fails within that, all of it
 * ends there, the assertion is counted and reported, and the result is false: what the step was at
 * is lost, and may have been left half done. Not to be called within a step.
 */
bool guard_run(void (*step)(void *argument), void *argument);

/* The segment that the step under way handles is for this connection, which ends if that fails. */
void guard_segment_of(struct tcp_pcb *pcb);

/* tcp_tmr() is about to be called. */
void guard_before_tcp_timer(void);

/* The same, where it has failed: the connection that it was at ends. */
void guard_after_tcp_timer(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop: the polled bottom half, the stack's timers, pollers, and when to sleep. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* The loop's own figures. A pass is what lies between two times that it sleeps or looks again. */
struct net_counters {
    uint64_t passes;
    uint64_t sleeps;
    uint64_t worst_pass_ns;     /* the longest, without its sleep and the console's statistics */
    uint32_t worst_pass_frames; /* that it took from all cards */
    /* Its shares, with loop_config.timed. */
    uint64_t worst_receive_ns;  /* cards, and the stack on what they received */
    uint64_t worst_timers_ns;   /* of the stack, and connections that had waited for room */
    uint64_t worst_services_ns; /* the pollers */
    uint64_t worst_flush_ns;    /* telling the cards */
};
const struct net_counters *net_counters(void);

/*
 * Something that wants to be called on every pass of the loop, like a source of datagrams. poll
 * returns whether it did anything: while one does, the loop does not sleep. A poller that was
 * stopped by a full transmit ring returns false and is called again when there is room.
 */
struct net_poller {
    bool (*poll)(void *context);
    void *context;
    struct net_poller *next; /* net_add_poller()'s */
};
void net_add_poller(struct net_poller *poller);

enum loop_mode {
    LOOP_HYBRID,    /* polls for a while, then sleeps until an interrupt */
    LOOP_INTERRUPT, /* sleeps when there is no more to do */
    LOOP_POLL,      /* never sleeps */
};

struct loop_config {
    enum loop_mode mode;
    uint32_t poll_us; /* that LOOP_HYBRID polls without work before it sleeps */
    bool timed;       /* measures the shares of a pass, too */
    /* Called between two passes, whose time is not counted: returns whether it took some. now: the clock,
     * in ns. */
    bool (*between)(uint64_t now);
};

/* Runs until net_stop(). */
void loop_run(const struct loop_config *config);

/* Ends the loop after the pass under way. */
void net_stop(void);

/* From interrupt context: a card has something to poll. */
void loop_wake(void);

#endif

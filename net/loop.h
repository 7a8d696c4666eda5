/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop: the polled bottom half, the stack's timers, pollers, and when to sleep. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/config.h"

/* Counters of the loop. A pass is the time between two sleeps or between two polls of the cards. */
struct net_counters {
    uint64_t passes;
    uint64_t sleeps;
    uint64_t worst_pass_ns;     /* longest pass, without sleep and the console's statistics */
    uint32_t worst_pass_frames; /* frames received in a pass, from all cards */
    /* Parts of a pass, with loop_config.timed. */
    uint64_t worst_receive_ns;  /* the cards, and the stack's handling of received frames */
    uint64_t worst_timers_ns;   /* the stack's timers, and connections that had waited for room */
    uint64_t worst_services_ns; /* the pollers */
    uint64_t worst_flush_ns;    /* notifying the cards */
};
const struct net_counters *net_counters(void);

/*
 * A function to be called in every pass of the loop, e.g. a source of datagrams. poll() returns
 * true if it did anything; the loop does not sleep while any poller does. A poller stopped by a
 * full transmit ring returns false and is called again when there is room.
 */
struct net_poller {
    bool (*poll)(void *context);
    void *context;
    struct net_poller *next; /* set by net_add_poller() */
    bool added;
};
/* Adding a poller again has no effect: a service may add its own when it gets work. */
void net_add_poller(struct net_poller *poller);

struct loop_config {
    enum loop_mode mode;
    uint32_t poll_us; /* how long LOOP_HYBRID polls for an answer before it sleeps (net/wait.c) */
    bool timed;       /* measures the parts of a pass */
    /*
     * Called between two passes; the time is not counted. Returns true if it took some. now: the
     * clock, in ns.
     */
    bool (*between)(uint64_t now);
};

/* Runs until net_stop(). */
void loop_run(const struct loop_config *config);

/* The loop's mode; with LOOP_HYBRID, *poll_us as in loop_config. */
enum loop_mode loop_mode(uint32_t *poll_us);
/* Changes it while the loop runs. */
void loop_set_mode(enum loop_mode mode, uint32_t poll_us);

/* Ends the loop after the current pass. */
void net_stop(void);

/* Called in interrupt context: a card has something to poll. */
void loop_wake(void);

#endif

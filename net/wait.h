/* SPDX-License-Identifier: BSD-2-Clause */
/* Hybrid mode: when the loop polls for a while before it sleeps. */
#ifndef WAIT_H
#define WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* All zero at first. */
struct wait {
    uint64_t since; /* when the pass began after which the loop waits, ns */
    uint64_t ended; /* when a wait ended without an answer, ns; 0: there was work since */
    bool waiting;
    bool late;         /* this wait has taken most_ns */
    bool may_be_long;  /* this wait follows one that had its answer in time */
    bool closed;       /* no wait until all is paid */
    uint32_t spent;    /* by late waits: passes with work that have to pay for it */
    uint32_t answered; /* waits with their answer in time, since tries were in the way */
    unsigned dearer;   /* the next tries in the way cost as much as others, shifted left by this */
};

/*
 * Call it after each pass. work: the frames that it received, 1 if it had other work only, or 0.
 * sent: it sent frames, so an answer may come soon. now: when the pass began, ns. most_ns: how long
 * an answer may take to be in time; 0: no wait. Returns true if the loop shall poll.
 */
bool wait_for_more(struct wait *wait, unsigned work, bool sent, uint64_t now, uint64_t most_ns);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer to a frame often comes sooner than the loop could sleep and wake up. But if device and
 * guest share a host's processor, polling can keep it from the device; and a slow peer is not worth
 * polling for. So a wait that takes most_ns is late. It is paid for by passes with work, and when as
 * many as TRIES are not paid for, there is none until all are: fewer than one in a hundred passes with
 * one or two frames are followed by a late wait.
 * A late wait ends, and the loop sleeps. Not so if the wait before it had its answer in time: then the
 * peer is fast, and the device may be waiting for the processor on which the guest polls. Only the
 * host's scheduler can part them, at its next tick, and only while both want to run. So such a wait
 * goes on, while nothing comes in, for up to PARTED_NS. On two processors the waits after it have their
 * answers in time; on one they are late as well, and soon not paid for. If there is no answer in all that
 * time, the peer is silent, and the wait costs eight times as much.
 * If work comes as soon as the guest sleeps, the last wait was in the device's way. When that happens
 * again before many waits had an answer, four times as many passes pay, then sixteen times: fewer than
 * one in a thousand.
 * In a stream of frames a pass is longer, nobody waits for one answer, and what counts is that the
 * loop goes on: a pass with several frames pays as much as many others. Up to one in eight of them
 * is followed by a late wait.
 * A pass that only receives, like one with a bare acknowledgement, leaves a wait that is not late as it
 * is: the answer may still come.
 */
#include "net/wait.h"

#define PARTED_NS UINT64_C(8000000) /* two ticks of most hosts */

enum {
    COST = 128, /* passes with work for each late wait */
    TRIES = 12,
    CREDIT = TRIES * COST,
    SILENT = 7 * COST, /* on top of COST, for a long wait without an answer */
    MANY_ANSWERS = 2048,
    STREAM = 3, /* frames */
    STREAM_PAYS = 16,
    DEARER = 2, /* shift: four times */
    DEAREST = 2 * DEARER,
};

/* Work came as soon as the guest slept after the last of the tries. */
static void tries_were_in_the_way(struct wait *wait)
{
    if (wait->answered >= MANY_ANSWERS) {
        wait->dearer = 0;
    }
    wait->spent <<= wait->dearer;
    wait->dearer = wait->dearer < DEAREST ? wait->dearer + DEARER : DEAREST;
    wait->answered = 0;
}

static void pay(struct wait *wait, unsigned work)
{
    uint32_t sum = work >= STREAM ? STREAM_PAYS : 1;

    wait->spent -= sum < wait->spent ? sum : wait->spent;
    wait->closed = wait->closed && wait->spent > 0;
}

static void start(struct wait *wait, unsigned work, uint64_t now, uint64_t most_ns)
{
    bool in_time = wait->waiting && !wait->late && now - wait->since < most_ns;

    if (in_time && wait->answered < MANY_ANSWERS) {
        wait->answered++;
    }
    wait->may_be_long = in_time && work < STREAM;
    wait->since = now;
    wait->waiting = true;
    wait->late = false;
}

static void charge(struct wait *wait, uint32_t sum)
{
    wait->spent += sum;
    wait->closed = wait->spent > CREDIT - COST;
}

/* There is no answer yet. work: frames that need none have come. */
static void go_on(struct wait *wait, unsigned work, uint64_t now, uint64_t most_ns)
{
    uint64_t lasted = now - wait->since;

    if (!wait->late && lasted >= most_ns) {
        wait->late = true;
        charge(wait, COST);
    }
    if (!wait->late) {
        return;
    }
    if (wait->may_be_long && !wait->closed && most_ns != 0 && work == 0) {
        if (lasted < PARTED_NS) {
            return;
        }
        charge(wait, SILENT);
    }
    wait->waiting = false;
    wait->ended = now;
}

bool wait_for_more(struct wait *wait, unsigned work, bool sent, uint64_t now, uint64_t most_ns)
{
    if (work != 0) {
        if (wait->closed && wait->ended != 0 && now - wait->ended < most_ns) {
            tries_were_in_the_way(wait);
        }
        wait->ended = 0;
        pay(wait, work);
    }
    if (work != 0 && sent && !wait->closed && most_ns != 0) {
        start(wait, work, now, most_ns);
    } else if (wait->waiting) {
        go_on(wait, work, now, most_ns);
    }
    return wait->waiting;
}

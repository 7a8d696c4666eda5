/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer to a frame often comes sooner than the loop could sleep and wake up. But if device and
 * guest share a host's processor, polling can keep it from the device; and a slow peer is not worth
 * polling for. So a wait that ends in vain is paid for by passes with work, and when as many as
 * TRIES are not paid for, there is none until all are: fewer than one in a hundred passes with one or
 * two frames are followed by a wait in vain, and the time that such waits take per pass is at most a
 * hundredth of most_ns. Several tries in a row are needed: a guest that sleeps between messages may
 * share one processor with the device's thread, and only the host's scheduler can part them, at its
 * next tick. If work comes as soon as the guest sleeps, the last wait was in the device's way. When
 * that happens again before many waits had an answer, four times as many passes pay, then sixteen
 * times: fewer than one in a thousand.
 * In a stream of frames a pass is longer, nobody waits for one answer, and what counts is that the
 * loop goes on: a pass with several frames pays as much as many others. Up to one in eight of them
 * is followed by a wait in vain.
 * A pass that only receives, like one with a bare acknowledgement, leaves the wait as it is: the
 * answer may still come.
 */
#include "net/wait.h"

enum {
    COST = 128, /* passes with work for each wait in vain */
    TRIES = 8,
    CREDIT = TRIES * COST,
    MANY_ANSWERS = 512,
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

static void start(struct wait *wait, uint64_t now)
{
    if (wait->waiting && wait->answered < MANY_ANSWERS) {
        wait->answered++;
    }
    wait->since = now;
    wait->waiting = true;
}

static void end_in_vain(struct wait *wait, uint64_t now)
{
    wait->waiting = false;
    wait->ended = now;
    wait->spent += COST;
    wait->closed = wait->spent > CREDIT - COST;
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
        start(wait, now);
    } else if (wait->waiting && now - wait->since >= most_ns) {
        end_in_vain(wait, now);
    }
    return wait->waiting;
}

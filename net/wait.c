/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer to a frame often comes sooner than the loop could sleep and wake up. But if device and
 * guest share a host's processor, polling can keep it from the device; and a slow peer is not worth
 * polling for. So a wait that ends in vain is paid for by passes with work, and when as many as
 * TRIES are not paid for, there is none until all are. So less than one in a hundred of these passes
 * is followed by a wait in vain, and the time that such waits take per pass is at most a hundredth
 * of poll_us. Several tries in a row are needed: a guest that sleeps between messages may share one
 * processor with the device's thread, and only the host's scheduler can part them, at its next tick.
 * A pass that only receives, like one with a bare acknowledgement, leaves the wait as it is: the
 * answer may still come.
 */
#include "net/wait.h"

enum {
    COST = 128, /* passes with work for each wait in vain */
    TRIES = 8,
    CREDIT = TRIES * COST,
};

bool wait_for_more(struct wait *wait, bool busy, bool sent, uint64_t now, uint64_t most_ns)
{
    if (busy && wait->spent > 0) {
        wait->spent--;
        wait->closed = wait->closed && wait->spent > 0;
    }
    if (busy && sent && !wait->closed && most_ns != 0) {
        wait->since = now;
        wait->waiting = true;
    } else if (wait->waiting && now - wait->since >= most_ns) {
        wait->waiting = false;
        wait->spent += COST;
        wait->closed = wait->spent > CREDIT - COST;
    }
    return wait->waiting;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer to a frame often comes sooner than the loop could sleep and wake up. But if device and
 * guest share a host's processor, polling can keep it from the device; and a slow peer is not worth
 * polling for. So a wait without an answer is paid for by passes with work in which there is none.
 * Such waits follow less than one in a hundred of these passes, so they do not show in the 99th
 * percentile of the latency; and the time that they take per pass is a hundredth of poll_us.
 */
#include "net/wait.h"

enum {
    COST = 128,   /* passes with work for each wait in vain */
    CREDIT = 128, /* the most that is saved: for one */
};

bool wait_for_more(struct wait *wait, bool busy, bool sent, uint64_t now, uint64_t most_ns)
{
    if (busy) {
        wait->credit += wait->credit < CREDIT;
        wait->since = now;
        wait->waiting = sent && wait->credit >= 0 && most_ns != 0;
    } else if (wait->waiting && now - wait->since >= most_ns) {
        wait->waiting = false;
        wait->credit -= COST;
    }
    return wait->waiting;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer to a frame often comes sooner than the loop could sleep and wake up. But if device and
 * guest share a host's processor, polling can keep it from the device; and a slow peer is not worth
 * polling for. So a wait that ends in vain is paid for by passes with work in which there is none.
 * Such waits follow less than one in a hundred of these passes, and so the time that they take per
 * pass is at most a hundredth of poll_us. A pass that only receives, like one with a bare
 * acknowledgement, leaves the wait as it is: the answer may still come.
 */
#include "net/wait.h"

enum {
    COST = 128,   /* passes with work for each wait in vain */
    CREDIT = 128, /* the most that is saved: for one */
};

bool wait_for_more(struct wait *wait, bool busy, bool sent, uint64_t now, uint64_t most_ns)
{
    wait->credit += busy && wait->credit < CREDIT;
    if (busy && sent && wait->credit >= 0 && most_ns != 0) {
        wait->since = now;
        wait->waiting = true;
    } else if (wait->waiting && now - wait->since >= most_ns) {
        wait->waiting = false;
        wait->credit -= COST;
    }
    return wait->waiting;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A split ring of SIZE entries (virtio 1.3 §2.7) and ALL buffers that go round: virtio/virtqueue_split.c on the
 * driver's side, with virtqueue_kick(), and a device that keeps the rules. Without one of the barriers
 * (NO_...) a wrong entry is read, or both sides sleep while there is work. EVENT: with the event index. WEAK: memory.pml. POLLED:
 * the driver looks again before it sleeps whether the device wants a notification.
 */
#ifndef ALL
#define ALL 4
#endif
#ifndef SIZE
#define SIZE 2
#endif
/* The driver writes */
#define DESC 0 /* 2: which buffer is described; an available entry is not modelled apart from it */
#define AVAIL 2
#define USED_EVENT 3 /* or the flag that suppresses interrupts */
/* and the device */
#define USED 4 /* 2 entries: which buffer was used */
#define USED_IDX 6
#define AVAIL_EVENT 7 /* or the flag that suppresses notifications */
#define PLACES 8
#include "memory.pml"

#define FAR 100 /* an event that does not come */

bool kick, interrupt;

#ifdef EVENT
#define asked(event, new, count) ((event) + (count) >= (new) && (event) < (new))
#define SUPPRESSED FAR
#else
#define asked(event, new, count) ((event) != FAR)
#define SUPPRESSED FAR
#endif

active proctype visible()
{
    byte k;
end:
    do
    :: becomes_visible(DRIVER, DESC)
#if SIZE > 1
    :: becomes_visible(DRIVER, DESC + 1)
#endif
    :: becomes_visible(DRIVER, AVAIL)
    :: becomes_visible(DRIVER, USED_EVENT)
    :: becomes_visible(DEVICE, USED)
#if SIZE > 1
    :: becomes_visible(DEVICE, USED + 1)
#endif
    :: becomes_visible(DEVICE, USED_IDX)
    :: becomes_visible(DEVICE, AVAIL_EVENT)
    od
}

active proctype early_loads()
{
end:
    do
    :: is_loaded_early(DRIVER, USED)
#if SIZE > 1
    :: is_loaded_early(DRIVER, USED + 1)
#endif
    :: is_loaded_early(DRIVER, USED_IDX)
    :: is_loaded_early(DRIVER, AVAIL_EVENT)
    od
}

active proctype driver()
{
    byte k, added, taken, unkicked, value;
    bool wanted, idle;

    do
    :: added < ALL && added - taken < SIZE ->
again:  atomic { /* add(): nobody sees these stores as they are made, but as they become visible */
            store(DRIVER, DESC + added % SIZE, added + 1);
#ifndef NO_ADD_WMB
            wmb(DRIVER);
#endif
            added++;
            store(DRIVER, AVAIL, added);
            unkicked++
        }
        if
        :: added < ALL && added - taken < SIZE -> goto again /* submit many, notify once */
        :: true
        fi;
        /* virtqueue_kick(), or virtqueue_try_kick() of a driver that polls */
#ifndef NO_KICK_MB
        mb_of_driver();
#endif
        load(DRIVER, AVAIL_EVENT, value); /* wants_kick() */
        wanted = asked(value, added, unkicked);
#if defined(WEAK) && !defined(POLLED)
        if
        :: !wanted ->
#ifndef NO_KICK_FENCE
            fence(DRIVER);
#endif
#ifndef NO_KICK_AGAIN
            load(DRIVER, AVAIL_EVENT, value);
            wanted = asked(value, added, unkicked)
#endif
        :: else
        fi;
#endif
        if
        :: wanted -> fence(DRIVER); kick = true; unkicked = 0 /* a register is written after what was stored */
        :: else
        fi
    :: taken < added ->
        /* next_used() */
        load(DRIVER, USED_IDX, value);
        if
        :: value != taken ->
#ifndef NO_USED_RMB
            rmb(DRIVER);
#endif
            load(DRIVER, USED + taken % SIZE, value);
            assert(value == taken + 1);
            taken++
        :: else ->
            /* interrupts_on() */
#ifdef EVENT
            store(DRIVER, USED_EVENT, taken);
#else
            store(DRIVER, USED_EVENT, 0);
#endif
#ifndef NO_SLEEP_MB
            mb_of_driver();
#ifdef WEAK
#ifndef NO_SLEEP_FENCE
            fence(DRIVER);
#endif
#endif
#endif
#ifndef NO_SLEEP_AGAIN
            load(DRIVER, USED_IDX, value);
#endif
            idle = value == taken;
#ifdef POLLED
#ifndef NO_LOOK_AGAIN
            if
            :: unkicked != 0 -> /* virtqueue_kick_again() */
                mb_of_driver();
                load(DRIVER, AVAIL_EVENT, value);
                wanted = asked(value, added, unkicked);
                if
                :: wanted -> fence(DRIVER); kick = true; unkicked = 0
                :: else
                fi
            :: else
            fi;
#endif
#endif
            if
            :: idle -> interrupt; interrupt = false
            :: else
            fi;
            /* interrupts_off() */
            store(DRIVER, USED_EVENT, SUPPRESSED)
        fi
    :: taken == ALL -> break
    od
}

active proctype device()
{
    byte k, seen, value;

    do
    :: load(DEVICE, AVAIL, value);
        if
        :: value != seen ->
            rmb(DEVICE);
            load(DEVICE, DESC + seen % SIZE, value);
            assert(value == seen + 1); /* not a descriptor from before */
            atomic {
                store(DEVICE, USED + seen % SIZE, seen + 1);
                wmb(DEVICE);
                seen++;
                store(DEVICE, USED_IDX, seen)
            }
            fence(DEVICE);
            load(DEVICE, USED_EVENT, value);
            if
            :: asked(value, seen, 1) -> interrupt = true
            :: else
            fi
        :: else ->
#ifdef EVENT
            store(DEVICE, AVAIL_EVENT, seen);
#else
            store(DEVICE, AVAIL_EVENT, 0);
#endif
            fence(DEVICE);
            load(DEVICE, AVAIL, value);
            if
            :: value == seen ->
end:            kick;
                kick = false
            :: else
            fi;
#ifndef EVENT
            store(DEVICE, AVAIL_EVENT, SUPPRESSED)
#endif
        fi
    od
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packed ring of SIZE descriptors (virtio 1.3 §2.8), and ALL buffers of one that go round:
 * virtio/virtqueue_packed.c on the driver's side, with virtqueue_kick(), and a device that keeps the rules.
 * Without one of the barriers (NO_...) a wrong descriptor is read, or both sides sleep while there is work.
 */
#ifndef ALL
#define ALL 2
#endif
#ifndef SIZE
#define SIZE 2
#endif
#define BODY 0  /* 2: address, length and id: which buffer, and whether it was used */
#define FLAGS 2 /* 2 */
#define DRIVER_PLACE 4 /* the descriptor that an interrupt is asked for */
#define DRIVER_FLAGS 5
#define DEVICE_PLACE 6 /* the descriptor that a notification is asked for */
#define DEVICE_FLAGS 7
#define PLACES 8
#include "memory.pml"

#define LAP(n) ((n) / SIZE % 2)
#define AVAILABLE(n) (1 + LAP(n))
#define IS_USED(n) (3 + LAP(n))
#define USED_BODY 100

/* Of DRIVER_FLAGS and DEVICE_FLAGS */
#define ENABLE 0
#define DISABLE 1
#define AT_PLACE 2

bool kick, interrupt;

active proctype visible()
{
    byte k;
end:
    do
    :: becomes_visible(DRIVER, BODY)
#if SIZE > 1
    :: becomes_visible(DRIVER, BODY + 1)
#endif
    :: becomes_visible(DRIVER, FLAGS)
#if SIZE > 1
    :: becomes_visible(DRIVER, FLAGS + 1)
#endif
    :: becomes_visible(DRIVER, DRIVER_PLACE)
    :: becomes_visible(DRIVER, DRIVER_FLAGS)
    :: becomes_visible(DEVICE, BODY)
#if SIZE > 1
    :: becomes_visible(DEVICE, BODY + 1)
#endif
    :: becomes_visible(DEVICE, FLAGS)
#if SIZE > 1
    :: becomes_visible(DEVICE, FLAGS + 1)
#endif
    :: becomes_visible(DEVICE, DEVICE_PLACE)
    :: becomes_visible(DEVICE, DEVICE_FLAGS)
    od
}

active proctype early_loads()
{
end:
    do
    :: is_loaded_early(DRIVER, BODY)
#if SIZE > 1
    :: is_loaded_early(DRIVER, BODY + 1)
#endif
    :: is_loaded_early(DRIVER, FLAGS)
#if SIZE > 1
    :: is_loaded_early(DRIVER, FLAGS + 1)
#endif
    :: is_loaded_early(DRIVER, DEVICE_PLACE)
    :: is_loaded_early(DRIVER, DEVICE_FLAGS)
    od
}

inline wants_kick()
{
    load(DRIVER, DEVICE_FLAGS, value);
    wanted = value == ENABLE;
    if
    :: value == AT_PLACE ->
#ifndef NO_EVENT_RMB
        rmb(DRIVER);
#endif
        load(DRIVER, DEVICE_PLACE, value);
        wanted = value < added && value + unkicked >= added
    :: else
    fi
}

active proctype driver()
{
    byte k, added, taken, unkicked, value;
    bool wanted, idle;

    do
    :: added < ALL && added - taken < SIZE ->
again:  atomic { /* write_direct(): nobody sees these stores as they are made, but as they become visible */
            store(DRIVER, BODY + added % SIZE, added + 1);
#ifndef NO_ADD_WMB
            wmb(DRIVER);
#endif
            store(DRIVER, FLAGS + added % SIZE, AVAILABLE(added));
            added++;
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
        wants_kick();
#if defined(WEAK) && !defined(POLLED)
        if
        :: !wanted ->
#ifndef NO_KICK_FENCE
            fence(DRIVER);
#endif
#ifndef NO_KICK_AGAIN
            wants_kick()
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
        load(DRIVER, FLAGS + taken % SIZE, value);
        if
        :: value == IS_USED(taken) ->
#ifndef NO_USED_RMB
            rmb(DRIVER);
#endif
            load(DRIVER, BODY + taken % SIZE, value);
            assert(value == USED_BODY + taken);
            taken++
        :: else ->
            /* interrupts_on() */
#ifdef EVENT
            atomic {
                store(DRIVER, DRIVER_PLACE, taken);
#ifndef NO_EVENT_WMB
                wmb(DRIVER);
#endif
                store(DRIVER, DRIVER_FLAGS, AT_PLACE)
            }
#else
            store(DRIVER, DRIVER_FLAGS, ENABLE);
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
            load(DRIVER, FLAGS + taken % SIZE, value);
#endif
            idle = value != IS_USED(taken);
#ifdef POLLED
#ifndef NO_LOOK_AGAIN
            if
            :: unkicked != 0 -> /* virtqueue_kick_again() */
                mb_of_driver();
                wants_kick();
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
            store(DRIVER, DRIVER_FLAGS, DISABLE) /* interrupts_off() */
        fi
    :: taken == ALL -> break
    od
}

active proctype device()
{
    byte k, seen, value;

    do
    :: load(DEVICE, FLAGS + seen % SIZE, value);
        if
        :: value == AVAILABLE(seen) ->
            rmb(DEVICE);
            load(DEVICE, BODY + seen % SIZE, value);
            assert(value == seen + 1); /* not a descriptor from before */
            atomic {
                store(DEVICE, BODY + seen % SIZE, USED_BODY + seen);
                wmb(DEVICE);
                store(DEVICE, FLAGS + seen % SIZE, IS_USED(seen));
                seen++
            }
            fence(DEVICE);
            load(DEVICE, DRIVER_FLAGS, value);
            if
            :: value == AT_PLACE ->
                rmb(DEVICE);
                load(DEVICE, DRIVER_PLACE, value);
                value = (value + 1 == seen -> ENABLE : DISABLE)
            :: else
            fi;
            if
            :: value == ENABLE -> interrupt = true
            :: else
            fi
        :: else ->
#ifdef EVENT
            atomic {
                store(DEVICE, DEVICE_PLACE, seen);
                wmb(DEVICE);
                store(DEVICE, DEVICE_FLAGS, AT_PLACE)
            }
#else
            store(DEVICE, DEVICE_FLAGS, ENABLE);
#endif
            fence(DEVICE);
            load(DEVICE, FLAGS + seen % SIZE, value);
            if
            :: value != AVAILABLE(seen) ->
end:            kick;
                kick = false
            :: else
            fi;
            store(DEVICE, DEVICE_FLAGS, DISABLE)
        fi
    od
}

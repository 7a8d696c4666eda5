/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that two sides share, as weak as a processor may make it: a store becomes visible at any later time,
 * in any order with stores to other places, and a load may have been made at any earlier time. Only barriers
 * order them:
 *   wmb   stores before it become visible before stores after it
 *   rmb   loads after it are made after it
 *   mb    both, and stores before it are visible before loads after it are made
 * With WEAK the driver's mb does not wait for its stores: an emulator has left the barrier out, and its host
 * orders stores with stores and loads with loads only. fence, which reads a device register, does wait.
 */
#define DRIVER 0
#define DEVICE 1
#define BIT(place) (1 << (place))
#define AT(s, place) ((s) * PLACES + (place))

byte memory[PLACES];
byte stored[2 * PLACES]; /* by the side, and on its way to memory */
short after[2 * PLACES]; /* what has to be visible before it */
short pending[2];        /* places with such a store */
short fenced[2];         /* of these, what was stored before the side's last write barrier */
short early[2];          /* places that the side has loaded before it asked for them */
byte loaded[2 * PLACES];

inline store(s, place, value)
{
    atomic {
        !(fenced[s] & BIT(place));
        stored[AT(s, place)] = value;
        pending[s] = pending[s] | BIT(place);
        after[AT(s, place)] = fenced[s];
        loaded[AT(s, place)] = 0;
        early[s] = early[s] & ~BIT(place)
    }
}

inline load(s, place, to)
{
    d_step {
        if
        :: early[s] & BIT(place) ->
            to = loaded[AT(s, place)];
            loaded[AT(s, place)] = 0;
            early[s] = early[s] & ~BIT(place)
        :: else ->
            to = (pending[s] & BIT(place) -> stored[AT(s, place)] : memory[place])
        fi
    }
}

inline wmb(s)
{
    fenced[s] = pending[s]
}

inline rmb(s)
{
    d_step {
        early[s] = 0;
        for (k : 0 .. PLACES - 1) {
            loaded[AT(s, k)] = 0
        }
        k = 0
    }
}

inline fence(s)
{
    atomic {
        pending[s] == 0;
        rmb(s)
    }
}

#ifdef WEAK
#define mb_of_driver() wmb(DRIVER); rmb(DRIVER)
#else
#define mb_of_driver() fence(DRIVER)
#endif

inline becomes_visible(s, place)
{
    d_step {
        pending[s] & BIT(place) && after[AT(s, place)] == 0;
        memory[place] = stored[AT(s, place)];
        stored[AT(s, place)] = 0;
        pending[s] = pending[s] & ~BIT(place);
        fenced[s] = fenced[s] & ~BIT(place);
        for (k : 0 .. PLACES - 1) {
            after[AT(s, k)] = after[AT(s, k)] & ~BIT(place)
        }
        k = 0
    }
}

inline is_loaded_early(s, place)
{
    d_step {
        !(early[s] & BIT(place)) && !(pending[s] & BIT(place));
        loaded[AT(s, place)] = memory[place];
        early[s] = early[s] | BIT(place)
    }
}

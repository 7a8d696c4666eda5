/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reading of the timer is made at a moment between two readings of the counter, and its count stands
 * for a whole tick. So each two readings give a lowest and a highest rate, however long the host
 * stopped the emulator in between. The measurement narrows these until they are close enough. A lowest
 * rate above the highest shows that a counter jumped, or that the timer missed a period.
 */
#include "arch/calibration.h"
#include "arch/arch.h"

enum {
    PIT_CHANNEL2 = 0x42,
    PIT_CHANNEL2_ONCE = 0xb0, /* low and high byte, mode 0: interrupt on terminal count */
    PIT_CHANNEL2_LATCH = 0x80,
    PORT_B = 0x61, /* bit 0: gate of channel 2, bit 1: speaker, bit 5: output of channel 2 */
    PORT_B_GATE = 0x01,
    PORT_B_SPEAKER = 0x02,
    PORT_B_OUTPUT = 0x20,
    COUNT_FIRST = 0xffff,

    EARLY = 8,            /* readings that all later ones are compared with */
    WINDOW = PIT_HZ / 50, /* 20 ms; the timer reaches its end after 55 ms */
    READINGS = 20000,     /* limit of a run; 20 ms take some 5000 */
    RUNS_FINE = 12,
    RUNS_COARSE = 8,
    FINE = 1000, /* `most` is above `least` by a part in so many */
    COARSE = 16,
    COARSE_LAG = 256, /* ticks. A browser's emulator has a timer that stands for 0.1 ms at a time */
};

#define UNKNOWN UINT32_MAX
#define CYCLES_MAX (1ull << 40) /* so that the products fit in 64 bits */

struct reading {
    uint64_t before, after;
    uint32_t ticks; /* since the start */
};

static void start_timer(void)
{
    arch_io_write8(PORT_B, (uint8_t)((arch_io_read8(PORT_B) & ~PORT_B_SPEAKER) | PORT_B_GATE));
    arch_io_write8(PIT_COMMAND, PIT_CHANNEL2_ONCE);
    arch_io_write8(PIT_CHANNEL2, COUNT_FIRST & 0xff);
    arch_io_write8(PIT_CHANNEL2, COUNT_FIRST >> 8);
}

static bool has_ended(void)
{
    return arch_io_read8(PORT_B) & PORT_B_OUTPUT;
}

static struct reading take_reading(void)
{
    struct reading r;

    r.before = arch_counter();
    arch_io_write8(PIT_COMMAND, PIT_CHANNEL2_LATCH);
    r.after = arch_counter();
    r.ticks = arch_io_read8(PIT_CHANNEL2);
    r.ticks = COUNT_FIRST - (r.ticks | (uint32_t)arch_io_read8(PIT_CHANNEL2) << 8);
    return r;
}

static uint64_t khz(uint64_t cycles, uint32_t ticks)
{
    return cycles * PIT_HZ / (1000ull * ticks);
}

/*
 * Narrows the rate by two readings. lag: ticks by which the timer's count may be late. Returns false if
 * one of the readings is wrong.
 */
static bool narrow(struct calibration *rate, const struct reading *from, const struct reading *to,
                   uint32_t lag)
{
    uint32_t ticks = to->ticks - from->ticks;
    uint64_t least = 0, most = rate->most;

    if (to->ticks < from->ticks || to->before < from->after ||
        to->after - from->before > CYCLES_MAX) {
        return false;
    }
    /* The counter's values stand for a whole cycle, too. */
    if (to->before > from->after) {
        least = khz(to->before - from->after - 1, ticks + lag + 1);
    }
    if (ticks > lag + 1) {
        most = khz(to->after - from->before + 1, ticks - lag - 1) + 1;
    }
    if (most < rate->most) {
        rate->most = (uint32_t)most;
    }
    if (least > rate->most) {
        return false;
    }
    if (least > rate->least) {
        rate->least = (uint32_t)least;
    }
    return rate->least <= rate->most;
}

static bool is_within(const struct calibration *rate, uint32_t part)
{
    return rate->most != UNKNOWN && rate->most - rate->least <= rate->least / part;
}

static bool run(struct calibration *rate, uint32_t lag, uint32_t part)
{
    struct reading early[EARLY] = {0};
    bool enough = false;

    *rate = (struct calibration){0, UNKNOWN};
    start_timer();
    for (unsigned i = 0; i < READINGS && !enough; i++) {
        struct reading r = take_reading();

        for (unsigned j = 0; j < i && j < EARLY; j++) {
            if (!narrow(rate, &early[j], &r, lag)) {
                return false;
            }
        }
        if (i < EARLY) {
            early[i] = r;
        } else {
            enough = is_within(rate, FINE) || r.ticks >= WINDOW;
        }
    }
    return is_within(rate, part) && !has_ended();
}

bool calibration_measure(struct calibration *rate)
{
    for (unsigned i = 0; i < RUNS_FINE; i++) {
        if (run(rate, 0, FINE)) {
            return rate->least >= CALIBRATION_KHZ_MIN;
        }
    }
    for (unsigned i = 0; i < RUNS_COARSE; i++) {
        if (run(rate, COARSE_LAG, COARSE)) {
            return rate->least >= CALIBRATION_KHZ_MIN;
        }
    }
    return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock is the time base. The decrementer, which counts the same cycles, makes the tick. The
 * rate is measured against channel 0 of the 8254 timer.
 */
#include "arch/arch.h"
#include "arch/ppc/internal.h"

enum {
    PIT_HZ = 1193182,
    PIT_CHANNEL0 = 0x40,
    PIT_COMMAND = 0x43,
    PIT_CHANNEL0_RATE = 0x34, /* low and high byte, mode 2: rate generator */
    PIT_CHANNEL0_ONCE = 0x30, /* mode 0: one interrupt, at the end of the count */
    PIT_CHANNEL0_LATCH = 0x00,
    PIT_PERIOD = 0x10000,
    MEASURED_COUNT = PIT_HZ / 500, /* 2 ms */
    MEASURE_ATTEMPTS = 10,
    EXACT_PER_MILLE = 2, /* tolerance of a measurement */
    QEMU_KHZ = 100000,   /* of all QEMU's PReP machines */
    LEAST_KHZ = 1000,
    TICKS_RESTING = 10, /* a second */
};

static uint32_t khz;
static uint64_t start;
static uint32_t ns_factor; /* nanoseconds are cycles * ns_factor >> ns_shift */
static unsigned ns_shift;
static uint32_t cycles_per_tick;

static uint32_t read_time_base_upper(void)
{
    uint32_t high;

    __asm__ volatile("mftbu %0" : "=r"(high)::"memory");
    return high;
}

static uint64_t read_time_base(void)
{
    uint32_t high, low;

    do {
        high = read_time_base_upper();
        __asm__ volatile("mftb %0" : "=r"(low)::"memory");
    } while (high != read_time_base_upper());
    return (uint64_t)high << 32 | low;
}

/* The timer's count, and the time base before and after reading it. */
struct sample {
    uint64_t before, after;
    uint16_t count;
};

static struct sample take_sample(void)
{
    struct sample s;

    s.before = read_time_base();
    arch_io_write8(PIT_COMMAND, PIT_CHANNEL0_LATCH);
    s.after = read_time_base();
    s.count = arch_io_read8(PIT_CHANNEL0);
    s.count = (uint16_t)(s.count | arch_io_read8(PIT_CHANNEL0) << 8);
    return s;
}

/*
 * Measures the time base's rate. Returns kHz, or 0 if the timer does not count or the emulator was
 * interrupted.
 */
static uint32_t measure(void)
{
    struct sample first = take_sample();
    struct sample last = first;
    uint64_t cycles;

    for (unsigned i = 0; (uint16_t)(first.count - last.count) < MEASURED_COUNT; i++) {
        if (i == 100000) {
            return 0;
        }
        last = take_sample();
    }
    cycles = last.before - first.before;
    if ((first.after - first.before + last.after - last.before) * 1000 > cycles * EXACT_PER_MILLE) {
        return 0;
    }
    return (uint32_t)(cycles * PIT_HZ / (uint16_t)(first.count - last.count) / 1000);
}

/* Whether two rates are the same within the tolerance of each. */
static bool are_equal(uint32_t one, uint32_t other)
{
    return (one > other ? one - other : other - one) <= other / 1000 * EXACT_PER_MILLE;
}

/*
 * Another rate than QEMU's counts when it was measured twice in a row. An emulator that is stopped
 * for longer than the timer's period misses a whole one.
 */
static uint32_t calibrate(void)
{
    uint32_t before = 0;

    arch_io_write8(PIT_COMMAND, PIT_CHANNEL0_RATE);
    arch_io_write8(PIT_CHANNEL0, PIT_PERIOD & 0xff);
    arch_io_write8(PIT_CHANNEL0, PIT_PERIOD >> 8 & 0xff);
    for (unsigned i = 0; i < MEASURE_ATTEMPTS; i++) {
        uint32_t measured = measure();

        if (are_equal(measured, QEMU_KHZ)) {
            break;
        }
        if (measured >= LEAST_KHZ && are_equal(measured, before)) {
            return measured;
        }
        before = measured;
    }
    return QEMU_KHZ;
}

static void set_decrementer(uint32_t cycles)
{
    __asm__ volatile("mtdec %0" ::"r"(cycles));
}

/*
 * The decrementer continues below zero, so a tick that is handled late does not delay the next one.
 */
void ppc_handle_decrementer(void)
{
    int32_t left;

    __asm__ volatile("mfdec %0" : "=r"(left));
    left += (int32_t)cycles_per_tick;
    set_decrementer(left > 0 ? (uint32_t)left : cycles_per_tick);
}

/* Without a count the timer does nothing more, which spares the emulator its own ticks. */
static void stop_timer(void)
{
    arch_io_write8(PIT_COMMAND, PIT_CHANNEL0_ONCE);
}

void arch_clock_rest(bool rest)
{
    cycles_per_tick = khz * (1000u / (rest ? TICKS_RESTING : ARCH_TICK_HZ));
    set_decrementer(cycles_per_tick);
}

void arch_clock_init(void)
{
    khz = calibrate();
    stop_timer();
    /* Uses the largest shift for which the factor fits in 32 bits, for the best precision. */
    ns_shift = 32;
    while (((uint64_t)1000000 << ns_shift) / khz > UINT32_MAX) {
        ns_shift--;
    }
    ns_factor = (uint32_t)(((uint64_t)1000000 << ns_shift) / khz);
    arch_clock_rest(false);
    start = read_time_base();
}

uint64_t arch_clock_ns(void)
{
    uint64_t cycles = read_time_base() - start;

    return ((uint64_t)(uint32_t)cycles * ns_factor >> ns_shift) +
           ((cycles >> 32) * ns_factor << (32 - ns_shift));
}

const char *arch_clock_name(void)
{
    return "time base";
}

uint32_t arch_clock_khz(void)
{
    return khz;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock. Channel 0 of the 8254 timer ticks ARCH_TICK_HZ times a second. The time comes from the
 * time-stamp counter, which is calibrated against channel 2. A processor without one (before the
 * Pentium) counts ticks and reads the timer between them.
 */
#include "arch/arch.h"
#include "arch/i386/internal.h"

enum {
    PIT_HZ = 1193182,
    PIT_CHANNEL0 = 0x40,
    PIT_CHANNEL2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_CHANNEL0_RATE = 0x34, /* low and high byte, mode 2: rate generator */
    PIT_CHANNEL2_ONCE = 0xb0, /* low and high byte, mode 0: interrupt on terminal count */
    PIT_CHANNEL0_LATCH = 0x00,
    PIT_CHANNEL2_LATCH = 0x80,
    PIT_RELOAD = PIT_HZ / ARCH_TICK_HZ,
    PIT_RELOAD_MAX = 0, /* 65,536: 18 ticks a second */
    PORT_B = 0x61,      /* bit 0: gate of channel 2, bit 1: speaker, bit 5: output of channel 2 */
    PIC1_COMMAND = 0x20,
    PIC_OCW3_READ_IRR = 0x0a,
    CALIBRATION_RUNS = 20, /* attempts to get an undisturbed run */
    CALIBRATION_SAMPLES = 5,
    CALIBRATION_COUNT = PIT_HZ / 100, /* 10 ms */
    CALIBRATION_READINGS = 100000,    /* limit; 10 ms take some 10,000 readings */
    CPUID_EDX_TSC = 1 << 4,
};

static bool have_tsc;
static uint32_t tsc_khz;
static uint64_t tsc_start;
static uint32_t ns_factor; /* nanoseconds are cycles * ns_factor >> ns_shift */
static unsigned ns_shift;
static volatile uint32_t ticks;

static uint64_t read_tsc(void)
{
    uint64_t value;

    __asm__ volatile("rdtsc" : "=A"(value)::"memory");
    return value;
}

static bool detect_tsc(void)
{
    struct i386_cpuid id;

    return i386_cpuid(1, &id) && id.edx & CPUID_EDX_TSC;
}

/* A reading of both counters at one moment. */
struct sample {
    uint64_t tsc;
    uint16_t count;
};

/*
 * Takes the reading that was interrupted for the shortest time, as an emulator may stop in between.
 */
static struct sample take_sample(void)
{
    struct sample best = {0};
    uint64_t shortest = UINT64_MAX;

    for (unsigned i = 0; i < CALIBRATION_SAMPLES; i++) {
        uint64_t before = read_tsc();
        uint64_t after;
        uint16_t count;

        arch_io_write8(PIT_COMMAND, PIT_CHANNEL2_LATCH);
        after = read_tsc();
        count = arch_io_read8(PIT_CHANNEL2);
        count |= (uint16_t)(arch_io_read8(PIT_CHANNEL2) << 8);
        if (after - before < shortest) {
            shortest = after - before;
            best = (struct sample){before + shortest / 2, count};
        }
    }
    return best;
}

/* Samples until the timer has counted half of a calibration since `from`. Returns false if the channel
 * reached its end (after 55 ms) or does not count. */
static bool wait_half(const struct sample *from, struct sample *to)
{
    unsigned left = CALIBRATION_READINGS;

    do {
        *to = take_sample();
        left--;
    } while (from->count - to->count < CALIBRATION_COUNT / 2 && left != 0 &&
             !(arch_io_read8(PORT_B) & 0x20));
    return left != 0 && !(arch_io_read8(PORT_B) & 0x20);
}

static uint32_t rate(const struct sample *from, const struct sample *to)
{
    return (uint32_t)((to->tsc - from->tsc) * (PIT_HZ / 1000) /
                      (unsigned)(from->count - to->count));
}

/*
 * Measures the rate of the time-stamp counter against the timer's channel 2. Returns kHz, or 0 if that
 * could not be measured, or if one half of the time says something else than the other: in an emulator
 * on a busy machine a sample may be wrong.
 */
static uint32_t calibrate_once(void)
{
    struct sample start, middle, end;
    uint32_t first, second;

    arch_io_write8(PORT_B, (uint8_t)((arch_io_read8(PORT_B) & ~2u) | 1u));
    arch_io_write8(PIT_COMMAND, PIT_CHANNEL2_ONCE);
    arch_io_write8(PIT_CHANNEL2, 0xff);
    arch_io_write8(PIT_CHANNEL2, 0xff);
    start = take_sample();
    if (!wait_half(&start, &middle) || !wait_half(&middle, &end)) {
        return 0;
    }
    first = rate(&start, &middle);
    second = rate(&middle, &end);
    return (first > second ? first - second : second - first) <= first / 8 ? rate(&start, &end) : 0;
}

static uint32_t calibrate(void)
{
    uint32_t khz = 0;

    for (unsigned i = 0; i < CALIBRATION_RUNS && khz == 0; i++) {
        khz = calibrate_once();
    }
    return khz;
}

/* Uses the largest shift for which the factor fits in 32 bits, for the best precision. */
static void set_tsc_rate(uint32_t khz)
{
    tsc_khz = khz;
    ns_shift = 32;
    while (((uint64_t)1000000 << ns_shift) / khz > UINT32_MAX) {
        ns_shift--;
    }
    ns_factor = (uint32_t)(((uint64_t)1000000 << ns_shift) / khz);
}

static bool tick(void *context)
{
    (void)context;
    ticks++;
    return true;
}

static void set_tick(uint16_t reload)
{
    arch_io_write8(PIT_COMMAND, PIT_CHANNEL0_RATE);
    arch_io_write8(PIT_CHANNEL0, reload & 0xff);
    arch_io_write8(PIT_CHANNEL0, reload >> 8);
}

void arch_clock_init(void)
{
    have_tsc = detect_tsc();
    if (have_tsc) {
        uint32_t khz = calibrate();

        have_tsc = khz != 0;
        if (have_tsc) {
            set_tsc_rate(khz);
            tsc_start = read_tsc();
        }
    }
    set_tick(PIT_RELOAD);
    arch_irq_register(I386_TICK_LINE, tick, NULL);
}

void arch_clock_rest(bool rest)
{
    if (have_tsc) {
        set_tick(rest ? PIT_RELOAD_MAX : PIT_RELOAD);
    }
}

static uint64_t tsc_ns(void)
{
    uint64_t cycles = read_tsc() - tsc_start;

    return ((uint64_t)(uint32_t)cycles * ns_factor >> ns_shift) +
           ((cycles >> 32) * ns_factor << (32 - ns_shift));
}

/* With interrupts off, a tick may be due but not counted yet. The request register shows it. */
static uint64_t timer_ns(void)
{
    static uint64_t last;
    bool enabled = arch_interrupts_save();
    uint32_t count;
    uint64_t now;
    bool due;

    arch_io_write8(PIT_COMMAND, PIT_CHANNEL0_LATCH);
    count = arch_io_read8(PIT_CHANNEL0);
    count |= (uint32_t)arch_io_read8(PIT_CHANNEL0) << 8;
    arch_io_write8(PIC1_COMMAND, PIC_OCW3_READ_IRR);
    due = arch_io_read8(PIC1_COMMAND) & 1u << I386_TICK_LINE;
    now = (uint64_t)(ticks + due) * PIT_RELOAD + (PIT_RELOAD - count);
    now = now * 1000000 / (PIT_HZ / 1000);
    if (now < last) {
        now = last; /* the tick became due between the two readings */
    }
    last = now;
    arch_interrupts_restore(enabled);
    return now;
}

uint64_t arch_clock_ns(void)
{
    return have_tsc ? tsc_ns() : timer_ns();
}

const char *arch_clock_name(void)
{
    return have_tsc ? "TSC" : "8254 timer";
}

uint32_t arch_clock_khz(void)
{
    return have_tsc ? tsc_khz : PIT_HZ / 1000;
}

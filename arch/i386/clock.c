/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock. Channel 0 of the 8254 timer ticks ARCH_TICK_HZ times a second. The time comes from the
 * time-stamp counter, which is calibrated (arch/calibration.c). A processor without one (before the
 * Pentium) counts ticks and reads the timer between them.
 */
#include "arch/arch.h"
#include "arch/calibration.h"
#include "arch/i386/internal.h"

enum {
    PIT_CHANNEL0 = 0x40,
    PIT_CHANNEL0_RATE = 0x34, /* low and high byte, mode 2: rate generator */
    PIT_CHANNEL0_LATCH = 0x00,
    PIT_RELOAD = PIT_HZ / ARCH_TICK_HZ,
    PIT_RELOAD_MAX = 0, /* 65,536: 18 ticks a second */
    PIC1_COMMAND = 0x20,
    PIC_OCW3_READ_IRR = 0x0a,
    CPUID_EDX_TSC = 1 << 4,
};

static bool have_tsc;
static uint32_t tsc_khz;
static uint64_t tsc_start;
static uint32_t ns_factor; /* for cycles_ns() */
static volatile uint32_t ticks;

static bool detect_tsc(void)
{
    struct i386_cpuid id;

    return i386_cpuid(1, &id) && id.edx & CPUID_EDX_TSC;
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
        struct calibration rate;

        have_tsc = calibration_measure(&rate);
        if (have_tsc) {
            tsc_khz = rate.least + (rate.most - rate.least) / 2;
            ns_factor = cycles_factor(tsc_khz);
            tsc_start = arch_counter();
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
    return have_tsc ? cycles_ns(arch_counter() - tsc_start, ns_factor) : timer_ns();
}

const char *arch_clock_name(void)
{
    return have_tsc ? "TSC" : "8254 timer";
}

uint32_t arch_clock_khz(void)
{
    return have_tsc ? tsc_khz : PIT_HZ / 1000;
}

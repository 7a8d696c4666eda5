/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock is the time base, whose rate is calibrated (arch/calibration.c). The decrementer, which
 * counts the same cycles, makes the tick.
 */
#include "arch/arch.h"
#include "arch/calibration.h"
#include "arch/ppc/internal.h"

enum {
    PIT_CHANNEL0_ONCE = 0x30, /* mode 0: one interrupt, at the end of the count */
    QEMU_KHZ = 100000,        /* of all QEMU's PReP machines */
    TICKS_RESTING = 10,       /* a second */
};

static uint32_t khz;
static uint64_t start;
static uint32_t ns_factor; /* for cycles_ns() */
static uint32_t cycles_per_tick;

/*
 * QEMU's rate is known exactly, so it is taken if the measurement allows it, or if there is none: no
 * PReP machine has a time base below CALIBRATION_KHZ_MIN.
 */
static uint32_t calibrate(void)
{
    struct calibration rate;

    if (!calibration_measure(&rate) || (rate.least <= QEMU_KHZ && QEMU_KHZ <= rate.most)) {
        return QEMU_KHZ;
    }
    return rate.least + (rate.most - rate.least) / 2;
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
    ns_factor = cycles_factor(khz);
    arch_clock_rest(false);
    start = arch_counter();
}

uint64_t arch_clock_ns(void)
{
    return cycles_ns(arch_counter() - start, ns_factor);
}

const char *arch_clock_name(void)
{
    return "time base";
}

uint32_t arch_clock_khz(void)
{
    return khz;
}

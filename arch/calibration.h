/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures the rate of the processor's counter, arch_counter(), against channel 2 of the 8254 timer. */
#ifndef CALIBRATION_H
#define CALIBRATION_H

#include <stdbool.h>
#include <stdint.h>

enum { PIT_HZ = 1193182, PIT_COMMAND = 0x43 };

/*
 * The lowest rate that is taken for one, kHz. With the shift below, the factor of any higher rate
 * fits in 32 bits, and is right to one part in a million up to 4 GHz.
 */
enum { CALIBRATION_KHZ_MIN = 1000, CYCLES_SHIFT = 22 };

/* kHz: the rate is not below `least` and not above `most`. */
struct calibration {
    uint32_t least, most;
};

/*
 * Returns false if the rate could not be measured, or is below CALIBRATION_KHZ_MIN. Takes some 2 ms,
 * longer on a busy host.
 */
bool calibration_measure(struct calibration *rate);

/* The factor for cycles_ns() of a counter of that rate, at least CALIBRATION_KHZ_MIN. */
static inline uint32_t cycles_factor(uint32_t khz)
{
    return (uint32_t)(((uint64_t)1000000 << CYCLES_SHIFT) / khz);
}

/*
 * The nanoseconds that so many cycles take. The shift is a constant, because 32-bit processors need a
 * branch to shift 64 bits by a variable.
 */
static inline uint64_t cycles_ns(uint64_t cycles, uint32_t factor)
{
    return ((uint64_t)(uint32_t)cycles * factor >> CYCLES_SHIFT) +
           ((cycles >> 32) * factor << (32 - CYCLES_SHIFT));
}

#endif

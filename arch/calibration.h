/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures the rate of the processor's counter, arch_counter(), against channel 2 of the 8254 timer. */
#ifndef CALIBRATION_H
#define CALIBRATION_H

#include <stdbool.h>
#include <stdint.h>

enum { PIT_HZ = 1193182, PIT_COMMAND = 0x43 };

/* kHz: the rate is not below `least` and not above `most`. */
struct calibration {
    uint32_t least, most;
};

/* Returns false if the rate could not be measured. Takes some 2 ms, longer on a busy host. */
bool calibration_measure(struct calibration *rate);

#endif

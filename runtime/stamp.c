/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/stamp.h"

#include <string.h>

#include "arch/arch.h"

static bool on;
static uint64_t current[STAMP_POINTS];
static uint64_t last[STAMP_POINTS];

void stamp_start(void)
{
    on = true;
}

/* At the end of a pass, the stamps are kept only if a packet reached the application. */
void stamp(enum stamp_point point)
{
    if (!on) {
        return;
    }
    current[point] = arch_clock_ns();
    if (point == STAMP_END) {
        if (current[STAMP_APPLICATION] != 0) {
            memcpy(last, current, sizeof last);
        }
        memset(current, 0, sizeof current);
    }
}

const uint64_t *stamp_last(void)
{
    return last;
}

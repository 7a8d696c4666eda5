/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP's timers, each at its interval: LWIP_TIMERS_CUSTOM. Its own implementation allocates a
 * structure whenever one is set, and stops the program where there is no memory for it.
 */
#include <stdint.h>

#include "lwip/opt.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"

enum { TIMERS_MAX = 16 };

static uint32_t due[TIMERS_MAX]; /* sys_now() at which each is to run next */

void sys_timeouts_init(void)
{
    LWIP_ASSERT("room for all timers", lwip_num_cyclic_timers <= TIMERS_MAX);
    for (int i = 0; i < lwip_num_cyclic_timers; i++) {
        due[i] = sys_now() + lwip_cyclic_timers[i].interval_ms;
    }
}

void sys_check_timeouts(void)
{
    uint32_t now = sys_now();

    for (int i = 0; i < lwip_num_cyclic_timers; i++) {
        uint32_t interval = lwip_cyclic_timers[i].interval_ms;
        uint32_t late = now - due[i];

        if (late > INT32_MAX) {
            continue; /* it is not due yet */
        }
        due[i] += late < interval ? interval : late + interval; /* what was missed is left out */
        lwip_cyclic_timers[i].handler();
    }
}

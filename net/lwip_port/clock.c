/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP's clock. Runs the timers that are due. */
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "net/lwip_port/interface_internal.h"

/* The time of the current pass: the clock is read once per pass. */
static uint32_t now_ms;
static uint64_t now_ms_ns; /* the value of the clock, in ns, at which now_ms began */

static void advance_clock(uint64_t now_ns)
{
    const uint32_t ms = 1000000;
    uint64_t passed = now_ns - now_ms_ns;
    uint64_t passed_ms;

    if (passed < ms) {
        return;
    }
    passed_ms = passed <= UINT32_MAX ? (uint32_t)passed / ms : passed / ms; /* mostly 32 bits */
    now_ms += (uint32_t)passed_ms;
    now_ms_ns += passed_ms * ms;
}

void port_clock_start(uint64_t now_ns)
{
    advance_clock(now_ns);
}

uint32_t sys_now(void)
{
    return now_ms;
}

void lwip_port_timers(uint64_t now_ns)
{
    uint32_t before = now_ms;

    advance_clock(now_ns);
    if (now_ms != before) {
        sys_check_timeouts();
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP's timers, each at its interval, and what is to happen once: LWIP_TIMERS_CUSTOM. Its own
 * implementation allocates a structure whenever one is set, and stops the program where there is no
 * memory for it.
 */
#include <stdint.h>

#include "lwip/opt.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "net/lwip_port/guard.h"
#include "net/nic.h"

enum {
    TIMERS_MAX = 16,
    /* Of each card eleven of mDNS, DHCP's and conflict.c's two, and those of groups.c and vlan.c; of all,
     * mDNS's questions in several parts, and four of net/. */
    HANDLERS = 16 + 1 + 4,
    EACH_MAX = NIC_CARDS, /* of one handler */
    ONCE_MAX = HANDLERS * EACH_MAX,
};

static uint32_t due[TIMERS_MAX]; /* sys_now() at which each is to run next */

/* What is to happen once, in no order. */
static struct once {
    uint32_t due;
    sys_timeout_handler handler;
    void *argument;
} once[ONCE_MAX];
static unsigned once_count;

/* Anybody may send questions in several parts, and as many as he likes, each with a timer: those for
 * whose further parts there is no room are handled at once, without these. */
void sys_timeout(u32_t ms, sys_timeout_handler handler, void *argument)
{
    unsigned set = 0;

    for (unsigned i = 0; i < once_count; i++) {
        set += once[i].handler == handler;
    }
    if (set >= EACH_MAX) {
        handler(argument);
        return;
    }
    LWIP_ASSERT("room for a timer", once_count < ONCE_MAX);
    once[once_count++] = (struct once){sys_now() + ms, handler, argument};
}

void sys_untimeout(sys_timeout_handler handler, void *argument)
{
    for (unsigned i = 0; i < once_count; i++) {
        if (once[i].handler == handler && once[i].argument == argument) {
            once[i] = once[--once_count];
            return;
        }
    }
}

static void run_step(void *argument)
{
    const struct once *this = argument;

    this->handler(this->argument);
}

/* A handler may set and take back any. */
static void run_once(uint32_t now)
{
    for (unsigned i = 0; i < once_count;) {
        struct once this = once[i];

        if (now - this.due > INT32_MAX) {
            i++;
            continue;
        }
        once[i] = once[--once_count];
        guard_run(run_step, &this);
        i = 0;
    }
}

void sys_timeouts_init(void)
{
    LWIP_ASSERT("room for all timers", lwip_num_cyclic_timers <= TIMERS_MAX);
    for (int i = 0; i < lwip_num_cyclic_timers; i++) {
        due[i] = sys_now() + lwip_cyclic_timers[i].interval_ms;
    }
}

static void run_cyclic_step(void *argument)
{
    (*(const lwip_cyclic_timer_handler *)argument)();
}

static void run_cyclic(lwip_cyclic_timer_handler handler)
{
    if (handler == tcp_tmr) {
        guard_before_tcp_timer();
    }
    if (!guard_run(run_cyclic_step, &handler) && handler == tcp_tmr) {
        guard_after_tcp_timer();
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
        run_cyclic(lwip_cyclic_timers[i].handler);
    }
    run_once(now);
}

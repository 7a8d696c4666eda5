/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP's periodic timers and timeouts: LWIP_TIMERS_CUSTOM. lwIP's implementation allocates a
 * structure for each timeout, and stops the program if there is no memory for it.
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
    /*
     * Per card: eleven of mDNS, DHCP's, two of conflict.c, and those of groups.c and vlan.c. For
     * all: mDNS's multi-packet questions, and four of net/.
     */
    HANDLERS = 16 + 1 + 4,
    EACH_MAX = NIC_CARDS, /* per handler */
    ONCE_MAX = HANDLERS * EACH_MAX,
};

static uint32_t due[TIMERS_MAX]; /* sys_now() of each timer's next run */

/* Timeouts, in no order. */
static struct once {
    uint32_t due;
    sys_timeout_handler handler;
    void *argument;
} once[ONCE_MAX];
static unsigned once_count;

/*
 * Anybody may send any number of multi-packet questions, each with a timer. If there is no timer
 * left, the question is handled at once, without its further packets.
 */
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

/* A handler may set and cancel any timeout. */
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
        due[i] += late < interval ? interval : late + interval; /* missed intervals are skipped */
        run_cyclic(lwip_cyclic_timers[i].handler);
    }
    run_once(now);
}

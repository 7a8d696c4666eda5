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
     * all: mDNS's multi-packet questions, and five of net/.
     */
    HANDLERS = 16 + 1 + 5,
    EACH_MAX = NIC_CARDS, /* per handler */
    ONCE_MAX = HANDLERS * EACH_MAX,
};

static uint32_t due[TIMERS_MAX]; /* sys_now() of each timer's next run */
static uint32_t first_due;       /* no timer and no timeout is due before */

/* Timeouts, in no order. */
static struct once {
    uint32_t due;
    sys_timeout_handler handler;
    void *argument;
} once[ONCE_MAX];
static unsigned once_count;

static bool is_due(uint32_t time, uint32_t now)
{
    return now - time <= INT32_MAX;
}

static void expect(uint32_t time)
{
    if (is_due(time, first_due)) {
        first_due = time;
    }
}

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
    expect(sys_now() + ms);
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

        if (!is_due(this.due, now)) {
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
    first_due = sys_now();
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

/* Sets first_due anew. */
static void find_first_due(void)
{
    first_due = due[0];
    for (int i = 1; i < lwip_num_cyclic_timers; i++) {
        expect(due[i]);
    }
    for (unsigned i = 0; i < once_count; i++) {
        expect(once[i].due);
    }
}

void sys_check_timeouts(void)
{
    uint32_t now = sys_now();

    if (!is_due(first_due, now)) {
        return;
    }
    for (int i = 0; i < lwip_num_cyclic_timers; i++) {
        uint32_t interval = lwip_cyclic_timers[i].interval_ms;
        uint32_t late = now - due[i];

        if (!is_due(due[i], now)) {
            continue;
        }
        due[i] += late < interval ? interval : late + interval; /* missed intervals are skipped */
        run_cyclic(lwip_cyclic_timers[i].handler);
    }
    run_once(now);
    find_first_due();
}

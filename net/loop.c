/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/loop.h"

#include "arch/arch.h"
#include "net/cards.h"
#include "net/wait.h"
#include "runtime/stamp.h"

enum { BUDGET = 64 }; /* frames per pass: a quarter of the ring; then the replies are sent */

#define REST_NS UINT64_C(1000000000)

static struct loop_config config;
static struct net_poller *pollers;
static bool stopped;
static bool resting; /* the clock ticks slowly */
/*
 * A pause is good for the other thread of a processor. But in QEMU's TCG, where barriers are weak,
 * it waits for the lock that the device's thread holds, which doubles the time of a round trip.
 */
static bool pause_waits;
static struct net_counters counters;
static struct wait wait;
static volatile bool woken; /* set by interrupts: there is something to poll */

void loop_wake(void)
{
    woken = true;
}

const struct net_counters *net_counters(void)
{
    return &counters;
}

void net_add_poller(struct net_poller *poller)
{
    if (!poller->added) {
        poller->added = true;
        poller->next = pollers;
        pollers = poller;
    }
}

static bool run_pollers(void)
{
    bool busy = false;

    for (struct net_poller *poller = pollers; poller != NULL; poller = poller->next) {
        busy |= poller->poll(poller->context);
    }
    return busy;
}

static bool waits_for_room(void)
{
    for (unsigned i = 0; i < net_interface_count(); i++) {
        if (net_interface(i)->tx_full) {
            return true;
        }
    }
    return false;
}

/* Sleeps until an interrupt: of a card, or the clock's tick. */
static void sleep(void)
{
    bool pending = false;

    counters.sleeps++;
    woken = false;
    for (unsigned i = 0; i < net_interface_count(); i++) {
        const struct interface *interface = net_interface(i);

        pending |= interface->nic.driver->interrupts_on(interface->nic.state, interface->tx_full);
    }
    if (pending) {
        return; /* there is work that came before interrupts were enabled */
    }
    arch_interrupts_off();
    if (woken) {
        arch_interrupts_on();
    } else {
        arch_wait();
    }
}

/* The result of a pass. */
struct pass {
    unsigned frames; /* received */
    bool busy;       /* there was any work */
    bool sent;       /* frames were sent */
    bool more;       /* there is more: a poller has work, or a card reached its budget */
};

/*
 * True if the loop may sleep after a pass, which began at `now`. There is no idle pass before it,
 * since sleep() returns at once if work has come. Hybrid mode polls for a while if it has sent
 * something.
 */
static bool may_sleep(const struct pass *pass, uint64_t now)
{
    switch (config.mode) {
    case LOOP_POLL:
        return false;
    case LOOP_INTERRUPT:
        return !pass->more;
    default:
        return !wait_for_more(&wait, pass->frames != 0 ? pass->frames : pass->busy, pass->sent, now,
                              (uint64_t)config.poll_us * 1000) &&
               !pass->more;
    }
}

/* The parts of a pass. */
enum share { RECEIVE, TIMERS, SERVICES, FLUSH, SHARES };
static uint64_t shares[SHARES]; /* of the current pass in ns, if it is timed */

/* Ends a part of the pass and begins the next. */
static void end_share(enum share share, uint64_t *since)
{
    if (config.timed) {
        uint64_t now = arch_clock_ns();

        shares[share] = now - *since;
        *since = now;
    }
}

static struct pass run_once(uint64_t now)
{
    struct pass pass = {0};
    uint64_t since = now;

    stamp(STAMP_PASS);
    for (unsigned i = 0; i < net_interface_count(); i++) {
        unsigned frames = interface_poll(net_interface(i), BUDGET);

        pass.frames += frames;
        pass.more |= frames == BUDGET;
    }
    end_share(RECEIVE, &since);
    lwip_port_timers(now);
    for (unsigned i = 0; i < net_interface_count(); i++) {
        interface_resume(net_interface(i));
    }
    end_share(TIMERS, &since);
    pass.more |= run_pollers();
    pass.busy = pass.more || pass.frames != 0;
    end_share(SERVICES, &since);
    stamp(STAMP_FLUSH);
    for (unsigned i = 0; i < net_interface_count(); i++) {
        pass.sent |= interface_flush(net_interface(i));
    }
    end_share(FLUSH, &since);
    stamp(STAMP_END);
    return pass;
}

static void account(uint64_t ns, unsigned frames)
{
    counters.passes++;
    if (ns > counters.worst_pass_ns) {
        counters.worst_pass_ns = ns;
        counters.worst_pass_frames = frames;
        counters.worst_receive_ns = shares[RECEIVE];
        counters.worst_timers_ns = shares[TIMERS];
        counters.worst_services_ns = shares[SERVICES];
        counters.worst_flush_ns = shares[FLUSH];
    }
}

/* Without work for a while, ticks are slow. */
static void rest(bool on)
{
    if (on != resting) {
        resting = on;
        arch_clock_rest(on);
    }
}

void loop_run(const struct loop_config *how)
{
    uint64_t now = arch_clock_ns();
    uint64_t last_work = now;

    config = *how;
    pause_waits = arch_barrier_is_weak();
    stopped = false;
    while (!stopped) {
        uint64_t start = now;
        struct pass pass = run_once(start);

        now = arch_clock_ns();
        account(now - start, pass.frames);
        if (config.between(now)) {
            now = arch_clock_ns();
        }
        if (pass.busy) {
            last_work = start;
            rest(false);
        } else {
            rest(start - last_work >= REST_NS && !waits_for_room());
        }
        if (may_sleep(&pass, start)) {
            sleep();
            now = arch_clock_ns();
        } else if (!pass.busy && !pause_waits) {
            arch_pause();
        }
    }
}

enum loop_mode loop_mode(uint32_t *poll_us)
{
    *poll_us = config.poll_us;
    return config.mode;
}

void loop_set_mode(enum loop_mode mode, uint32_t poll_us)
{
    config.mode = mode;
    config.poll_us = poll_us;
}

void net_stop(void)
{
    stopped = true;
}

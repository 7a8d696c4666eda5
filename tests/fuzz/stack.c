/* SPDX-License-Identifier: BSD-2-Clause */
#include "stack.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "boot/arguments.h"
#include "examples/net_config.h"
#include "host.h"
#include "input.h"
#include "lwip/priv/tcp_priv.h"
#include "net/lwip_port/interface.h"
#include "net/net.h"
#include "net/services/page.h"
#include "net/services/services.h"

enum {
    STARTED_MS = 6000, /* time after which addresses are assigned and the name is announced */
    STEP_MS = 250,     /* lwIP's shortest timer */
    END_STEPS = 1600,
    SLACK = 4096, /* memory for groups, names and learnt addresses, bytes */
};

/* Instead of net/services/page.S, which is assembled for the images. */
const char stats_page[] = "a page";
const uint32_t stats_page_size = sizeof stats_page;

/* All variables of the stack: sections.h. */
extern char __start_fuzz_bss[], __stop_fuzz_bss[], __start_fuzz_data[], __stop_fuzz_data[];

static struct snapshot {
    char *bss, *data;
    struct card card;
    uint64_t clock_ns;
    size_t bytes;
} snapshots[3];
static unsigned current;

/* Also copies redzones between variables, which an instrumented memcpy() would report. */
__attribute__((no_sanitize("address"))) static void copy(char *to, const char *from, size_t size)
{
    for (size_t i = 0; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t)) {
        *(volatile uint64_t *)(to + i) = *(const volatile uint64_t *)(from + i);
    }
}

static size_t bss_size(void)
{
    return (size_t)(__stop_fuzz_bss - __start_fuzz_bss);
}

static size_t data_size(void)
{
    return (size_t)(__stop_fuzz_data - __start_fuzz_data);
}

static void keep(unsigned which)
{
    struct snapshot *s = &snapshots[which];

    *s = (struct snapshot){malloc(bss_size()), malloc(data_size()), card, host_clock_ns,
                           arena_bytes()};
    copy(s->bss, __start_fuzz_bss, bss_size());
    copy(s->data, __start_fuzz_data, data_size());
    if (which != 0) {
        arena_keep(which);
    }
}

static void restore(unsigned which)
{
    const struct snapshot *s = &snapshots[which];

    copy(__start_fuzz_bss, s->bss, bss_size());
    copy(__start_fuzz_data, s->data, data_size());
    card = s->card;
    host_clock_ns = s->clock_ns;
    arena_reset(which);
    current = which;
}

/* The last poller ends the loop, so net_run() is a single pass. */
static bool stop(void *context)
{
    (void)context;
    net_stop();
    return false;
}

void stack_pass(unsigned ms)
{
    host_clock_ns += ms * 1000000ull;
    net_run();
}

static void start(const char *arguments, uint32_t offloads, unsigned ms)
{
    struct net_poller *poller;

    card = (struct card){.link = true, .offloads = offloads};
    fuzz_check(boot_arguments_parse(arguments) == 0, "boot arguments");
    fuzz_check(net_start(net_config_from_boot()) && echo_start() && sink_start() &&
                   source_start() && stats_start() && netserver_start() && iperf_start(),
               "the stack does not start");
    poller = arena_take(sizeof *poller, 8);
    *poller = (struct net_poller){.poll = stop};
    net_add_poller(poller);
    for (unsigned i = 0; i < ms; i += 50) {
        stack_pass(50);
    }
}

void stack_reset(unsigned which)
{
    if (snapshots[0].bss == NULL) {
        host_clock_ns = 1000000000;
        arena_reset(0);
        keep(0);
        start("ip=10.0.0.2/24 gw=10.0.0.1 ip6=fd00::2 mode=poll",
              NIC_SEND_CHECKSUM | NIC_SEND_TCP4 | NIC_SEND_TCP6 | NIC_SEND_UDP |
                  NIC_RECEIVE_CHECKSUM,
              STARTED_MS);
        keep(STACK_STATIC);
        restore(0);
        start("mode=poll answer=any", 0, 100);
        keep(STACK_DHCP);
    }
    restore(which);
}

static bool is_idle(void)
{
    return tcp_active_pcbs == NULL && tcp_tw_pcbs == NULL && card.lent == 0 && card.out == 0;
}

void stack_check_end(void)
{
    arena_limit(0);
    card.holds = false;
    card.scarce = false;
    card_set_link(true);
    for (unsigned i = 0; i < END_STEPS && !is_idle(); i++) {
        stack_pass(STEP_MS);
    }
    fuzz_check(tcp_active_pcbs == NULL && tcp_tw_pcbs == NULL, "a connection has no end");
    fuzz_check(card.out == 0, "a frame does not leave");
    fuzz_check(card.lent == 0, "receive buffers are not given back");
    for (unsigned i = 0; i < 200 && arena_bytes() > snapshots[current].bytes + SLACK; i++) {
        stack_pass(STEP_MS); /* fragments, and packets that wait for an address */
    }
    fuzz_check(arena_bytes() <= snapshots[current].bytes + SLACK, "memory is left");
}

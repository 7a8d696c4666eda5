/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop: the polled bottom half, the stack's timers, and when to sleep. */
#include "net/net.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/fw_cfg.h"
#include "lwip/ip.h"
#include "lwip/nd6.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/udp.h"
#include "net/addresses.h"
#include "net/lwip_port/port.h"
#include "net/lwip_port/random.h"
#include "net/stats.h"
#include "runtime/memory.h"
#include "runtime/stamp.h"

enum { BUDGET = 64 }; /* frames a pass: a quarter of the ring, then the replies are sent */

_Static_assert((int)NIC_CARDS <= (int)BOOT_CARDS, "boot arguments for each card");

static struct lwip_port ports[NIC_CARDS];
static unsigned port_count;
static struct net_poller *pollers;
static bool stopped;
static struct net_counters counters;
static volatile bool woken; /* set by interrupts: there is something to poll */

static void wake(void)
{
    woken = true;
}

unsigned net_port_count(void)
{
    return port_count;
}

struct lwip_port *net_port(unsigned number)
{
    return &ports[number];
}

const struct net_counters *net_counters(void)
{
    return &counters;
}

/* What -fw_cfg name=opt/vtnet/seed,file=... has, up to what a secret takes. */
static void seed_random(void)
{
    uint8_t seed[64] = {0};

    if (fw_cfg_read_file("opt/vtnet/seed", seed, sizeof seed) != 0) {
        random_seed(seed, sizeof seed);
    }
}

bool net_start(void)
{
    static const uint8_t none[6];

    seed_random();
    for (unsigned i = 0; i < NIC_CARDS; i++) {
        ports[i].mac = memcmp(boot_arguments.mac[i], none, 6) != 0 ? boot_arguments.mac[i] : NULL;
        ports[i].vlan = boot_arguments.vlan[i];
        ports[i].all_groups = boot_arguments.bounded != 0;
        ports[i].exit_on_conflict = boot_arguments.conflict == BOOT_CONFLICT_EXIT;
    }
    port_count = lwip_port_open(ports, NIC_CARDS, wake);
    addresses_start();
    return port_count != 0;
}

void net_add_poller(struct net_poller *poller)
{
    poller->next = pollers;
    pollers = poller;
}

enum { FRAGMENT_PARTS = 3 }; /* a header, and of the payload the end of one pbuf and what follows */

/* What one packet takes of a datagram of `length` bytes, UDP header and payload; in fragments a
 * multiple of 8 (RFC 791 §3.2, RFC 8200 §4.5), and never 0. */
static uint32_t room_in_packet(const ip_addr_t *to, struct netif *netif, uint32_t length)
{
    bool v4 = IP_IS_V4(to);
    uint32_t mtu = v4 ? netif->mtu : nd6_get_destination_mtu(ip_2_ip6(to), netif);
    uint32_t headers = v4 ? IP_HLEN : IP6_HLEN;
    uint32_t fragment_headers = v4 ? IP_HLEN : IP6_HLEN + IP6_FRAG_HLEN;

    if (headers + length <= mtu) {
        return length;
    }
    return mtu < fragment_headers + 8 ? 8 : (mtu - fragment_headers) / 8 * 8;
}

static bool is_link_missing(void)
{
    bool missing = false;

    for (unsigned i = 0; i < port_count; i++) {
        missing |= !netif_is_link_up(&ports[i].netif);
    }
    return missing;
}

/* In fragments it takes places in the ring for each. */
bool net_may_send(const ip_addr_t *to, uint32_t payload)
{
    struct netif *netif = ip_route(IP_IS_V4(to) ? IP4_ADDR_ANY : IP6_ADDR_ANY, to);
    uint32_t fragment;

    if (netif == NULL) {
        /* Without its link a netif is no way. When that is up again a pass comes, and all goes on. Else it
         * goes nowhere, which sending it tells. */
        return !is_link_missing();
    }
    fragment = room_in_packet(to, netif, payload + UDP_HLEN);
    return lwip_port_room(netif->state, (payload + UDP_HLEN + fragment - 1) / fragment,
                          FRAGMENT_PARTS);
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
    for (unsigned i = 0; i < port_count; i++) {
        if (ports[i].tx_full) {
            return true;
        }
    }
    return false;
}

/* Sleeps until an interrupt: one of a card, if it has one to give, or the clock's tick. */
static void sleep(void)
{
    bool pending = false;

    counters.sleeps++;
    woken = false;
    for (unsigned i = 0; i < port_count; i++) {
        pending |= ports[i].nic.driver->interrupts_on(ports[i].nic.state, ports[i].tx_full);
    }
    if (pending) {
        return; /* something came before interrupts were on */
    }
    arch_interrupts_off();
    if (woken) {
        arch_interrupts_on();
    } else {
        arch_wait();
    }
}

/* What a pass found to do. */
struct pass {
    unsigned frames; /* taken */
    bool busy;       /* there was anything */
    bool more; /* there is more: a poller has work, or a card took as much as it may in a pass */
};

/*
 * Whether to sleep after a pass. now: the clock; last_work: when there last was some. Interrupt mode does not make a
 * pass without work before it sleeps: sleep() returns at once if something came meanwhile. In hybrid mode
 * a short wait is polled through, as waking up costs more; but waiting for room in a full ring is not short, and
 * polling would only take the processor from the device.
 */
static bool may_sleep(const struct pass *pass, uint64_t now, uint64_t last_work)
{
    switch (boot_arguments.mode) {
    case BOOT_MODE_POLL:
        return false;
    case BOOT_MODE_IRQ:
        return !pass->more;
    default:
        return !pass->busy &&
               (waits_for_room() || now - last_work >= (uint64_t)boot_arguments.poll_us * 1000);
    }
}

/* What a pass is made of. */
enum share { RECEIVE, TIMERS, SERVICES, FLUSH, SHARES };
static uint64_t shares[SHARES]; /* ns of the pass under way; bounded=1 */

/* A share of the pass ends, and the next begins. */
static void end_share(enum share share, uint64_t *since)
{
    if (boot_arguments.bounded) {
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
    for (unsigned i = 0; i < port_count; i++) {
        unsigned frames = lwip_port_poll(&ports[i], BUDGET);

        pass.frames += frames;
        pass.more |= frames == BUDGET;
    }
    end_share(RECEIVE, &since);
    lwip_port_timers(now);
    for (unsigned i = 0; i < port_count; i++) {
        lwip_port_resume(&ports[i]);
    }
    end_share(TIMERS, &since);
    pass.more |= run_pollers();
    pass.busy = pass.more || pass.frames != 0;
    end_share(SERVICES, &since);
    stamp(STAMP_FLUSH);
    for (unsigned i = 0; i < port_count; i++) {
        lwip_port_flush(&ports[i]);
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

/*
 * bounded=1: what the stack will need at the most is set aside, in powers of two, for an allocation
 * may take a block of up to twice its size; and each card's receive buffers, as many as may exist.
 * From here on no memory is taken but from that.
 */
static void seal_memory(void)
{
    static const struct {
        uint16_t size, count;
    } reserve[] = {
        {48, 3072},  /* pbufs that refer to data, segments */
        {112, 1536}, /* headers of segments, acknowledgements */
        {240, 256},  /* connections, small datagrams */
        {496, 64},   /* small frames */
        {1008, 64},  /* the same */
        {2032, 256}, /* frames that are copied */
        {4080, 16},  /* statistics, of one card and of some */
        {16368, 8},  /* of many; datagrams to be cut into fragments */
    };
    bool all = true;

    for (size_t i = 0; i < sizeof reserve / sizeof reserve[0]; i++) {
        all &= memory_reserve(reserve[i].size, reserve[i].count);
    }
    for (unsigned i = 0; i < port_count; i++) {
        struct nic_counters c;

        ports[i].nic.driver->counters(ports[i].nic.state, &c);
        if (c.rx_buffers != 0) {
            all &=
                memory_reserve((size_t)(c.rx_held / c.rx_buffers), c.rx_buffers_max - c.rx_buffers);
        }
    }
    memory_seal();
    printf("vtnet: bounded: %zu KiB of memory, and no more from here on%s\n",
           memory_usage().touched >> 10, all ? "" : ": that is less than wanted");
}

void net_run(void)
{
    uint64_t now, last_work;

    if (boot_arguments.bounded) {
        seal_memory();
    }
    now = arch_clock_ns();
    last_work = now;
    stopped = false;
    while (!stopped) {
        uint64_t start = now;
        struct pass pass = run_once(start);

        now = arch_clock_ns();
        account(now - start, pass.frames);
        if (addresses_announce()) {
            now = arch_clock_ns();
        }
        if (pass.busy) {
            last_work = start;
        }
        if (may_sleep(&pass, start, last_work)) {
            sleep();
            now = arch_clock_ns();
        } else if (!pass.busy) {
            arch_pause();
        }
        if (boot_arguments.stats) {
            stats_print(now);
            now = arch_clock_ns();
        }
    }
}

void net_stop(void)
{
    stopped = true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop: the polled bottom half, the stack's timers, and when to sleep. */
#include "net/net.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "lwip/dhcp.h"
#include "lwip/igmp.h"
#include "lwip/inet.h"
#include "lwip/ip.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/udp.h"
#include "net/lwip_port/port.h"
#include "runtime/memory.h"

enum { BUDGET = 64 }; /* frames a pass: a quarter of the ring, then the replies are sent */

_Static_assert((int)NIC_CARDS <= (int)BOOT_CARDS, "boot arguments for each card");

static struct lwip_port ports[NIC_CARDS];
static unsigned port_count;
static struct net_poller *pollers;
static bool stopped;
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

static void set_address(unsigned number)
{
    struct boot_ipv4 ip = boot_arguments.ip[number];
    struct boot_ipv4 gw = boot_arguments.gw[number];
    struct netif *netif = &ports[number].netif;
    ip4_addr_t address, mask, gateway;

    if (boot_arguments.dhcp) {
        dhcp_start(netif);
        return;
    }
    if (ip.address == 0) {
        ip = (struct boot_ipv4){0x0a000002 | number << 8, 24};
        if (number > 0) {
            printf("vtnet: %sno ip= for it, so it is 10.0.%u.2/24\n", ports[number].label, number);
        }
    }
    ip4_addr_set_u32(&address, lwip_htonl(ip.address));
    ip4_addr_set_u32(&mask, lwip_htonl(ip.prefix == 0 ? 0 : UINT32_MAX << (32 - ip.prefix)));
    ip4_addr_set_u32(&gateway, lwip_htonl(gw.address));
    netif_set_addr(netif, &address, &mask, &gateway);
}

/* The first card with a gateway gets what is for no card's network. */
static void choose_default(void)
{
    for (unsigned i = 0; i < port_count; i++) {
        if (boot_arguments.gw[i].address != 0) {
            netif_set_default(&ports[i].netif);
            break;
        }
    }
}

static void join_group(void)
{
    ip4_addr_t group;
    char text[IP4ADDR_STRLEN_MAX];

    if (boot_arguments.join.address == 0) {
        return;
    }
    ip4_addr_set_u32(&group, lwip_htonl(boot_arguments.join.address));
    printf("vtnet: %s %s\n",
           igmp_joingroup_netif(&ports[0].netif, &group) == ERR_OK ? "joined" : "cannot join",
           ip4addr_ntoa_r(&group, text, sizeof text));
}

bool net_start(void)
{
    static const uint8_t none[6];

    for (unsigned i = 0; i < NIC_CARDS; i++) {
        ports[i].mac = memcmp(boot_arguments.mac[i], none, 6) != 0 ? boot_arguments.mac[i] : NULL;
        ports[i].vlan = boot_arguments.vlan[i];
    }
    port_count = lwip_port_open(ports, NIC_CARDS, wake);
    for (unsigned i = 0; i < port_count; i++) {
        set_address(i);
    }
    choose_default();
    if (port_count != 0) {
        join_group();
    }
    return port_count != 0;
}

void net_add_poller(struct net_poller *poller)
{
    poller->next = pollers;
    pollers = poller;
}

/* In fragments it takes a place in the ring for each. */
bool net_may_send(const ip_addr_t *to, uint32_t payload)
{
    const struct netif *netif = ip_route(IP_ADDR_ANY, to);
    uint32_t fragment;

    if (netif == NULL) {
        return true; /* it goes nowhere, which sending it tells */
    }
    fragment = netif->mtu - IP_HLEN;
    return lwip_port_room(netif->state, (payload + UDP_HLEN + fragment - 1) / fragment);
}

static bool run_pollers(void)
{
    bool busy = false;

    for (struct net_poller *poller = pollers; poller != NULL; poller = poller->next) {
        busy |= poller->poll(poller->context);
    }
    return busy;
}

/* Once an address is there, and again when it changes. */
static void announce(void)
{
    static ip4_addr_t announced[NIC_CARDS];

    for (unsigned i = 0; i < port_count; i++) {
        const struct netif *netif = &ports[i].netif;
        const ip4_addr_t *address = netif_ip4_addr(netif);
        uint32_t mask = lwip_ntohl(ip4_addr_get_u32(netif_ip4_netmask(netif)));
        char text[IP4ADDR_STRLEN_MAX];

        if (ip4_addr_isany(address) || ip4_addr_eq(&announced[i], address)) {
            continue;
        }
        announced[i] = *address;
        printf("vtnet: %sready at %s/%u\n", ports[i].label,
               ip4addr_ntoa_r(address, text, sizeof text), (unsigned)__builtin_popcount(mask));
    }
}

/* A line of the rates since the last one, and totals of what should stay at zero. */
static void print_port_statistics(const struct lwip_port *port, struct nic_counters *last)
{
    struct nic_counters c;

    port->nic.driver->counters(port->nic.state, &c);
    printf("vtnet: %sstats: rx %u frames %u KiB, tx %u frames %u KiB, %u interrupts (%u "
           "spurious), %u kicks (%u suppressed), %u rx buffers of %u KiB, %zu KiB in use; "
           "total: dropped %u, ring full %u, copied %u, device errors %u\n",
           port->label, (unsigned)(c.rx_frames - last->rx_frames),
           (unsigned)((c.rx_bytes - last->rx_bytes) >> 10),
           (unsigned)(c.tx_frames - last->tx_frames),
           (unsigned)((c.tx_bytes - last->tx_bytes) >> 10),
           (unsigned)(c.interrupts - last->interrupts),
           (unsigned)(c.interrupts_spurious - last->interrupts_spurious),
           (unsigned)(c.kicks - last->kicks),
           (unsigned)(c.kicks_suppressed - last->kicks_suppressed), (unsigned)c.rx_buffers,
           (unsigned)(c.rx_buffers_bytes >> 10), memory_usage().used >> 10, (unsigned)c.rx_dropped,
           (unsigned)c.tx_full, (unsigned)port->counters.tx_copied, (unsigned)c.device_errors);
    *last = c;
}

/* Once a second with stats=1, from the end of the first one on. */
static void print_statistics(uint64_t now)
{
    static struct nic_counters last[NIC_CARDS];
    static uint64_t next;

    if (!boot_arguments.stats || now < next) {
        return;
    }
    for (unsigned i = 0; i < port_count; i++) {
        if (next == 0) {
            ports[i].nic.driver->counters(ports[i].nic.state, &last[i]);
        } else {
            print_port_statistics(&ports[i], &last[i]);
        }
    }
    next = now + 1000000000;
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

/*
 * Whether to sleep after a pass without work. now: the clock; last_work: when there last was some.
 * In hybrid mode a short wait is polled through, as waking up costs more; but waiting for room in a
 * full ring is not short, and polling would only take the processor from the device.
 */
static bool may_sleep(uint64_t now, uint64_t last_work)
{
    switch (boot_arguments.mode) {
    case BOOT_MODE_POLL:
        return false;
    case BOOT_MODE_IRQ:
        return true;
    default:
        return waits_for_room() || now - last_work >= (uint64_t)boot_arguments.poll_us * 1000;
    }
}

/* One pass. Returns whether there was anything to do. */
static bool run_once(uint64_t now)
{
    bool busy = false;

    for (unsigned i = 0; i < port_count; i++) {
        busy |= lwip_port_poll(&ports[i], BUDGET) != 0;
    }
    lwip_port_timers(now);
    for (unsigned i = 0; i < port_count; i++) {
        lwip_port_resume(&ports[i]);
    }
    busy |= run_pollers();
    announce();
    print_statistics(now);
    for (unsigned i = 0; i < port_count; i++) {
        lwip_port_flush(&ports[i]);
    }
    return busy;
}

void net_run(void)
{
    uint64_t last_work = arch_clock_ns();

    stopped = false;
    while (!stopped) {
        uint64_t now = arch_clock_ns();

        if (run_once(now)) {
            last_work = now;
        } else if (may_sleep(now, last_work)) {
            sleep();
        } else {
            arch_pause();
        }
    }
}

void net_stop(void)
{
    stopped = true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop: the polled bottom half, the stack's timers, and when to sleep. */
#include "net/net.h"

#include <stdio.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "lwip/dhcp.h"
#include "lwip/inet.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/udp.h"
#include "net/lwip_port/port.h"
#include "runtime/memory.h"

enum { BUDGET = 64 }; /* frames a pass: a quarter of the ring, then the replies are sent */

static struct lwip_port port;
static struct net_poller *pollers;
static bool stopped;
static volatile bool woken; /* set by interrupts: there is something to poll */

static void wake(void)
{
    woken = true;
}

static void set_address(void)
{
    struct boot_ipv4 ip = boot_arguments.ip;
    ip4_addr_t address, mask, gateway;

    if (boot_arguments.dhcp) {
        dhcp_start(&port.netif);
        return;
    }
    if (ip.address == 0) {
        ip = (struct boot_ipv4){0x0a000002, 24};
    }
    ip4_addr_set_u32(&address, lwip_htonl(ip.address));
    ip4_addr_set_u32(&mask, lwip_htonl(ip.prefix == 0 ? 0 : UINT32_MAX << (32 - ip.prefix)));
    ip4_addr_set_u32(&gateway, lwip_htonl(boot_arguments.gw.address));
    netif_set_addr(&port.netif, &address, &mask, &gateway);
}

bool net_start(void)
{
    const uint8_t *mac = port.netif.hwaddr;

    if (!lwip_port_open(&port, wake)) {
        return false;
    }
    printf("vtnet: MAC address %02x:%02x:%02x:%02x:%02x:%02x, link %s\n", mac[0], mac[1], mac[2],
           mac[3], mac[4], mac[5], netif_is_link_up(&port.netif) ? "up" : "down");
    set_address();
    return true;
}

void net_add_poller(struct net_poller *poller)
{
    poller->next = pollers;
    pollers = poller;
}

/* In fragments it takes a place in the ring for each. */
bool net_may_send(uint32_t payload)
{
    uint32_t fragment = port.netif.mtu - IP_HLEN;

    return lwip_port_room(&port, (payload + UDP_HLEN + fragment - 1) / fragment);
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
    static ip4_addr_t announced;
    char text[IP4ADDR_STRLEN_MAX];
    uint32_t mask = lwip_ntohl(ip4_addr_get_u32(netif_ip4_netmask(&port.netif)));

    if (ip4_addr_isany(netif_ip4_addr(&port.netif)) ||
        ip4_addr_eq(&announced, netif_ip4_addr(&port.netif))) {
        return;
    }
    announced = *netif_ip4_addr(&port.netif);
    printf("vtnet: ready at %s/%u\n", ip4addr_ntoa_r(&announced, text, sizeof text),
           (unsigned)__builtin_popcount(mask));
}

/* One line a second with stats=1: rates since the last one, totals of what should stay at zero. */
static void print_statistics(uint64_t now)
{
    static uint64_t next;
    static struct nic_counters last;
    struct nic_counters c;

    if (!boot_arguments.stats || now < next) {
        return;
    }
    port.nic.driver->counters(port.nic.state, &c);
    if (next != 0) {
        printf("vtnet: stats: rx %u frames %u KiB, tx %u frames %u KiB, %u interrupts (%u "
               "spurious), %u kicks (%u suppressed), %u rx buffers of %u KiB, %zu KiB in use; "
               "total: dropped %u, ring full %u, copied %u, device errors %u\n",
               (unsigned)(c.rx_frames - last.rx_frames),
               (unsigned)((c.rx_bytes - last.rx_bytes) >> 10),
               (unsigned)(c.tx_frames - last.tx_frames),
               (unsigned)((c.tx_bytes - last.tx_bytes) >> 10),
               (unsigned)(c.interrupts - last.interrupts),
               (unsigned)(c.interrupts_spurious - last.interrupts_spurious),
               (unsigned)(c.kicks - last.kicks),
               (unsigned)(c.kicks_suppressed - last.kicks_suppressed), (unsigned)c.rx_buffers,
               (unsigned)(c.rx_buffers_bytes >> 10), memory_usage().used >> 10,
               (unsigned)c.rx_dropped, (unsigned)c.tx_full, (unsigned)port.counters.tx_copied,
               (unsigned)c.device_errors);
    }
    last = c;
    next = now + 1000000000;
}

/* Sleeps until an interrupt: the card's, if it has one to give, or the clock's tick. */
static void sleep(void)
{
    woken = false;
    if (port.nic.driver->interrupts_on(port.nic.state, port.tx_full)) {
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
        return port.tx_full || now - last_work >= (uint64_t)boot_arguments.poll_us * 1000;
    }
}

void net_run(void)
{
    uint64_t last_work = arch_clock_ns();

    stopped = false;
    while (!stopped) {
        uint64_t now = arch_clock_ns();
        bool busy = lwip_port_poll(&port, BUDGET, now);

        busy |= run_pollers();
        announce();
        print_statistics(now);
        port.nic.driver->flush(port.nic.state);
        if (busy) {
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* The network of a program: start it, add what runs on it, run it. */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/ip_addr.h"

struct lwip_port;

/*
 * Opens the cards and lwIP, and gives each netif its addresses: net/addresses.h. Returns whether
 * there is a card; else the console says why.
 */
bool net_start(void);

/* The cards that are open; the first is number 0. */
unsigned net_port_count(void);
struct lwip_port *net_port(unsigned number);

/* The loop's own figures. A pass is what lies between two times that it sleeps or looks again. */
struct net_counters {
    uint64_t passes;
    uint64_t sleeps;
    uint64_t worst_pass_ns;     /* the longest, without its sleep and the console's statistics */
    uint32_t worst_pass_frames; /* that it took from all cards */
    /* Its shares, with bounded=1. */
    uint64_t worst_receive_ns;  /* cards, and the stack on what they received */
    uint64_t worst_timers_ns;   /* of the stack, and connections that had waited for room */
    uint64_t worst_services_ns; /* the pollers */
    uint64_t worst_flush_ns;    /* telling the cards */
};
const struct net_counters *net_counters(void);

/*
 * Something that wants to be called on every pass of the loop, like a source of datagrams. poll
 * returns whether it did anything: while one does, the loop does not sleep. A poller that was
 * stopped by a full transmit ring returns false and is called again when there is room.
 */
struct net_poller {
    bool (*poll)(void *context);
    void *context;
    struct net_poller *next; /* net_add_poller()'s */
};
void net_add_poller(struct net_poller *poller);

/*
 * Whether a poller may send a datagram of `payload` bytes to this address now. If not, it returns
 * false from its poll, and is called again when there is room, or the link is back.
 */
bool net_may_send(const ip_addr_t *to, uint32_t payload);

/*
 * The loop, in the mode of the boot arguments, until net_stop(). Once a netif has an IPv4 address it
 * says "vtnet: ready" on the console, and later which ones of IPv6.
 */
void net_run(void);

/* Ends net_run() after the pass under way. */
void net_stop(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The network of a program: start it, add what runs on it, run it. */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Opens the card and lwIP and gives the netif the address of the boot arguments: ip=, or by DHCP
 * with `dhcp`, or 10.0.0.2/24. Returns whether that went well; else the console says why.
 */
bool net_start(void);

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
 * Whether a poller may send a datagram of `payload` bytes now. If not, it returns false from its
 * poll, and is called again when there is room.
 */
bool net_may_send(uint32_t payload);

/*
 * The loop, in the mode of the boot arguments, until net_stop(). Once there is an address it says
 * "vtnet: ready" on the console.
 */
void net_run(void);

/* Ends net_run() after the pass under way. */
void net_stop(void);

#endif

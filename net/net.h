/* SPDX-License-Identifier: BSD-2-Clause */
/* The network of a program: starting it, adding pollers, running it. */
#ifndef NET_H
#define NET_H

#include <stdbool.h>

#include "net/cards.h"
#include "net/config.h"
#include "net/loop.h"
#include "net/may_send.h"

/*
 * Opens the cards and lwIP and gives each netif its addresses: net/addresses.h. Returns false if
 * there is no card; the reason is printed.
 */
bool net_start(const struct net_config *config);

/*
 * Runs the loop, in the mode of the configuration, until net_stop(). Prints "vtnet: ready" when a
 * netif has an IPv4 address, and later its IPv6 addresses.
 */
void net_run(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The network of a program: start it, add what runs on it, run it. */
#ifndef NET_H
#define NET_H

#include <stdbool.h>

#include "net/cards.h"
#include "net/loop.h"
#include "net/may_send.h"

/*
 * Opens the cards and lwIP, and gives each netif its addresses: net/addresses.h. Returns whether
 * there is a card; else the console says why.
 */
bool net_start(void);

/*
 * The loop, in the mode of the boot arguments, until net_stop(). Once a netif has an IPv4 address it
 * says "vtnet: ready" on the console, and later which ones of IPv6.
 */
void net_run(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses of the cards. Each has one IPv4 address: from ip= or from DHCP; if no server
 * answers within two seconds, it is 10.0.N.2/24 for card N. With `dhcp` DHCP is used without a time
 * limit; with `linklocal` the address is in 169.254.0.0/16. IPv6 addresses are the link-local one,
 * that of ip6=, and those that routers announce.
 */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#include <stdbool.h>

#include "lwip/netif.h"

/* Starts on all open cards. */
void addresses_start(void);

/*
 * Prints new addresses and names since the last call ("ready at" for IPv4, "IPv6 address", "name"),
 * and claims the names. Returns true if there were any. Call it once per pass; it does very little
 * if nothing is new.
 */
bool addresses_announce(void);

/* Sets a function that is called after each "ready at" on the console, with the card's netif. */
void addresses_on_ready(void (*ready)(const struct netif *netif));

#endif

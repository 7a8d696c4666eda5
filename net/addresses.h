/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses of the cards. Of IPv4 one each: ip=, or by DHCP, and where nobody answers that within
 * two seconds 10.0.N.2/24 for card N; with `dhcp` by DHCP however long it takes, with `linklocal` one
 * of 169.254.0.0/16. Of IPv6 the link-local one, ip6=, and those that routers announce.
 */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#include <stdbool.h>

#include "lwip/netif.h"

/* Begins with all that are open. */
void addresses_start(void);

/*
 * Says on the console which addresses and names are new since the last call: "ready at" one of
 * IPv4, "IPv6 address", "name"; and claims the names. Returns whether there were any. For once a
 * pass; does next to nothing where none is.
 */
bool addresses_announce(void);

/* Has a function called after each "ready at" on the console, with the card's netif. */
void addresses_on_ready(void (*ready)(const struct netif *netif));

#endif

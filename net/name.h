/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of the guest, announced and defended by mDNS (RFC 6762). */
#ifndef NAME_H
#define NAME_H

#include <stdbool.h>

#include "lwip/netif.h"

/* The name of card `number`: name= for the first, and with its number for others. It stays. */
const char *name_of(unsigned number);

/*
 * Card `number` claims its name: where another station has it, the same with a number behind it. For
 * a netif with addresses of IPv4 and IPv6.
 */
void name_claim(struct netif *netif, unsigned number);

/* Tells the console which names the cards have got, or not, since the last call. Returns whether
 * there were any. For once a pass. */
bool name_tell(void);

#endif

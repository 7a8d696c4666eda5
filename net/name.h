/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's name, announced and defended by mDNS (RFC 6762). */
#ifndef NAME_H
#define NAME_H

#include <stdbool.h>

#include "lwip/netif.h"

/*
 * The name of card `number`: name= for the first, with its number appended for the others. The
 * string stays valid.
 */
const char *name_of(unsigned number);

/*
 * Makes card `number` claim its name. If another station has it, tries the same with a number
 * appended. For a netif with IPv4 and IPv6 addresses.
 */
void name_claim(struct netif *netif, unsigned number);

/*
 * Prints the names that cards have got, or not got, since the last call. Returns true if there were
 * any. Call it once per pass.
 */
bool name_tell(void);

#endif

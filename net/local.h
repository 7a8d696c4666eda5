/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether somebody is of the local network. */
#ifndef NET_LOCAL_H
#define NET_LOCAL_H

#include <stdbool.h>

#include "lwip/ip_addr.h"

/*
 * Whether the sender of the packet that is being handled has an address of the network that the
 * packet came from, i.e. one in a prefix of the card's addresses, or a link-local one of IPv6. A
 * network's router keeps senders elsewhere from using such an address.
 */
bool net_is_local(const ip_addr_t *from);

#endif

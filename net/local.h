/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells whether a station is on the local network. */
#ifndef NET_LOCAL_H
#define NET_LOCAL_H

#include <stdbool.h>

#include "lwip/ip_addr.h"

/*
 * True if the sender of the packet being handled has an address of the network from which the
 * packet came: in a prefix of the card's addresses, or IPv6 link-local. A network's router keeps
 * other senders from using such an address.
 */
bool net_is_local(const ip_addr_t *from);

#endif

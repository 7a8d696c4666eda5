/* SPDX-License-Identifier: BSD-2-Clause */
/* Another station with one of our addresses. */
#ifndef CONFLICT_H
#define CONFLICT_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/netif.h"

/* The netif has a new IPv4 address. */
void conflict_address_changed(struct netif *netif);

/*
 * Looks at a received frame of `length` bytes. In the first second with an address, an ARP message of
 * another station that has it makes this guest the newcomer: it says so, gives an address of DHCP back,
 * and keeps off one of ip= until nobody answers a probe for it (RFC 5227 §2.1.1); or it ends, where
 * lwip_port.exit_on_conflict says so. Later this guest says so and defends the address with an
 * announcement (§2.4 (c), at most some in ten seconds). Our own messages, when the network returns
 * them, are no conflict. Returns false where the frame must be dropped: an ARP message from an Ethernet
 * address that no station can have (RFC 1812 §3.3.2).
 */
bool conflict_check(struct netif *netif, const void *frame, uint32_t length);

/* Another station has said that it has one of the netif's addresses of IPv6, of that number, which is
 * ours for good: this guest says so and defends it, as above. */
void conflict_claimed_ipv6(struct netif *netif, s8_t slot);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Address conflicts with another station. */
#ifndef CONFLICT_H
#define CONFLICT_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/netif.h"

/* Call it when the netif has got a new IPv4 address. */
void conflict_address_changed(struct netif *netif);

/*
 * Checks a received frame of `length` bytes. During the first second with an address, an ARP
 * message from another station with that address means that this guest is the newcomer. It reports
 * that and gives the address up: it declines an address of DHCP, and does not use one of ip= until
 * a probe for it gets no answer (RFC 5227 §2.1.1). With lwip_port.exit_on_conflict it ends instead.
 * Later the guest reports the conflict and defends its address with an announcement (§2.4 (c),
 * rate-limited). Our own messages, returned by the network, are not conflicts. Returns false if the
 * frame must be dropped: an ARP message from an Ethernet address that no station can have (RFC 1812
 * §3.3.2).
 */
bool conflict_check(struct netif *netif, const void *frame, uint32_t length);

/*
 * Another station claims IPv6 address number `slot` of the netif, which is confirmed as ours:
 * reports it and defends the address, as above.
 */
void conflict_claimed_ipv6(struct netif *netif, s8_t slot);

#endif

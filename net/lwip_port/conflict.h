/* SPDX-License-Identifier: BSD-2-Clause */
/* Notices another station with our IPv4 or Ethernet address. */
#ifndef CONFLICT_H
#define CONFLICT_H

#include <stdint.h>

#include "lwip/netif.h"

/* The netif has a new IPv4 address. */
void conflict_address_changed(struct netif *netif);

/*
 * Looks at a received frame of `length` bytes. In the first second with the address, a station that
 * has it already makes this guest say so and stop; later, this guest says so and defends the
 * address with an announcement (RFC 5227 §2.4 (c), at most some in ten seconds).
 */
void conflict_check(struct netif *netif, const void *frame, uint32_t length);

#endif

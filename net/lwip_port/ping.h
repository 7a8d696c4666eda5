/* SPDX-License-Identifier: BSD-2-Clause */
/* Echo requests of ICMP and ICMPv6, and their replies. lwIP itself only answers requests. */
#ifndef PING_H
#define PING_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/err.h"
#include "lwip/ip_addr.h"

struct pbuf;

/*
 * Sends a request with `size` bytes of data, at most PING_SIZE_MAX, over IPv6 PING6_SIZE_MAX: lwIP's
 * packets have up to 65,535 bytes with their header. to: an IPv6 address must have its zone.
 * ERR_RTE: no route.
 */
enum { PING_SIZE_MAX = 65535 - 20 - 8, PING6_SIZE_MAX = 65535 - 40 - 8 };
err_t ping_send(const ip_addr_t *to, uint16_t id, uint16_t sequence, uint16_t size);

/* Called for each reply with a correct checksum; NULL: nobody waits. size: bytes of data. */
typedef void (*ping_heard_t)(const ip_addr_t *from, uint16_t id, uint16_t sequence, uint16_t size);
extern ping_heard_t ping_heard;

/* True if an ICMP or ICMPv6 message at p's payload is a reply and ping_heard was called for it. */
bool ping_take(const struct pbuf *p, bool ipv6);

#endif

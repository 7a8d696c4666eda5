/* SPDX-License-Identifier: BSD-2-Clause */
/* Echo requests of ICMP and ICMPv6, and their replies. lwIP itself only answers those of others. */
#ifndef PING_H
#define PING_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/err.h"
#include "lwip/ip_addr.h"

struct pbuf;

/*
 * Sends a request with `size` bytes of data, at most PING_SIZE_MAX. to: an address of IPv6 has its zone.
 * ERR_RTE: there is no way to it.
 */
enum { PING_SIZE_MAX = 65507 };
err_t ping_send(const ip_addr_t *to, uint16_t id, uint16_t sequence, uint16_t size);

/* Who is told of each reply whose checksum is right. size: bytes of data. NULL: nobody. */
typedef void (*ping_heard_t)(const ip_addr_t *from, uint16_t id, uint16_t sequence, uint16_t size);
extern ping_heard_t ping_heard;

/* Whether a message of ICMP or ICMPv6, at p's payload, is a reply that somebody waits for: then it was told. */
bool ping_take(const struct pbuf *p, bool ipv6);

#endif

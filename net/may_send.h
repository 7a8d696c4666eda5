/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether there is room to send to an address. */
#ifndef NET_MAY_SEND_H
#define NET_MAY_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/ip_addr.h"

/*
 * Whether a poller may send a datagram of `payload` bytes to this address now. If not, it returns
 * false from its poll, and is called again when there is room, or the link is back.
 */
bool net_may_send(const ip_addr_t *to, uint32_t payload);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Room for sending to an address. */
#ifndef NET_MAY_SEND_H
#define NET_MAY_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/ip_addr.h"

/*
 * True if a poller may send a datagram of `payload` bytes to this address now. If not, it should
 * return false from poll(); it is called again when there is room or the link is up.
 */
bool net_may_send(const ip_addr_t *to, uint32_t payload);

#endif

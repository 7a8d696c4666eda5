/* SPDX-License-Identifier: BSD-2-Clause */
/* The receive buffers that TCP keeps. */
#ifndef TCP_MEMORY_H
#define TCP_MEMORY_H

#include <stdbool.h>

#include "lwip/priv/tcp_priv.h"
#include "net/lwip_port/port.h"

/* The card is open: how many buffers it has. */
void tcp_memory_init(struct lwip_port *port);

/* Whether a segment's data is little for the receive buffers that it lies in. */
bool tcp_memory_wastes(const struct pbuf *p);

/* Makes room for a segment out of order, within what all connections may keep of such. */
void tcp_memory_room_out_of_order(const struct lwip_port *port, const struct pbuf *p);

/* Whether the stack has so many buffers that each connection is to be held to its share; and whether
 * that was so when it was last asked. */
bool tcp_memory_is_short(const struct lwip_port *port);
extern bool tcp_memory_was_short;

/* The bytes that are left of a connection's share. */
uint32_t tcp_memory_share(const struct tcp_pcb *pcb);

/* A segment, `length` bytes of header in front of p's data, in memory of its own; or NULL. */
struct pbuf *tcp_memory_copy(const struct pbuf *p, const struct tcp_hdr *header, u16_t length);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits the receive buffers that TCP holds. */
#ifndef TCP_MEMORY_H
#define TCP_MEMORY_H

#include <stdbool.h>

#include "lwip/priv/tcp_priv.h"
#include "net/lwip_port/interface.h"

/* Call it when the card is open: reads how many buffers it has. */
void tcp_memory_init(struct interface *interface);

/* True if a segment has little data for the receive buffers that it occupies. */
bool tcp_memory_wastes(const struct pbuf *p);

/* Makes room for a segment out of order, within the limit for all connections together. */
void tcp_memory_room_out_of_order(const struct interface *interface, const struct pbuf *p);

/*
 * True if the stack holds so many buffers that each connection is limited to its share. The
 * variable: the previous result.
 */
bool tcp_memory_is_short(const struct interface *interface);
extern bool tcp_memory_was_short;

/*
 * The bytes left in a connection's share. ahead: for data out of order. Data in order does not
 * count what is kept out of order, so that a gap can always be filled.
 */
uint32_t tcp_memory_share(const struct tcp_pcb *pcb, bool ahead);

/*
 * Copies a segment, with `length` bytes of header in front of p's data. Returns NULL if there is no
 * memory.
 */
struct pbuf *tcp_memory_copy(const struct pbuf *p, const struct tcp_hdr *header, u16_t length);

#endif

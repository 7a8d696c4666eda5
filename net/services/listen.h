/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a port and leaving a connection, for the services.
 *
 * What a service sends must stay as it is until the card has sent it, and an acknowledgement does not
 * say that it has. So over TCP a service sends memory that never changes (zeros.h), a copy
 * (TCP_WRITE_FLAG_COPY), or a received pbuf by tcp_give() (net/lwip_port/give.h). A UDP datagram's
 * pbuf is referenced by the card; a part of it that only points to memory points to such as never
 * changes.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>

#include "lwip/tcp.h"
#include "lwip/udp.h"

/* Both return false where there is no memory or the port is taken; the console then says so. accept is
 * called for connections only, which have a place then (places.h). */
bool listen_udp(u16_t number, udp_recv_fn receive);
bool listen_tcp(u16_t number, tcp_accept_fn accept);

/*
 * Sends a datagram from `from`, the address that another was sent to (ip_current_dest_addr() while
 * that is handled), where it is one station's: of several that a netif has of IPv6, who asked knows
 * only that one.
 */
err_t answer_udp(struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *to, u16_t port,
                 const ip_addr_t *from);

/* Takes a connection's callbacks back, and leaves its end to lwIP. Returns ERR_OK, or ERR_ABRT where
 * that failed and it was aborted: what lwIP has called must return that. */
err_t leave_tcp(struct tcp_pcb *pcb);

#endif

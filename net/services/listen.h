/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens a port and leaves a connection, for the services.
 *
 * Memory that a service sends must not change until the card has sent it, and an acknowledgement
 * does not prove that the card is done with it. So over TCP a service sends memory that never
 * changes (zeros.h), a copy (TCP_WRITE_FLAG_COPY), or a received pbuf through tcp_give()
 * (net/lwip_port/give.h). The card holds a reference to a UDP datagram's pbuf; a PBUF_ROM part of
 * it must point to memory that never changes.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>

#include "lwip/tcp.h"
#include "lwip/udp.h"

/*
 * Both return false, and print a message, if there is no memory or the port is in use. accept is
 * called without errors only, and the connection then has a place (places.h).
 */
bool listen_udp(u16_t number, udp_recv_fn receive);
bool listen_tcp(u16_t number, tcp_accept_fn accept);

/*
 * Sends a datagram. Its source address is `from`, the address to which the request was sent
 * (ip_current_dest_addr() while it is handled), unless that is a multicast address. A netif has
 * several IPv6 addresses, and the client expects an answer from the one it asked.
 */
err_t answer_udp(struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *to, u16_t port,
                 const ip_addr_t *from);

/*
 * Removes a connection's callbacks and closes it. Returns ERR_OK, or ERR_ABRT if closing failed and
 * it was aborted: an lwIP callback must return that.
 */
err_t leave_tcp(struct tcp_pcb *pcb);

#endif

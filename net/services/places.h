/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits the TCP connections of clients, in number and in time. Each port has a number of places.
 * When all are taken, a new connection replaces the one that has been without progress longest,
 * which is reset. So a client cannot block others by holding idle connections. A connection that is
 * idle or slow for too long is ended. The connections that lwIP keeps without a service have limits
 * of their own: half-open, closed by the guest, and in TIME_WAIT.
 *
 * Progress is data or a FIN, received in order or acknowledged. A service that does not set
 * tcp_err() is not told when its connection is ended.
 */
#ifndef PLACES_H
#define PLACES_H

#include <stdbool.h>

#include "lwip/tcp.h"

/* Gives all connections to this listening socket places of its port. */
void places_watch(struct tcp_pcb *listener);

/* Call it when a connection to such a socket is established: makes room for it. */
void places_enter(const struct tcp_pcb *pcb);

/*
 * The same for a connection that the guest opens on behalf of a client; it counts for this port. The
 * client's connection, `asking`, is not ended for it; NULL: there is none. Returns false if there is
 * no memory.
 */
bool places_enter_for(struct tcp_pcb *pcb, u16_t port, const struct tcp_pcb *asking);

/* Records progress that the connection's own data does not show. */
void places_moved(const struct tcp_pcb *pcb);

#endif

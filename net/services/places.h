/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many TCP connections clients have at once, and for how long. Each port has places. When all are
 * taken, a new connection gets the place of the one that has been without progress for the longest
 * time, which is reset: who holds places and does nothing keeps nobody out. A connection that is idle or
 * slow for too long ends by itself. What lwIP keeps without a service has bounds of its own: half-open
 * connections, those that were closed, those in TIME_WAIT.
 *
 * Progress is data or the end of it, received in order or acknowledged. A service that does not set
 * tcp_err() hears nothing of an end.
 */
#ifndef PLACES_H
#define PLACES_H

#include <stdbool.h>

#include "lwip/tcp.h"

/* All connections to this listening socket need places: those of its port. */
void places_watch(struct tcp_pcb *listener);

/* A connection to such a socket is established: makes room for it. */
void places_enter(const struct tcp_pcb *pcb);

/* The same for a connection that we open because of one that has a place, which counts for the same port.
 * Returns false where there is no memory. */
bool places_enter_beside(struct tcp_pcb *pcb, const struct tcp_pcb *asking);

/* There was progress, which the connection's own data does not show. */
void places_moved(const struct tcp_pcb *pcb);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending received data over TCP without a copy.
 *
 * tcp_write() without TCP_WRITE_FLAG_COPY keeps a pointer, and lwIP drops it when the peer
 * acknowledges the data, or when the connection is aborted. The frame may still wait in the card's
 * ring then: a peer can acknowledge what it has not received. So only memory that never changes may
 * be sent that way (net/services/zeros.h, the source's pattern). Everything else is copied, or given
 * away by tcp_give(): the segments then have references to the buffer, the card has references to
 * the segments (port_tx.c, burst.c), and the buffer is free when the last of these is.
 */
#ifndef GIVE_H
#define GIVE_H

#include "lwip/tcp.h"

/*
 * Writes the bytes of one pbuf (p->next is NULL, p->len is not 0) to a connection. With ERR_OK the
 * caller's reference to p is TCP's; otherwise nothing has changed: see tcp_write().
 */
err_t tcp_give(struct tcp_pcb *pcb, struct pbuf *p);

#endif

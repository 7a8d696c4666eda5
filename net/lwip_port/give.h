/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends received data over TCP without a copy.
 *
 * tcp_write() without TCP_WRITE_FLAG_COPY keeps a pointer. lwIP drops it when the peer acknowledges
 * the data, or when the connection is aborted. The frame may still be in the card's ring then,
 * since a peer can acknowledge what it has not received. So only memory that never changes may be
 * sent that way (net/services/zeros.h, the source's pattern). Everything else is copied, or passed
 * to tcp_give(). The segments then have references to the buffer and the card has references to the
 * segments (transmit.c, gso.c), so the buffer is freed when the last of them is.
 */
#ifndef GIVE_H
#define GIVE_H

#include "lwip/tcp.h"

/*
 * Writes one pbuf (p->next is NULL, p->len is not 0) to a connection. On ERR_OK the caller's
 * reference to p belongs to TCP. On an error nothing has changed: see tcp_write().
 */
err_t tcp_give(struct tcp_pcb *pcb, struct pbuf *p);

#endif

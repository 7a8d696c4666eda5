/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of a service: sends to and receives from a port of a peer, over UDP or TCP. */
#ifndef TALK_H
#define TALK_H

#include <stdbool.h>

#include "lwip/err.h"
#include "lwip/ip_addr.h"
#include "lwip/pbuf.h"

struct tcp_pcb;
struct udp_pcb;

/* Set the functions, call talk_open(), and keep the structure at its address from then on. */
struct talk {
    void (*ready)(struct talk *talk);                        /* may send from now on; may be NULL */
    void (*received)(struct talk *talk, struct pbuf *p);     /* must free the pbuf; NULL: discard */
    void (*acknowledged)(struct talk *talk, unsigned bytes); /* TCP only; may be NULL */
    void (*failed)(struct talk *talk); /* TCP only: refused, reset or closed */

    struct tcp_pcb *tcp; /* set by talk_open(): one of the two */
    struct udp_pcb *udp;
};

/* Connects to the port. Over UDP it calls ready() itself. Returns false if there is no memory. */
bool talk_open(struct talk *talk, bool over_tcp, const ip_addr_t *peer, u16_t port);

/*
 * Sends bytes, which must not change until they are sent. Over TCP nothing says when that is
 * (net/services/listen.h): they may change when they are acknowledged, but must stay allocated, as
 * a frame in the ring may still refer to them. ERR_MEM: the ring or the send buffer is full, try
 * again later.
 */
err_t talk_send(struct talk *talk, const void *data, u16_t length);

/*
 * The same for a UDP datagram of `length` bytes. Its first head_length bytes are copied from
 * `head`.
 */
err_t talk_send_headed(struct talk *talk, const void *head, u16_t head_length, const void *rest,
                       u16_t length);

/* Sends the data that TCP has queued. */
void talk_flush(struct talk *talk);

/* TCP: sends a FIN after the queued data. failed() is called when the peer has closed. */
void talk_close(struct talk *talk);

/*
 * The peer of peer=. A link-local address belongs to the first card's network. Returns false if
 * peer= is not set. Call it after net_start().
 */
bool talk_peer(ip_addr_t *peer);

/*
 * True if the guest has an address from which it can reach the peer. Call it once a pass until it
 * is true; after five seconds it prints what is missing.
 */
bool talk_possible(const ip_addr_t *peer);

#endif

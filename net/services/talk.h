/* SPDX-License-Identifier: BSD-2-Clause */
/* The other side of a service: talking to a port of a peer, over UDP or TCP alike. */
#ifndef TALK_H
#define TALK_H

#include <stdbool.h>

#include "lwip/err.h"
#include "lwip/ip_addr.h"
#include "lwip/pbuf.h"

struct tcp_pcb;
struct udp_pcb;

/* Set the functions, open, and leave it where it is from then on. */
struct talk {
    void (*ready)(struct talk *talk);                    /* send from now on; may be NULL */
    void (*received)(struct talk *talk, struct pbuf *p); /* frees the pbuf; may be NULL: discard */
    void (*acknowledged)(struct talk *talk, unsigned bytes); /* TCP only; may be NULL */
    void (*failed)(struct talk *talk); /* TCP only: refused, reset or closed */

    struct tcp_pcb *tcp; /* talk_open()'s: one of the two */
    struct udp_pcb *udp;
};

/* Connects to the port; over UDP ready() is called at once. Returns whether there was memory. */
bool talk_open(struct talk *talk, bool over_tcp, const ip_addr_t *peer, u16_t port);

/* Sends bytes, which must stay as they are until they have been sent. Over TCP nothing says when that
 * is (net/services/listen.h): they may change once they are acknowledged, but must stay allocated, as
 * a frame in the ring may still refer to them. ERR_MEM: the ring or the send buffer is full, try
 * again later. */
err_t talk_send(struct talk *talk, const void *data, u16_t length);

/* The same over UDP for a datagram of `length` bytes whose head, its first ones, is copied. */
err_t talk_send_headed(struct talk *talk, const void *head, u16_t head_length, const void *rest,
                       u16_t length);

/* Sends what TCP has gathered. */
void talk_flush(struct talk *talk);

/* TCP: after what is to be sent comes the end of it. failed() follows when the peer has closed. */
void talk_close(struct talk *talk);

/* Whom peer= names; a link-local address is one of the first card's network. Returns whether it
 * names anybody. After net_start(). */
bool talk_peer(ip_addr_t *peer);

/* Whether there is an address of our own to talk to the peer from. For once a pass until there is;
 * after five seconds the console says what is missing. */
bool talk_possible(const ip_addr_t *peer);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Echo (RFC 862). TCP sends from the receive buffers, and returns them once acknowledged. */
#include <stdlib.h>

#include "lwip/ip.h"
#include "net/services/listen.h"
#include "net/services/services.h"
#include "runtime/stamp.h"

/* In place: the reply's headers overwrite the request's. */
static void udp_receive(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    (void)context;
    stamp(STAMP_APPLICATION);
    answer_udp(pcb, p, from, port, ip_current_dest_addr());
    pbuf_free(p);
}

struct connection {
    struct tcp_pcb *pcb;
    struct pbuf *first; /* queue of single pbufs, oldest first: not yet acknowledged */
    struct pbuf *last;
    struct pbuf *unwritten; /* the first in the queue not yet handed to tcp_write() */
    u32_t acknowledged;     /* bytes of `first` */
    bool closing;           /* the peer has sent all it will */
};

static void free_queue(struct connection *c)
{
    while (c->first != NULL) {
        struct pbuf *p = c->first;

        c->first = p->next;
        p->next = NULL;
        pbuf_free(p);
    }
}

/* Appends each pbuf of a chain on its own: a queue of them may hold more than a chain's 64 KiB. */
static void append(struct connection *c, struct pbuf *chain)
{
    while (chain != NULL) {
        struct pbuf *rest = chain->next; /* pbuf_dechain() would free it: the chain owns it */

        chain->next = NULL;
        chain->tot_len = chain->len;
        if (chain->len == 0) {
            pbuf_free(chain);
        } else {
            if (c->first == NULL) {
                c->first = chain;
            } else {
                c->last->next = chain;
            }
            c->last = chain;
            if (c->unwritten == NULL) {
                c->unwritten = chain;
            }
        }
        chain = rest;
    }
}

static void tcp_failed(void *context, err_t error)
{
    struct connection *c = context;

    (void)error;
    free_queue(c); /* the pcb is gone already */
    free(c);
}

/* Returns ERR_ABRT where the connection had to be aborted: lwIP must then hear of it. */
static err_t close_connection(struct connection *c)
{
    struct tcp_pcb *pcb = c->pcb;

    free_queue(c);
    free(c);
    return leave_tcp(pcb);
}

static err_t go_on(struct connection *c)
{
    while (c->unwritten != NULL &&
           tcp_write(c->pcb, c->unwritten->payload, c->unwritten->len, 0) == ERR_OK) {
        c->unwritten = c->unwritten->next;
    }
    tcp_output(c->pcb);
    return c->closing && c->first == NULL ? close_connection(c) : ERR_OK;
}

static err_t tcp_acknowledged(void *context, struct tcp_pcb *pcb, u16_t length)
{
    struct connection *c = context;

    c->acknowledged += length;
    while (c->first != NULL && c->acknowledged >= c->first->len) {
        struct pbuf *p = c->first;

        c->first = p->next;
        c->acknowledged -= p->len;
        p->next = NULL;
        /* The window opens only now, so that a connection holds no more buffers than it spans. */
        tcp_recved(pcb, p->len);
        pbuf_free(p);
    }
    return go_on(c);
}

static err_t tcp_received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct connection *c = context;

    (void)pcb;
    (void)error;
    if (p == NULL) {
        c->closing = true;
    } else {
        append(c, p);
    }
    return go_on(c);
}

static err_t tcp_polled(void *context, struct tcp_pcb *pcb)
{
    (void)pcb;
    return go_on(context); /* tcp_write() may have found no memory */
}

static err_t tcp_opened(void *context, struct tcp_pcb *pcb, err_t error)
{
    struct connection *c;

    (void)context;
    if (error != ERR_OK || pcb == NULL) {
        return ERR_VAL;
    }
    c = calloc(1, sizeof *c);
    if (c == NULL) {
        return ERR_MEM; /* lwIP aborts the connection */
    }
    c->pcb = pcb;
    tcp_arg(pcb, c);
    tcp_recv(pcb, tcp_received);
    tcp_sent(pcb, tcp_acknowledged);
    tcp_poll(pcb, tcp_polled, 1);
    tcp_err(pcb, tcp_failed);
    tcp_nagle_disable(pcb);
    return ERR_OK;
}

bool echo_start(void)
{
    return listen_udp(SERVICE_PORT_ECHO, udp_receive) && listen_tcp(SERVICE_PORT_ECHO, tcp_opened);
}

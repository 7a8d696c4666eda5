/* SPDX-License-Identifier: BSD-2-Clause */
/* Echo (RFC 862). TCP transmits directly from the receive buffers: net/lwip_port/give.h. */
#include <stdlib.h>
#include <string.h>

#include "lwip/ip.h"
#include "net/lwip_port/give.h"
#include "net/services/clients.h"
#include "net/services/listen.h"
#include "net/services/services.h"
#include "runtime/stamp.h"

/* The reply is made in place: its headers overwrite the request's. */
static void udp_receive(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    (void)context;
    stamp(STAMP_APPLICATION);
    if (client_may_be_answered(p, from, port)) {
        answer_udp(pcb, p, from, port, ip_current_dest_addr());
    }
    pbuf_free(p);
}

enum {
    SMALL = 512,         /* bytes; larger pbufs are not copied */
    GATHERED_MAX = 1460, /* bytes of a pbuf that gathers several small ones */
    GATHERED = 0x80,     /* a pbuf flag that lwIP does not use */
};

struct connection {
    struct tcp_pcb *pcb;
    struct pbuf *first; /* queue of single pbufs not yet given to TCP, oldest first */
    struct pbuf *last;
    uint32_t under_way; /* bytes received but not yet acknowledged */
    bool closing;       /* the peer has sent its FIN */
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

/*
 * TCP's queue of pbufs is limited. Small pbufs that have to wait are copied into one of their own.
 * Without this, a window of one-byte pbufs would take 60 times its size, and several connections
 * would use up all memory. Returns true if p was copied.
 */
static bool gather(struct connection *c, struct pbuf *p)
{
    struct pbuf *to = c->last;

    if (p->len > SMALL) {
        return false;
    }
    if (!(to->flags & GATHERED) || p->len > GATHERED_MAX - to->len) {
        to = pbuf_alloc(PBUF_RAW, GATHERED_MAX, PBUF_RAM);
        if (to == NULL) {
            return false;
        }
        to->flags |= GATHERED;
        to->len = 0;
        c->last->next = to;
        c->last = to;
    }
    memcpy((uint8_t *)to->payload + to->len, p->payload, p->len);
    to->len += p->len;
    to->tot_len = to->len;
    pbuf_free(p);
    return true;
}

/* Not inlined, as the queue is usually empty while the peer reads. */
__attribute__((noinline)) static void append_behind(struct connection *c, struct pbuf *p)
{
    if (!gather(c, p)) {
        c->last->next = p;
        c->last = p;
    }
}

/* Appends each pbuf of a chain separately: a chain is limited to 64 KiB, the queue is not. */
static void append(struct connection *c, struct pbuf *chain)
{
    c->under_way += chain->tot_len;
    while (chain != NULL) {
        struct pbuf *rest = chain->next; /* pbuf_dechain() would free it, since the chain holds
                                          * its only reference */

        chain->next = NULL;
        chain->tot_len = chain->len;
        if (chain->len == 0) {
            pbuf_free(chain);
        } else if (c->first == NULL) {
            c->first = c->last = chain;
        } else {
            append_behind(c, chain);
        }
        chain = rest;
    }
}

static void tcp_failed(void *context, err_t error)
{
    struct connection *c = context;

    (void)error;
    free_queue(c); /* lwIP has already freed the pcb */
    free(c);
}

/* Returns ERR_ABRT if it had to abort the connection; an lwIP callback must return that. */
static err_t close_connection(struct connection *c)
{
    struct tcp_pcb *pcb = c->pcb;

    free_queue(c);
    free(c);
    return leave_tcp(pcb);
}

static err_t go_on(struct connection *c)
{
    while (c->first != NULL) {
        struct pbuf *p = c->first;
        struct pbuf *next = p->next;

        p->next = NULL;
        if (tcp_give(c->pcb, p) != ERR_OK) {
            p->next = next;
            break;
        }
        c->first = next;
    }
    tcp_output(c->pcb);
    return c->closing && c->under_way == 0 ? close_connection(c) : ERR_OK;
}

/* Opens the window only now, so that a connection holds no more buffers than its window spans. */
static err_t tcp_acknowledged(void *context, struct tcp_pcb *pcb, u16_t length)
{
    struct connection *c = context;

    c->under_way -= length;
    tcp_recved(pcb, length);
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
    return go_on(context); /* retries when tcp_give() found no memory */
}

static err_t tcp_opened(void *context, struct tcp_pcb *pcb, err_t error)
{
    struct connection *c;

    (void)context, (void)error;
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
    return !service_wanted(NET_SERVICE_ECHO) || (listen_udp(SERVICE_PORT_ECHO, udp_receive) &&
                                                 listen_tcp(SERVICE_PORT_ECHO, tcp_opened));
}

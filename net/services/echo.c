/* SPDX-License-Identifier: BSD-2-Clause */
/* Echo (RFC 862). TCP sends from the receive buffers: net/lwip_port/give.h. */
#include <stdlib.h>
#include <string.h>

#include "lwip/ip.h"
#include "net/lwip_port/give.h"
#include "net/services/clients.h"
#include "net/services/listen.h"
#include "net/services/services.h"
#include "runtime/stamp.h"

/* In place: the reply's headers overwrite the request's. */
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
    SMALL = 512,         /* bytes of a pbuf that is not kept for them */
    GATHERED_MAX = 1460, /* bytes of one that has those of several */
    GATHERED = 0x80,     /* a pbuf's flag, which lwIP does not use */
};

struct connection {
    struct tcp_pcb *pcb;
    struct pbuf *first; /* queue of single pbufs, oldest first: not yet given to TCP */
    struct pbuf *last;
    uint32_t under_way; /* bytes received and not yet acknowledged */
    bool closing;       /* the peer has sent all it will */
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
 * TCP takes only so many pbufs. Small data behind these is gathered in memory of its own: a pbuf for
 * each byte of the window would take 60 times as much, and all connections' all that there is.
 * Returns whether p was gathered.
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

/* Out of the way of a connection whose queue is empty, as it is while the peer reads. */
__attribute__((noinline)) static void append_behind(struct connection *c, struct pbuf *p)
{
    if (!gather(c, p)) {
        c->last->next = p;
        c->last = p;
    }
}

/* Appends each pbuf of a chain on its own: a queue of them may hold more than a chain's 64 KiB. */
static void append(struct connection *c, struct pbuf *chain)
{
    c->under_way += chain->tot_len;
    while (chain != NULL) {
        struct pbuf *rest = chain->next; /* pbuf_dechain() would free it: the chain owns it */

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

/* The window opens only now, so that a connection holds no more buffers than it spans. */
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
    return go_on(context); /* tcp_give() may have found no memory */
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
    return !service_wanted(BOOT_SERVICE_ECHO) || (listen_udp(SERVICE_PORT_ECHO, udp_receive) &&
                                                  listen_tcp(SERVICE_PORT_ECHO, tcp_opened));
}

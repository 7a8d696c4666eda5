/* SPDX-License-Identifier: BSD-2-Clause */
/* The source: a stream of 1 KiB messages like RFC 864's, and bursts of datagrams on request. */
#include <stdlib.h>
#include <string.h>

#include "lwip/ip.h"
#include "lwip/sys.h"
#include "net/net.h"
#include "net/services/clients.h"
#include "net/services/limits.h"
#include "net/services/listen.h"
#include "net/services/services.h"

enum {
    PATTERN_MESSAGES = 16,
    PATTERN_SIZE = PATTERN_MESSAGES * SERVICE_MESSAGE,
    REQUEST_SIZE = 12,
    SEQUENCE_SIZE = 4,
    DATAGRAM_MAX = 65507,
    DATAGRAMS_PER_PASS = 32,
};

/* The data sent, without copying. */
static uint8_t pattern[PATTERN_SIZE];

/* The burst in progress. */
static struct {
    struct udp_pcb *pcb;
    ip_addr_t to;
    ip_addr_t from; /* the address to which the request was sent */
    u16_t port;
    uint32_t left; /* datagrams to send */
    uint32_t next; /* number of the next one */
    uint32_t size; /* bytes of each */
    u32_t since;   /* sys_now() of the request */
} burst;

static uint32_t get_big_endian32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* Makes a datagram: its number, then a part of the pattern, without copying. */
static struct pbuf *make_datagram(uint32_t number, uint32_t size)
{
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, SEQUENCE_SIZE, PBUF_RAM);
    uint8_t *payload;

    if (p == NULL) {
        return NULL;
    }
    payload = p->payload;
    for (unsigned i = 0; i < SEQUENCE_SIZE; i++) {
        payload[i] = (uint8_t)(number >> (24 - 8 * i));
    }
    for (uint32_t left = size - SEQUENCE_SIZE; left > 0;) {
        uint32_t part = left < PATTERN_SIZE ? left : PATTERN_SIZE;
        struct pbuf *q = pbuf_alloc(PBUF_RAW, (u16_t)part, PBUF_ROM);

        if (q == NULL) {
            pbuf_free(p);
            return NULL;
        }
        q->payload = pattern;
        pbuf_cat(p, q);
        left -= part;
    }
    return p;
}

static bool send_datagrams(void *context)
{
    unsigned sent = 0;

    (void)context;
    if (burst.left > 0 && sys_now() - burst.since >= SOURCE_SECONDS * 1000) {
        burst.left = 0;
    }
    while (burst.left > 0 && sent < DATAGRAMS_PER_PASS && net_may_send(&burst.to, burst.size)) {
        struct pbuf *p = make_datagram(burst.next, burst.size);
        err_t error;

        if (p == NULL) {
            break;
        }
        error = answer_udp(burst.pcb, p, &burst.to, burst.port, &burst.from);
        pbuf_free(p);
        if (error == ERR_MEM) {
            break; /* the ring is full: retry this datagram in a later pass */
        }
        burst.next++;
        burst.left--;
        sent++;
    }
    return sent > 0;
}

static void udp_receive(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    static struct net_poller poller = {.poll = send_datagrams}; /* added with the first burst */
    uint8_t request[REQUEST_SIZE];

    (void)context;
    if (!client_may_have_more(p, from, port, 0)) {
        pbuf_free(p);
        return;
    }
    burst.left = 0;
    if (p->tot_len == REQUEST_SIZE && pbuf_memcmp(p, 0, "SEND", 4) == 0) {
        pbuf_copy_partial(p, request, REQUEST_SIZE, 0);
        burst.size = get_big_endian32(request + 8);
        if (burst.size >= SEQUENCE_SIZE && burst.size <= DATAGRAM_MAX) {
            burst.pcb = pcb;
            burst.to = *from;
            burst.from = *ip_current_dest_addr();
            burst.port = port;
            burst.next = 0;
            burst.left = LWIP_MIN(get_big_endian32(request + 4), (uint32_t)SOURCE_DATAGRAMS);
            burst.since = sys_now();
            net_add_poller(&poller);
        }
    }
    pbuf_free(p);
}

/*
 * Sends whole messages, as many as the send buffer takes, so that the pattern continues at its
 * start.
 */
static void fill(struct tcp_pcb *pcb)
{
    for (;;) {
        u32_t room = tcp_sndbuf(pcb) / SERVICE_MESSAGE * SERVICE_MESSAGE;
        u16_t length = (u16_t)(room < PATTERN_SIZE ? room : PATTERN_SIZE);

        if (length == 0 || tcp_write(pcb, pattern, length, 0) != ERR_OK) {
            break;
        }
    }
    tcp_output(pcb);
}

static err_t tcp_acknowledged(void *context, struct tcp_pcb *pcb, u16_t length)
{
    (void)context;
    (void)length;
    fill(pcb);
    return ERR_OK;
}

static err_t tcp_polled(void *context, struct tcp_pcb *pcb)
{
    (void)context;
    fill(pcb);
    return ERR_OK;
}

/* The peer has closed, so the data it has not read is useless: aborts. */
static err_t tcp_received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    (void)context;
    (void)error;
    if (p == NULL) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t tcp_opened(void *context, struct tcp_pcb *pcb, err_t error)
{
    (void)context, (void)error;
    tcp_recv(pcb, tcp_received);
    tcp_sent(pcb, tcp_acknowledged);
    tcp_poll(pcb, tcp_polled, 1);
    fill(pcb);
    return ERR_OK;
}

bool source_start(void)
{
    for (unsigned i = 0; i < PATTERN_SIZE; i++) {
        pattern[i] = (uint8_t)i;
    }
    if (!service_wanted(NET_SERVICE_SOURCE)) {
        return true;
    }
    return listen_udp(SERVICE_PORT_SOURCE, udp_receive) &&
           listen_tcp(SERVICE_PORT_SOURCE, tcp_opened);
}

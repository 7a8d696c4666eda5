/* SPDX-License-Identifier: BSD-2-Clause */
/* The sink: discard (RFC 863), with counters of datagrams and bytes that a client can request. */
#include <string.h>

#include "lwip/ip.h"
#include "net/services/clients.h"
#include "net/services/listen.h"
#include "net/services/services.h"

enum {
    STAT_REQUEST = 8, /* bytes */
    STAT_REPLY = 24,
};

static uint64_t datagrams;
static uint64_t bytes;

static void put_big_endian64(uint8_t *to, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        to[i] = (uint8_t)(value >> (56 - 8 * i));
    }
}

static void answer(struct udp_pcb *pcb, struct pbuf *request, const ip_addr_t *to, u16_t port)
{
    struct pbuf *reply;
    uint8_t *payload;

    if (!client_may_have_more(request, to, port, STAT_REPLY)) {
        return;
    }
    reply = pbuf_alloc(PBUF_TRANSPORT, STAT_REPLY, PBUF_RAM);
    if (reply == NULL) {
        return;
    }
    payload = reply->payload;
    pbuf_copy_partial(request, payload, STAT_REQUEST, 0);
    put_big_endian64(payload + 8, datagrams);
    put_big_endian64(payload + 16, bytes);
    answer_udp(pcb, reply, to, port, ip_current_dest_addr());
    pbuf_free(reply);
}

static void udp_receive(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    (void)context;
    if (p->tot_len == STAT_REQUEST && pbuf_memcmp(p, 0, "STAT", 4) == 0) {
        answer(pcb, p, from, port);
    } else {
        datagrams++;
        bytes += p->tot_len;
    }
    pbuf_free(p);
}

static err_t tcp_received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    (void)context;
    (void)error;
    if (p == NULL) {
        if (tcp_close(pcb) != ERR_OK) {
            tcp_abort(pcb);
            return ERR_ABRT;
        }
        return ERR_OK;
    }
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t tcp_opened(void *context, struct tcp_pcb *pcb, err_t error)
{
    (void)context, (void)error;
    tcp_recv(pcb, tcp_received);
    return ERR_OK;
}

bool sink_start(void)
{
    return !service_wanted(NET_SERVICE_SINK) || (listen_udp(SERVICE_PORT_SINK, udp_receive) &&
                                                 listen_tcp(SERVICE_PORT_SINK, tcp_opened));
}

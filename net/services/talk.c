/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/talk.h"

#include "lwip/tcp.h"
#include "lwip/udp.h"
#include "net/net.h"

static void give(struct talk *talk, struct pbuf *p)
{
    if (talk->received != NULL) {
        talk->received(talk, p);
    } else {
        pbuf_free(p);
    }
}

static void udp_received(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                         u16_t port)
{
    (void)pcb, (void)from, (void)port;
    give(context, p);
}

static err_t tcp_received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct talk *talk = context;

    (void)error;
    if (p == NULL) {
        talk->failed(talk);
    } else {
        tcp_recved(pcb, p->tot_len);
        give(talk, p);
    }
    return ERR_OK;
}

static err_t tcp_acknowledged(void *context, struct tcp_pcb *pcb, u16_t length)
{
    struct talk *talk = context;

    (void)pcb;
    if (talk->acknowledged != NULL) {
        talk->acknowledged(talk, length);
    }
    return ERR_OK;
}

static void tcp_failed(void *context, err_t error)
{
    struct talk *talk = context;

    (void)error;
    talk->tcp = NULL; /* lwIP has freed it */
    talk->failed(talk);
}

static err_t tcp_ready(void *context, struct tcp_pcb *pcb, err_t error)
{
    struct talk *talk = context;

    (void)error;
    tcp_nagle_disable(pcb);
    if (talk->ready != NULL) {
        talk->ready(talk);
    }
    return ERR_OK;
}

bool talk_open(struct talk *talk, bool over_tcp, const ip_addr_t *peer, u16_t port)
{
    if (over_tcp) {
        talk->tcp = tcp_new_ip_type(IPADDR_TYPE_ANY);
        if (talk->tcp == NULL) {
            return false;
        }
        tcp_arg(talk->tcp, talk);
        tcp_recv(talk->tcp, tcp_received);
        tcp_sent(talk->tcp, tcp_acknowledged);
        tcp_err(talk->tcp, tcp_failed);
        return tcp_connect(talk->tcp, peer, port, tcp_ready) == ERR_OK;
    }
    talk->udp = udp_new_ip_type(IPADDR_TYPE_ANY);
    if (talk->udp == NULL || udp_connect(talk->udp, peer, port) != ERR_OK) {
        return false;
    }
    udp_recv(talk->udp, udp_received, talk);
    if (talk->ready != NULL) {
        talk->ready(talk);
    }
    return true;
}

err_t talk_send(struct talk *talk, const void *data, u16_t length)
{
    struct pbuf *p;
    err_t error;

    if (talk->udp == NULL) {
        return talk->tcp != NULL ? tcp_write(talk->tcp, data, length, 0) : ERR_CLSD;
    }
    p = net_may_send(&talk->udp->remote_ip, length) ? pbuf_alloc(PBUF_TRANSPORT, length, PBUF_ROM)
                                                    : NULL;
    if (p == NULL) {
        return ERR_MEM;
    }
    ((struct pbuf_rom *)p)->payload = data;
    error = udp_send(talk->udp, p);
    pbuf_free(p);
    return error;
}

void talk_flush(struct talk *talk)
{
    if (talk->tcp != NULL) {
        tcp_output(talk->tcp);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/talk.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "lwip/inet.h"
#include "lwip/ip.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"
#include "net/config.h"
#include "net/lwip_port/interface.h"
#include "net/net.h"

#define PATIENCE_NS UINT64_C(5000000000)

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

err_t talk_send_headed(struct talk *talk, const void *head, u16_t head_length, const void *rest,
                       u16_t length)
{
    struct pbuf *p, *q;
    err_t error;

    if (!net_may_send(&talk->udp->remote_ip, length)) {
        return ERR_MEM;
    }
    p = pbuf_alloc(PBUF_TRANSPORT, head_length, PBUF_RAM);
    if (p == NULL) {
        return ERR_MEM;
    }
    memcpy(p->payload, head, head_length);
    if (length > head_length) {
        q = pbuf_alloc(PBUF_RAW, (u16_t)(length - head_length), PBUF_ROM);
        if (q == NULL) {
            pbuf_free(p);
            return ERR_MEM;
        }
        ((struct pbuf_rom *)q)->payload = rest;
        pbuf_cat(p, q);
    }
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

void talk_close(struct talk *talk)
{
    if (talk->tcp != NULL && tcp_shutdown(talk->tcp, 0, 1) != ERR_OK) {
        tcp_abort(talk->tcp); /* this calls failed() */
    }
}

bool talk_peer(ip_addr_t *peer)
{
    *peer = net_config()->peer;
    if (IP_IS_V6(peer)) {
        ip6_addr_assign_zone(ip_2_ip6(peer), IP6_UNICAST, &net_interface(0)->netif);
    }
    return !ip_addr_isany(&net_config()->peer);
}

/* A link-local address cannot reach a peer beyond the link. */
static bool has_address(const ip_addr_t *peer)
{
    struct netif *netif = ip_route(IP_IS_V4(peer) ? IP4_ADDR_ANY : IP6_ADDR_ANY, peer);
    const ip_addr_t *own = netif != NULL ? ip_netif_get_local_ip(netif, peer) : NULL;

    if (own == NULL || ip_addr_isany(own)) {
        return false;
    }
    return IP_IS_V4(peer) ||
           !ip6_addr_islinklocal(ip_2_ip6(own)) == !ip6_addr_islinklocal(ip_2_ip6(peer));
}

bool talk_possible(const ip_addr_t *peer)
{
    static uint64_t since;
    static bool told;
    uint64_t now = arch_clock_ns();

    if (has_address(peer)) {
        return true;
    }
    since = since != 0 ? since : now;
    if (!told && now - since > PATIENCE_NS) {
        told = true;
        printf("vtnet: this station has no address yet to reach peer=%s\n",
               IP_IS_V6(peer) ? "; set ip6=, or wait for a router" : "");
    }
    return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/listen.h"

#include <stdio.h>
#include <stdlib.h>

#include "lwip/ip.h"
#include "net/services/places.h"

/* The state of a listening socket. */
struct listener {
    tcp_accept_fn accept;
};

static bool report(const char *protocol, u16_t number)
{
    printf("vtnet: cannot open %s port %u: no memory, or the port is in use\n", protocol, number);
    return false;
}

bool listen_udp(u16_t number, udp_recv_fn receive)
{
    struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY);

    if (pcb == NULL) {
        return report("UDP", number);
    }
    if (udp_bind(pcb, IP_ANY_TYPE, number) != ERR_OK) {
        udp_remove(pcb);
        return report("UDP", number);
    }
    udp_recv(pcb, receive, pcb);
    return true;
}

static err_t accepted(void *context, struct tcp_pcb *pcb, err_t error)
{
    const struct listener *listener = context;

    if (error != ERR_OK || pcb == NULL) {
        return ERR_VAL;
    }
    places_enter(pcb);
    tcp_arg(pcb, NULL);
    return listener->accept(NULL, pcb, ERR_OK);
}

bool listen_tcp(u16_t number, tcp_accept_fn accept)
{
    struct listener *listener = malloc(sizeof *listener);
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    struct tcp_pcb *listening;

    if (listener == NULL || pcb == NULL || tcp_bind(pcb, IP_ANY_TYPE, number) != ERR_OK ||
        (listening = tcp_listen(pcb)) == NULL) {
        free(listener);
        if (pcb != NULL) {
            tcp_close(pcb);
        }
        return report("TCP", number);
    }
    listener->accept = accept;
    tcp_arg(listening, listener);
    tcp_accept(listening, accepted);
    places_watch(listening);
    return true;
}

/* The netif with this address on whose link a station is. NULL: a route has to be found. */
static struct netif *link_of(const ip4_addr_t *own, const ip4_addr_t *station)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        if (ip4_addr_eq(own, netif_ip4_addr(netif))) {
            return netif_is_up(netif) && netif_is_link_up(netif) &&
                           ip4_addr_net_eq(station, own, netif_ip4_netmask(netif))
                       ? netif
                       : NULL;
        }
    }
    return NULL;
}

err_t answer_udp(struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *to, u16_t port,
                 const ip_addr_t *from)
{
    struct netif *netif;

    if (ip_addr_ismulticast(from)) {
        return udp_sendto(pcb, p, to, port);
    }
    if (IP_IS_V4(to)) {
        netif = link_of(ip_2_ip4(from), ip_2_ip4(to));
        return netif != NULL ? udp_sendto_if_src(pcb, p, to, port, netif, from)
                             : udp_sendto(pcb, p, to, port);
    }
    netif = ip_route(from, to);
    return netif != NULL ? udp_sendto_if_src(pcb, p, to, port, netif, from) : ERR_RTE;
}

err_t leave_tcp(struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    tcp_err(pcb, NULL);
    if (tcp_close(pcb) != ERR_OK) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    return ERR_OK;
}

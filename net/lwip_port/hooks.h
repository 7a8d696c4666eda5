/* SPDX-License-Identifier: BSD-2-Clause */
/* What lwIP's sources call beside the functions of a netif: see lwipopts.h. */
#ifndef HOOKS_H
#define HOOKS_H

#include <stdint.h>

struct netif;
struct pbuf;
struct tcp_hdr;
struct tcp_pcb;

/* The tag control information (IEEE 802.1Q) of a frame to be sent now, or -1: no tag. */
int32_t port_vlan_tag(const struct netif *netif);

/* A segment, header in host order, is about to be handled for a connection or a listening socket. */
void port_tcp_received(const struct netif *netif, struct tcp_hdr *header, struct tcp_pcb *pcb);

/* A connection's segment is about to be sent, its checksum not yet there. Returns options. */
uint32_t *port_tcp_sending(struct tcp_hdr *header, const struct tcp_pcb *pcb, uint32_t *options);

/* An IPv6 packet has come. Returns 1 where it was dropped and freed, otherwise 0. */
int port_ip6_input(struct pbuf *p);

#endif

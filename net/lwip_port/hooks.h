/* SPDX-License-Identifier: BSD-2-Clause */
/* What lwIP's sources call beside the functions of a netif: see lwipopts.h. */
#ifndef HOOKS_H
#define HOOKS_H

#include <stdint.h>

#include "lwip/err.h"
#include "lwip/ip_addr.h"

struct netif;
struct pbuf;
struct tcp_hdr;
struct tcp_pcb;

/* The tag control information (IEEE 802.1Q) of a frame to be sent now, or -1: no tag. */
int32_t port_vlan_tag(const struct netif *netif);

/*
 * A segment, header in host order, has come for a connection or a listening socket. Its options may go
 * on in another pbuf; p's payload is its data. Anything but ERR_OK: it is to be dropped.
 */
err_t port_tcp_input(struct tcp_pcb *pcb, struct tcp_hdr *header, uint16_t options_length,
                     uint16_t first_length, uint8_t *second, struct pbuf *p);

/* It is about to be handled. */
void port_tcp_received(const struct netif *netif, struct tcp_hdr *header, struct tcp_pcb *pcb);

/* A connection's segment is about to be sent, its checksum not yet there. Returns options. */
uint32_t *port_tcp_sending(struct tcp_hdr *header, const struct tcp_pcb *pcb, uint32_t *options);

/* The initial sequence number of a connection; ports in host order. */
uint32_t port_tcp_isn(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                      uint16_t remote_port);

/* A DHCP message is about to be sent: net/lease.c sees the answers first. */
void port_dhcp_sending(void);

/* An IPv4 packet has come. Returns 1 where it was dropped and freed, otherwise 0. */
int port_ip4_input(struct pbuf *p);

/* An IPv6 packet has come. Returns 1 where it was dropped and freed, otherwise 0. */
int port_ip6_input(struct pbuf *p);

/* In the place of lwIP's functions of these names, which they call. lwIP has no hooks there; but this
 * file is included where it calls them (ip4.c, ip6.c), and not where it defines them. */
void port_udp_input(struct pbuf *p, struct netif *netif);
void port_icmp_input(struct pbuf *p, struct netif *netif);
void port_icmp6_input(struct pbuf *p, struct netif *netif);
#define udp_input(p, netif) port_udp_input(p, netif)
#define icmp6_input(p, netif) port_icmp6_input(p, netif)
/* icmp.c includes this file, too; ip4.c includes this header before. */
#ifdef LWIP_HDR_RAW_PRIV_H
#define icmp_input(p, netif) port_icmp_input(p, netif)
#endif

#endif

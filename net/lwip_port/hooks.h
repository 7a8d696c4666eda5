/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that lwIP calls in addition to those of a netif: see lwipopts.h. */
#ifndef HOOKS_H
#define HOOKS_H

#include <stdint.h>

#include "lwip/err.h"
#include "lwip/ip_addr.h"

struct netif;
struct pbuf;
struct tcp_hdr;
struct tcp_pcb;

/* The tag control information (IEEE 802.1Q) of a frame being sent, or -1: no tag. */
int32_t port_vlan_tag(const struct netif *netif);

/*
 * Checks a segment for a connection or a listening socket; header in host byte order. Its options
 * may continue in another pbuf; p's payload is its data. Any result but ERR_OK: drop it.
 */
err_t port_tcp_input(struct tcp_pcb *pcb, struct tcp_hdr *header, uint16_t options_length,
                     uint16_t first_length, uint8_t *second, struct pbuf *p);

/* Called before the segment is handled. */
void port_tcp_received(const struct netif *netif, struct tcp_hdr *header, struct tcp_pcb *pcb);

/* Called before a connection's segment is sent and its checksum computed. Returns options. */
uint32_t *port_tcp_sending(struct tcp_hdr *header, const struct tcp_pcb *pcb, uint32_t *options);

/* The initial sequence number of a connection; ports in host byte order. */
uint32_t port_tcp_isn(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                      uint16_t remote_port);

/* Called before a DHCP message is sent: net/lease.c sees the answers first. */
void port_dhcp_sending(void);

/* Checks an IPv4 packet. Returns 1 if it was dropped and freed, otherwise 0. */
int port_ip4_input(struct pbuf *p);

/* Checks an IPv6 packet. Returns 1 if it was dropped and freed, otherwise 0. */
int port_ip6_input(struct pbuf *p);

/*
 * These replace lwIP's functions of these names, and call them. lwIP has no hooks there. But this
 * file is included in the files that call them (ip4.c, ip6.c), and not where they are defined.
 */
void port_udp_input(struct pbuf *p, struct netif *netif);
void port_tcp_search(struct pbuf *p, struct netif *netif);
void port_icmp_input(struct pbuf *p, struct netif *netif);
void port_icmp6_input(struct pbuf *p, struct netif *netif);
#define udp_input(p, netif) port_udp_input(p, netif)
#define icmp6_input(p, netif) port_icmp6_input(p, netif)
/* icmp.c and tcp_in.c include this file too; only ip4.c and ip6.c include this header before it. */
#ifdef LWIP_HDR_RAW_PRIV_H
#define icmp_input(p, netif) port_icmp_input(p, netif)
#define tcp_input(p, netif) port_tcp_search(p, netif)
#endif

#endif

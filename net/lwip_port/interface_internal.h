/* SPDX-License-Identifier: BSD-2-Clause */
/* The interfaces between the files of the port. */
#ifndef INTERFACE_INTERNAL_H
#define INTERFACE_INTERNAL_H

#include "lwip/err.h"
#include "net/lwip_port/interface.h"

struct tcp_hdr;
struct tcp_pcb;

/* nic_client.receive; context: the struct interface. */
void interface_receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                       const struct virtio_net_offload *offload);
enum {
    INTERFACE_RX_PRIVATE = 64
}; /* private bytes of each buffer, for receive.c:
                                * nic_client.private_size */

/* netif.input: a received frame. */
err_t interface_input(struct pbuf *p, struct netif *netif);

/*
 * Like interface_input(), for an IP packet without its Ethernet header, to this station only and without
 * a VLAN. For a frame longer than lwIP can count.
 */
err_t interface_input_ip(struct pbuf *p, struct netif *netif);

/* nic_client.transmitted; cookie: a pbuf or a joined frame, which is freed. */
void interface_transmitted(void *context, void *cookie);

/* Sets the time that lwIP counts from. now_ns: arch_clock_ns(). */
void port_clock_start(uint64_t now_ns);

/* lwIP counts the bytes of a frame in 16 bits: its Ethernet header, a VLAN tag and the packet. */
enum { INTERFACE_MTU_MAX = UINT16_MAX - 14 - 4 };

/*
 * Chooses how many places in the ring are reserved for frames that cannot wait. Call it when the
 * card is open, before interface_choose_offloads().
 */
void interface_choose_reserve(struct interface *interface);

/*
 * Chooses the work that the card does for lwIP. Call it when the card is open and its netif added.
 */
void interface_choose_offloads(struct interface *interface);

/* netif.output: etharp_output(), after completing the checksum of a fragmented datagram. */
err_t interface_output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to);
/* netif.output_ip6: the same with ethip6_output(). */
err_t interface_output_ipv6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to);

/* netif.linkoutput. On ERR_MEM, TCP keeps the segment and UDP's caller tries again. */
err_t interface_link_output(struct netif *netif, struct pbuf *p);

/* Delay before a card is told again what it did not do. */
enum { INTERFACE_ASK_CARD_AGAIN_MS = 1000 };

/* Makes the card receive the netif's VLAN. context: the port. */
void interface_vlan_tell(void *context);

/* True if a received frame belongs to the netif's VLAN; records its priority. */
bool interface_vlan_accepts(struct interface *interface, const struct pbuf *p);

/* Makes TCP respect the window requested by the card. */
void interface_window_init(const struct interface *interface);
/* Called before a segment is handled; header in host byte order. */
void interface_window_received(const struct interface *interface, struct tcp_hdr *header,
                               const struct tcp_pcb *pcb);

/* Makes the netif tell the card the groups that it has joined; for netif_init_fn. */
void interface_groups_init(struct netif *netif);
/* The same for IPv6 groups and the all-nodes group. */
void interface_groups_init_ipv6(struct netif *netif);

/*
 * Announces one of the netif's IPv6 addresses, if it is valid (RFC 4861 §7.2.6 Sending Unsolicited
 * Neighbor Advertisements). slot: its number in lwIP.
 */
void interface_advertise_ipv6(struct netif *netif, s8_t slot);

/*
 * Removes one of the netif's IPv6 addresses if a router's prefix makes it an address that no
 * station can have: lwIP accepts any prefix.
 */
void interface_check_ipv6(struct netif *netif, s8_t slot);

/* True if the IPv6 packet being handled, with ICMPv6, has or had a fragment header. */
bool port_ip6_in_fragments(void);

/*
 * Call it when a packet that port_ip6_input() accepted has been handled: corrects what lwIP has
 * learnt from it.
 */
void port_ip6_handled(void);

/*
 * When the ring has room again, lets waiting connections send. The one that has waited longest
 * comes first, as the room may not suffice for all. lwIP moves a connection to the front of its
 * list when a segment arrives, so those that have waited longest are at the end.
 */
void interface_resume_connections(struct interface *interface);

#endif

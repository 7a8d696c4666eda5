/* SPDX-License-Identifier: BSD-2-Clause */
/* What port.c, port_rx.c and port_tx.c have of each other. */
#ifndef PORT_INTERNAL_H
#define PORT_INTERNAL_H

#include "lwip/err.h"
#include "net/lwip_port/port.h"

struct tcp_hdr;
struct tcp_pcb;

/* nic_client.receive; context: the struct lwip_port. */
void port_receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                  const struct virtio_net_offload *offload);
enum { PORT_RX_PRIVATE = 64 }; /* bytes before each buffer for port_rx.c: nic_client.private_size */

/* Like netif.input, for an IP packet to this station alone, of no VLAN, whose Ethernet header is off:
 * the frame is longer than lwIP can count. */
err_t port_input_ip(struct pbuf *p, struct netif *netif);

/* nic_client.transmitted; cookie: a pbuf or a burst, which is freed. */
void port_transmitted(void *context, void *cookie);

enum { PORT_MTU_MAX = UINT16_MAX - 14 }; /* lwIP counts the bytes of a frame in 16 bits */

/* How many places in the ring are for what cannot wait; once the card is open, before the offloads. */
void port_choose_reserve(struct lwip_port *port);
/* The loop is told to wake up when a transmitted frame has come back. */
void port_wait_for_room(struct lwip_port *port);

/* What the card is to do of lwIP's work; once it is open, and its netif added. */
void port_choose_offloads(struct lwip_port *port);

/* netif.output: etharp_output(), and the checksum of a datagram in fragments before that. */
err_t port_output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to);
/* netif.output_ip6: the same with ethip6_output(). */
err_t port_output_ipv6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to);

/* netif.linkoutput. ERR_MEM makes TCP keep the segment, and UDP's caller try again. */
err_t port_link_output(struct netif *netif, struct pbuf *p);

/* A card that did not do what it was told is asked again after this time. */
enum { PORT_ASK_CARD_AGAIN_MS = 1000 };

/* Makes the card receive the netif's VLAN. context: the port. */
void port_vlan_tell(void *context);

/* Whether a received frame is of the netif's VLAN; notes its priority. */
bool port_vlan_accepts(struct lwip_port *port, const struct pbuf *p);

/* Makes TCP keep to the window that the card asks for. */
void port_window_init(const struct lwip_port *port);
/* A segment, header in host order, is about to be handled. */
void port_window_received(const struct lwip_port *port, struct tcp_hdr *header,
                          const struct tcp_pcb *pcb);

/* Makes the netif tell the card which groups it has joined: netif_init_fn's part. */
void port_groups_init(struct netif *netif);
/* The same for those of IPv6, and that of all its stations. */
void port_groups_init_ipv6(struct netif *netif);

/* Tells everybody one of the netif's addresses of IPv6, if it is valid (RFC 4861 §7.2.6 Sending
 * Unsolicited Neighbor Advertisements). slot: its number, as lwIP has it. */
void port_advertise_ipv6(struct netif *netif, s8_t slot);

/* Gives up one of the netif's addresses of IPv6, if a router's prefix makes it one that no station can
 * have: lwIP takes any prefix. */
void port_check_ipv6(struct netif *netif, s8_t slot);

/* Whether the packet of IPv6 being handled, with ICMPv6, has or had a fragment header. */
bool port_ip6_in_fragments(void);

/* What port_ip6_input() let in has been handled: puts right what lwIP believes of it. */
void port_ip6_handled(void);

/*
 * When there is room in the ring again: lets the connections send that found none. Those that have
 * waited longest come first, for which a moment's room may be all there is: lwIP puts a connection
 * at the front of its list when a segment arrives, so they are the last ones.
 */
void port_resume_connections(struct lwip_port *port);

#endif

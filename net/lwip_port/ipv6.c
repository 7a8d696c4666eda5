/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lwIP lacks for IPv6: unsolicited advertisements; checks of datagrams without a checksum, of
 * fragments that add up to too much, and of path MTUs; and formatting an address.
 */
#include <string.h>

#include "lwip/icmp6.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip6.h"
#include "lwip/nd6.h"
#include "lwip/pbuf.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/nd6.h"
#include "lwip/prot/udp.h"
#include "net/lwip_port/guard.h"
#include "net/lwip_port/hooks.h"
#include "net/lwip_port/interface_internal.h"

/* Proves that the sender is on the link (RFC 4861 §7.1.2). */
enum { NEIGHBOUR_HOPS = 255 };

/* A neighbour advertisement with the link-layer address option (RFC 4861 §4.4, §4.6.1). */
struct advertisement {
    struct na_header header;
    uint8_t option_type;
    uint8_t option_length; /* in units of 8 bytes */
    uint8_t mac[ETH_HWADDR_LEN];
} __attribute__((packed));

_Static_assert(sizeof(struct advertisement) == 32, "neighbour advertisement");

static void advertise(struct netif *netif, const ip6_addr_t *address)
{
    struct pbuf *p = pbuf_alloc(PBUF_IP, sizeof(struct advertisement), PBUF_RAM);
    struct advertisement *advertisement;
    ip6_addr_t all_nodes;

    if (p == NULL) {
        return;
    }
    ip6_addr_set_allnodes_linklocal(&all_nodes);
    ip6_addr_assign_zone(&all_nodes, IP6_MULTICAST, netif);
    advertisement = p->payload;
    *advertisement = (struct advertisement){
        .header = {.type = ICMP6_TYPE_NA, .flags = ND6_FLAG_OVERRIDE},
        .option_type = ND6_OPTION_TYPE_TARGET_LLADDR,
        .option_length = 1,
    };
    ip6_addr_copy_to_packed(advertisement->header.target_address, *address);
    memcpy(advertisement->mac, netif->hwaddr, ETH_HWADDR_LEN);
    advertisement->header.chksum =
        ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, p->tot_len, address, &all_nodes);
    ip6_output_if(p, address, &all_nodes, NEIGHBOUR_HOPS, 0, IP6_NEXTH_ICMP6, netif);
    pbuf_free(p);
}

void interface_advertise_ipv6(struct netif *netif, s8_t slot)
{
    if (ip6_addr_isvalid(netif_ip6_addr_state(netif, slot))) {
        advertise(netif, netif_ip6_addr(netif, slot));
    }
}

void interface_check_ipv6(struct netif *netif, s8_t slot)
{
    const ip6_addr_t *address = netif_ip6_addr(netif, slot);

    if (ip6_addr_istentative(netif_ip6_addr_state(netif, slot)) &&
        (ip6_addr_ismulticast(address) || (address->addr[0] == 0 && address->addr[1] == 0))) {
        netif_ip6_addr_set_state(netif, slot, IP6_ADDR_INVALID);
    }
}

const char *interface_text_ipv6(const ip6_addr_t *address, char *text)
{
    ip6addr_ntoa_r(address, text, IP6ADDR_STRLEN_MAX);
    for (char *c = text; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'F') {
            *c = (char)(*c | 0x20);
        }
    }
    return text;
}

/* The offset of a packet's fragment header, or 0 if there is none in reach (RFC 8200 §4). */
static uint32_t find_fragment(const struct pbuf *p)
{
    const uint8_t *bytes = p->payload;
    uint32_t at = IP6_HLEN;
    uint8_t next = IP6H_NEXTH((const struct ip6_hdr *)p->payload);

    while (next == IP6_NEXTH_HOPBYHOP || next == IP6_NEXTH_ROUTING || next == IP6_NEXTH_DESTOPTS) {
        if (at + 2 > p->len) {
            return 0;
        }
        next = bytes[at];
        at += 8 * (bytes[at + 1] + 1U);
    }
    return next == IP6_NEXTH_FRAGMENT && at + sizeof(struct ip6_frag_hdr) <= p->len ? at : 0;
}

static bool in_fragments; /* of the packet being handled */

bool port_ip6_in_fragments(void)
{
    return in_fragments;
}

/* The packet being handled may change a path's MTU. */
static bool may_say_mtu;

/* The content of a fragment, or behind another header, cannot be checked. */
static bool is_packet_too_big(const struct pbuf *p)
{
    uint8_t next = IP6H_NEXTH((const struct ip6_hdr *)p->payload);

    return next != IP6_NEXTH_ICMP6 ||
           (p->len > IP6_HLEN && ((const uint8_t *)p->payload)[IP6_HLEN] == ICMP6_TYPE_PTB);
}

/*
 * lwIP accepts any MTU, and a tiny one would make it send empty fragments without end. The minimum
 * is 1280, and no such message raises a path's MTU (RFC 8201 §4).
 */
void port_ip6_handled(void)
{
    if (!may_say_mtu) {
        return;
    }
    may_say_mtu = false;
    for (unsigned i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++) {
        struct nd6_destination_cache_entry *entry = &destination_cache[i];
        struct netif *netif = ip6_route(IP6_ADDR_ANY6, &entry->destination_addr);

        if (entry->pmtu < IP6_MIN_MTU_LENGTH) {
            entry->pmtu = IP6_MIN_MTU_LENGTH;
        }
        if (netif != NULL && entry->pmtu > netif_mtu6(netif)) {
            entry->pmtu = netif_mtu6(netif);
        }
    }
}

/*
 * RFC 8200 §8.1: over IPv6 each UDP datagram must have a checksum. lwIP accepts one without, as
 * over IPv4.
 */
static bool lacks_checksum(const struct pbuf *p)
{
    struct udp_hdr udp;

    if (p->len < IP6_HLEN + sizeof udp) {
        return false;
    }
    memcpy(&udp, (const uint8_t *)p->payload + IP6_HLEN, sizeof udp);
    return udp.chksum == 0;
}

/*
 * True if a packet with a fragment header at this offset is empty (see fragments.c), or ends beyond
 * 16 bits, in which lwIP counts a whole packet with its headers: the sum would wrap.
 */
static bool is_bad_fragment(const struct pbuf *p, uint32_t at)
{
    const struct ip6_hdr *ip = p->payload;
    struct ip6_frag_hdr fragment;
    uint32_t offset, end;

    memcpy(&fragment, (const uint8_t *)p->payload + at, sizeof fragment);
    offset = lwip_ntohs(fragment._fragment_offset) & IP6_FRAG_OFFSET_MASK;
    end = IP6_HLEN + (uint32_t)IP6H_PLEN(ip);
    if (end > at + IP6_FRAG_HLEN && end - IP6_FRAG_HLEN + offset <= UINT16_MAX) {
        return false;
    }
    guard_counters.fragments_refused++;
    return true;
}

/* LWIP_HOOK_IP6_INPUT: drops packets that lwIP must not see. */
int port_ip6_input(struct pbuf *p)
{
    uint8_t next = p->len < IP6_HLEN ? IP6_NEXTH_NONE : IP6H_NEXTH((struct ip6_hdr *)p->payload);
    uint32_t fragment;
    bool drop;

    if (next == IP6_NEXTH_TCP || next == IP6_NEXTH_NONE) {
        return 0;
    }
    if (next == IP6_NEXTH_UDP) {
        drop = lacks_checksum(p);
    } else {
        may_say_mtu = is_packet_too_big(p);
        fragment = find_fragment(p);
        in_fragments = fragment != 0;
        drop = in_fragments && is_bad_fragment(p, fragment);
    }
    if (drop) {
        pbuf_free(p);
    }
    return drop;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks between lwIP's IP input and its input of UDP and ICMPv6, which lwIP lacks: hooks.h. */
#include <stdbool.h>

#include "lwip/icmp.h"
#include "lwip/icmp6.h"
#include "lwip/ip.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/nd6.h"
#include "lwip/prot/udp.h"
#include "lwip/udp.h"
#include "net/lwip_port/conflict.h"
#include "net/lwip_port/frame.h"
#include "net/lwip_port/hooks.h"
#include "net/lwip_port/interface_internal.h"
#include "net/lwip_port/neighbours.h"
#include "net/lwip_port/ping.h"

/*
 * Enforces the datagram's own length: it must lie within the packet, and bytes behind it are
 * removed.
 */
void port_udp_input(struct pbuf *p, struct netif *netif)
{
    uint16_t length;

    if (p->len >= UDP_HLEN) {
        length = lwip_ntohs(((const struct udp_hdr *)p->payload)->len);
        if (length < UDP_HLEN || length > p->tot_len) {
            pbuf_free(p);
            return;
        }
        if (length < p->tot_len) {
            pbuf_realloc(p, length);
        }
    }
    (udp_input)(p, netif);
}

/* Converts an address in a message to the form that lwIP compares. */
static ip6_addr_t address_of(ip6_addr_p_t packed, const struct netif *netif)
{
    ip6_addr_t address;

    ip6_addr_copy_from_packed(address, packed);
    ip6_addr_assign_zone(&address, IP6_UNICAST, netif);
    return address;
}

/*
 * True if a station claims an address that is confirmed as ours. lwIP would give it up at any time,
 * while RFC 4862 §5.4.4 says so for tentative addresses only.
 */
static bool claims_ours(const struct pbuf *p, struct netif *netif)
{
    ip6_addr_t target = address_of(((const struct na_header *)p->payload)->target_address, netif);
    s8_t slot = netif_get_ip6_addr_match(netif, &target);

    if (slot < 0 || !ip6_addr_isvalid(netif_ip6_addr_state(netif, slot))) {
        return false;
    }
    conflict_claimed_ipv6(netif, slot);
    return true;
}

/*
 * True if a redirect comes from our router for the destination, and leads to the destination itself
 * or to another router (RFC 4861 §8.1).
 */
static bool redirects(const struct pbuf *p, const struct netif *netif)
{
    const struct redirect_header *redirect = p->payload;
    ip6_addr_t destination = address_of(redirect->destination_address, netif);
    ip6_addr_t target = address_of(redirect->target_address, netif);

    if (!ip6_addr_islinklocal(&target) && !ip6_addr_eq(&target, &destination)) {
        return false;
    }
    for (unsigned i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++) {
        if (ip6_addr_eq(&destination_cache[i].destination_addr, &destination)) {
            return ip6_addr_eq(&destination_cache[i].next_hop_addr, ip6_current_src_addr());
        }
    }
    return false;
}

enum { OPTION_UNIT = 8 }; /* bytes */

/* The length of a neighbour discovery message without its options; 0 for other types. */
static uint32_t fixed_length(uint8_t type)
{
    switch (type) {
    case ICMP6_TYPE_RS:
        return sizeof(struct rs_header);
    case ICMP6_TYPE_RA:
        return sizeof(struct ra_header);
    case ICMP6_TYPE_NS:
        return sizeof(struct ns_header);
    case ICMP6_TYPE_NA:
        return sizeof(struct na_header);
    case ICMP6_TYPE_RD:
        return sizeof(struct redirect_header);
    default:
        return 0;
    }
}

/* True if the option at this offset contains a link-layer address that no station can have. */
static bool misleads(const struct pbuf *p, uint32_t at)
{
    uint8_t type = pbuf_get_at(p, (u16_t)at);
    uint8_t mac[ETH_HWADDR_LEN];

    return (type == ND6_OPTION_TYPE_SOURCE_LLADDR || type == ND6_OPTION_TYPE_TARGET_LLADDR) &&
           pbuf_copy_partial(p, mac, sizeof mac, (u16_t)(at + 2)) == sizeof mac &&
           !frame_is_station(mac);
}

/*
 * True if the options from this offset on end where the message does, none is empty (RFC 4861 §6.1,
 * §7.1), and each passes misleads(). lwIP checks lengths only partly: it reads an address behind an
 * empty option.
 */
static bool has_good_options(const struct pbuf *p, uint32_t at)
{
    while (at + 1 < p->tot_len) {
        uint8_t length = pbuf_get_at(p, (u16_t)(at + 1));

        if (length == 0 || misleads(p, at)) {
            return false;
        }
        at += OPTION_UNIT * (uint32_t)length;
    }
    return at == p->tot_len;
}

/* Neighbour discovery must not be fragmented (RFC 6980 §5). */
static bool is_bad_discovery(const struct pbuf *p, uint8_t type)
{
    uint32_t fixed = fixed_length(type);

    return fixed != 0 && (port_ip6_in_fragments() || !has_good_options(p, fixed));
}

void port_icmp_input(struct pbuf *p, struct netif *netif)
{
    if (ping_take(p, false)) {
        pbuf_free(p);
        return;
    }
    (icmp_input)(p, netif);
}

/* Offers a place to whom the message tells lwIP of: its sender, or where a redirect leads to. */
static void offer_place(struct neighbours_offer *offer, const struct pbuf *p,
                        const struct netif *netif, uint8_t type)
{
    ip6_addr_t target;

    if (type == ICMP6_TYPE_NS || type == ICMP6_TYPE_RA) {
        neighbours_offer(offer, ip6_current_src_addr());
    } else if (type == ICMP6_TYPE_RD && p->len >= sizeof(struct redirect_header)) {
        target = address_of(((const struct redirect_header *)p->payload)->target_address, netif);
        neighbours_offer(offer, &target);
    }
}

void port_icmp6_input(struct pbuf *p, struct netif *netif)
{
    uint8_t type = p->len > 0 ? *(const uint8_t *)p->payload : 0;
    struct neighbours_offer offer = {0};

    if (ping_take(p, true) || is_bad_discovery(p, type) ||
        (type == ICMP6_TYPE_NA && p->len >= sizeof(struct na_header) && claims_ours(p, netif)) ||
        (type == ICMP6_TYPE_RD && p->len >= sizeof(struct redirect_header) &&
         !redirects(p, netif))) {
        pbuf_free(p);
        return;
    }
    offer_place(&offer, p, netif, type);
    (icmp6_input)(p, netif);
    neighbours_take_back(&offer);
}

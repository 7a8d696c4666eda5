/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/may_send.h"

#include "lwip/ip.h"
#include "lwip/nd6.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/udp.h"
#include "net/cards.h"

enum { FRAGMENT_PARTS = 3 }; /* a header; the end of one pbuf of the payload, and the next pbuf */

/*
 * How much of a datagram of `length` bytes, UDP header and payload, fits into one packet. For
 * fragments it is a multiple of 8 (RFC 791 §3.2, RFC 8200 §4.5), and never 0.
 */
static uint32_t room_in_packet(const ip_addr_t *to, struct netif *netif, uint32_t length)
{
    bool v4 = IP_IS_V4(to);
    uint32_t mtu = v4 ? netif->mtu : nd6_get_destination_mtu(ip_2_ip6(to), netif);
    uint32_t headers = v4 ? IP_HLEN : IP6_HLEN;
    uint32_t fragment_headers = v4 ? IP_HLEN : IP6_HLEN + IP6_FRAG_HLEN;

    if (headers + length <= mtu) {
        return length;
    }
    return mtu < fragment_headers + 8 ? 8 : (mtu - fragment_headers) / 8 * 8;
}

static bool is_link_missing(void)
{
    bool missing = false;

    for (unsigned i = 0; i < net_interface_count(); i++) {
        missing |= !netif_is_link_up(&net_interface(i)->netif);
    }
    return missing;
}

/* Each fragment needs room in the ring. */
bool net_may_send(const ip_addr_t *to, uint32_t payload)
{
    struct netif *netif = ip_route(IP_IS_V4(to) ? IP4_ADDR_ANY : IP6_ADDR_ANY, to);
    uint32_t fragment;

    if (netif == NULL) {
        /*
         * A netif whose link is down does not count as a route; the poller is called again when it
         * is up. If there is no route for another reason, sending reports the error.
         */
        return !is_link_missing();
    }
    fragment = room_in_packet(to, netif, payload + UDP_HLEN);
    if (interface_has_room(netif->state, (payload + UDP_HLEN + fragment - 1) / fragment,
                           FRAGMENT_PARTS)) {
        return true;
    }
    interface_wait_for_room(netif->state);
    return false;
}

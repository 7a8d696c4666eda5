/* SPDX-License-Identifier: BSD-2-Clause */
/* Drops IPv4 packets that lwIP must not get. ipv6.c does so for IPv6. */
#include <stdbool.h>

#include "lwip/ip4.h"
#include "lwip/pbuf.h"
#include "lwip/prot/ip.h"
#include "net/lwip_port/guard.h"
#include "net/lwip_port/hooks.h"

/*
 * True if no station can have the source address. lwIP would answer 0.0.0.0 with a broadcast. IGMP
 * queries may come from 0.0.0.0 (RFC 4541 §2.1.1).
 */
static bool has_no_sender(const struct ip_hdr *ip)
{
    uint8_t first = ((const uint8_t *)&ip->src)[0];

    return first == IP_LOOPBACKNET || (first == 0 && IPH_PROTO(ip) != IP_PROTO_IGMP);
}

/*
 * An empty fragment ends a pbuf chain with a pbuf of no bytes. lwIP considers such a chain two
 * packets, and an assertion fails when it keeps an answer made in place. Besides, lwIP checks the
 * limit of 65,535 bytes, header included, for the last fragment only.
 */
static bool is_bad_fragment(const struct ip_hdr *ip)
{
    uint32_t length = lwip_ntohs(IPH_LEN(ip));

    if (!(IPH_OFFSET(ip) & PP_HTONS(IP_OFFMASK | IP_MF)) ||
        (length > IPH_HL_BYTES(ip) && IPH_OFFSET_BYTES(ip) + length <= UINT16_MAX)) {
        return false;
    }
    guard_counters.fragments_refused++;
    return true;
}

/* LWIP_HOOK_IP4_INPUT */
int port_ip4_input(struct pbuf *p)
{
    const struct ip_hdr *ip = p->payload;

    if (p->len < IP_HLEN || !(has_no_sender(ip) || is_bad_fragment(ip))) {
        return 0;
    }
    pbuf_free(p);
    return 1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of IPv4 that lwIP must not get: those of IPv6 are in ipv6.c. */
#include <stdbool.h>

#include "lwip/ip4.h"
#include "lwip/pbuf.h"
#include "lwip/prot/ip.h"
#include "net/lwip_port/guard.h"
#include "net/lwip_port/hooks.h"

/* Whether it says that it comes from where no station is. To 0.0.0.0 lwIP would answer by a broadcast.
 * Queries of IGMP do come from there (RFC 4541 §2.1.1). */
static bool has_no_sender(const struct ip_hdr *ip)
{
    uint8_t first = ((const uint8_t *)&ip->src)[0];

    return first == IP_LOOPBACKNET || (first == 0 && IPH_PROTO(ip) != IP_PROTO_IGMP);
}

/* An empty fragment ends a chain of pbufs with one of no bytes, which lwIP takes for two packets, and
 * asserts that there is one, when it keeps an answer that is made in place. And lwIP checks only of the
 * last fragment that a packet with its header is no more than 65,535 bytes. */
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

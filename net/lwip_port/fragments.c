/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments of IPv4 that lwIP must not get: those of IPv6 are in ipv6.c. */
#include "lwip/ip4.h"
#include "lwip/pbuf.h"
#include "net/lwip_port/guard.h"
#include "net/lwip_port/hooks.h"

/*
 * LWIP_HOOK_IP4_INPUT. An empty fragment ends a chain of pbufs with one of no bytes, which lwIP takes
 * for two packets, and asserts that there is one, when it keeps an answer that is made in place. And
 * lwIP checks only of the last fragment that a packet with its header is no more than 65,535 bytes.
 */
int port_ip4_input(struct pbuf *p)
{
    const struct ip_hdr *ip = p->payload;
    uint32_t length, header;

    if (p->len < IP_HLEN || !(IPH_OFFSET(ip) & PP_HTONS(IP_OFFMASK | IP_MF))) {
        return 0;
    }
    length = lwip_ntohs(IPH_LEN(ip));
    header = IPH_HL_BYTES(ip);
    if (length > header && IPH_OFFSET_BYTES(ip) + length <= UINT16_MAX) {
        return 0;
    }
    guard_counters.fragments_refused++;
    pbuf_free(p);
    return 1;
}

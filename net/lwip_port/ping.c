/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/ping.h"

#include "lwip/icmp.h"
#include "lwip/icmp6.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip.h"
#include "lwip/pbuf.h"
#include "lwip/prot/icmp6.h"
#include "net/lwip_port/hooks.h"

ping_heard_t ping_heard;

/* ICMP and ICMPv6 have the same header. */
_Static_assert(sizeof(struct icmp_echo_hdr) == sizeof(struct icmp6_echo_hdr), "echo");

/* Fills in ascending bytes, like other programs. */
static void fill(const struct pbuf *p)
{
    uint8_t value = 0;

    for (uint16_t skip = sizeof(struct icmp_echo_hdr); p != NULL; p = p->next, skip = 0) {
        for (uint16_t i = skip; i < p->len; i++) {
            ((uint8_t *)p->payload)[i] = value++;
        }
    }
}

static err_t send_ipv4(struct pbuf *p, const ip4_addr_t *to)
{
    struct icmp_echo_hdr *header = p->payload;
    struct netif *netif = ip4_route(to);

    if (netif == NULL) {
        return ERR_RTE;
    }
    header->type = ICMP_ECHO;
    header->chksum = inet_chksum_pbuf(p);
    return ip4_output_if(p, NULL, to, ICMP_TTL, 0, IP_PROTO_ICMP, netif);
}

static err_t send_ipv6(struct pbuf *p, const ip6_addr_t *to)
{
    struct icmp_echo_hdr *header = p->payload;
    struct netif *netif = ip6_route(IP6_ADDR_ANY6, to);
    const ip_addr_t *from = netif != NULL ? ip6_select_source_address(netif, to) : NULL;

    if (from == NULL) {
        return ERR_RTE;
    }
    header->type = ICMP6_TYPE_EREQ;
    header->chksum = ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, p->tot_len, ip_2_ip6(from), to);
    return ip6_output_if(p, ip_2_ip6(from), to, ICMP_TTL, 0, IP6_NEXTH_ICMP6, netif);
}

err_t ping_send(const ip_addr_t *to, uint16_t id, uint16_t sequence, uint16_t size)
{
    uint16_t length = (uint16_t)(sizeof(struct icmp_echo_hdr) + size);
    struct pbuf *p = size <= PING_SIZE_MAX ? pbuf_alloc(PBUF_IP, length, PBUF_RAM) : NULL;
    struct icmp_echo_hdr *header;
    err_t error;

    if (p == NULL) {
        return ERR_MEM;
    }
    header = p->payload;
    *header = (struct icmp_echo_hdr){.id = lwip_htons(id), .seqno = lwip_htons(sequence)};
    fill(p);
    error = IP_IS_V6(to) ? send_ipv6(p, ip_2_ip6(to)) : send_ipv4(p, ip_2_ip4(to));
    pbuf_free(p);
    return error;
}

/*
 * Verifies the checksum itself, whatever the card did: replies are rare and checked only while
 * somebody waits for them.
 */
static bool is_good(const struct pbuf *p, bool ipv6)
{
    if (ipv6) {
        return ip6_chksum_pseudo((struct pbuf *)p, IP6_NEXTH_ICMP6, p->tot_len,
                                 ip6_current_src_addr(), ip6_current_dest_addr()) == 0;
    }
    return inet_chksum_pbuf((struct pbuf *)p) == 0;
}

bool ping_take(const struct pbuf *p, bool ipv6)
{
    const struct icmp_echo_hdr *header = p->payload;

    if (ping_heard == NULL || p->len < sizeof *header ||
        header->type != (ipv6 ? ICMP6_TYPE_EREP : ICMP_ER) || !is_good(p, ipv6)) {
        return false;
    }
    ping_heard(ip_current_src_addr(), lwip_ntohs(header->id), lwip_ntohs(header->seqno),
               (uint16_t)(p->tot_len - sizeof *header));
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks by neighbour discovery, router advertisements and IPv6 groups. */
#include <string.h>

#include "tests/hell/frame.h"

enum { QUERY = 130, REPORT = 131, DONE = 132, ROUTER_ADVERTISEMENT = 134, SOLICITATION = 135 };
enum { ADVERTISEMENT = 136, REDIRECT = 137, REPORT_2 = 143 };
enum { OPTION_SOURCE = 1, OPTION_TARGET = 2, OPTION_PREFIX = 3, OPTION_MTU = 5, OPTION_RDNSS = 25 };

static const uint8_t all_nodes_mac[MAC_LENGTH] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t guest_group[IPV6_LENGTH] = {0xff, 2, [11] = 1, 0xff, 0, 0, 2};
static const uint8_t guest_group_mac[MAC_LENGTH] = {0x33, 0x33, 0xff, 0, 0, 2};

static void begin(struct frame *f, const uint8_t *from, const uint8_t *mac, const uint8_t *to,
                  uint32_t type)
{
    ethernet(f, mac, TYPE_IPV6);
    ip6(f, from, to, ICMP6);
    put_16(f, type << 8);
    put_16(f, 0);
}

static void mac_option(struct frame *f, uint32_t kind)
{
    uint8_t mac[MAC_LENGTH];

    station_mac(mac, f->number % ADDRESSES);
    put_8(f, kind);
    put_8(f, below(f, 64) == 0 ? any(f) : 1);
    put(f, mac, MAC_LENGTH);
}

/*
 * Solicitations for the guest, from 100,000 stations; some without a sender, as from a new station.
 */
static void solicitations(struct frame *f)
{
    uint8_t from[IPV6_LENGTH] = {0};
    uint32_t newcomer = below(f, 64) == 0;

    if (!newcomer) {
        station_ip6(f, from);
    }
    begin(f, from, guest_group_mac, guest_group, SOLICITATION);
    put_32(f, 0);
    put(f, guest_ip6, IPV6_LENGTH);
    if (!newcomer) {
        mac_option(f, OPTION_SOURCE);
    }
    ip_end(f);
}

static void advertisements(struct frame *f)
{
    uint8_t from[IPV6_LENGTH];
    uint32_t own = below(f, 64) == 0; /* claims the guest's address */

    station_ip6(f, from);
    begin(f, from, f->number & 1 ? all_nodes_mac : NULL, f->number & 1 ? all_nodes : guest_ip6,
          ADVERTISEMENT);
    put_32(f, any(f) & 0xe0000000);
    put(f, own ? guest_ip6 : from, IPV6_LENGTH);
    mac_option(f, OPTION_TARGET);
    ip_end(f);
}

static void prefix_option(struct frame *f)
{
    static const uint32_t lifetimes[] = {0, 1, 600, 0xffffffff};

    put_8(f, OPTION_PREFIX);
    put_8(f, 4);
    put_8(f, below(f, 4) == 0 ? any(f) : 64);
    put_8(f, below(f, 4) == 0 ? any(f) : 0xc0);
    put_32(f, lifetimes[below(f, 4)]);
    put_32(f, lifetimes[below(f, 4)]);
    put_32(f, 0);
    put_16(f, 0x2001);
    put_any(f, 6);
    put_zeros(f, 8);
}

/* From many routers, with random prefixes, MTUs, servers, times and lifetimes, which may be 0. */
static void router_advertisements(struct frame *f)
{
    uint8_t from[IPV6_LENGTH];

    link_local(from, f->number % ADDRESSES);
    begin(f, from, all_nodes_mac, all_nodes, ROUTER_ADVERTISEMENT);
    put_8(f, any(f)); /* hop limit */
    put_8(f, any(f)); /* flags: managed, other and so on */
    put_16(f, below(f, 2) ? 0 : any(f));
    put_32(f, below(f, 2) ? 0 : any(f));
    put_32(f, below(f, 2) ? 0 : any(f));
    mac_option(f, OPTION_SOURCE);
    put_16(f, OPTION_MTU << 8 | 1);
    put_16(f, 0);
    put_32(f, below(f, 2) ? below(f, 2000) : any(f));
    for (uint32_t prefixes = below(f, 5); prefixes > 0; prefixes--) {
        prefix_option(f);
    }
    if (below(f, 4) == 0) {
        put_16(f, OPTION_RDNSS << 8 | 3);
        put_16(f, 0);
        put_32(f, any(f));
        put_any(f, IPV6_LENGTH);
    }
    if (below(f, 8) == 0) {
        put_any(f, below(f, 40));
    }
    ip_end(f);
}

static void redirects(struct frame *f)
{
    uint8_t from[IPV6_LENGTH], other[IPV6_LENGTH];

    link_local(from, f->number % ADDRESSES);
    begin(f, from, NULL, guest_ip6, REDIRECT);
    put_32(f, 0);
    put(f, from, IPV6_LENGTH);
    station_ip6(f, other);
    put(f, other, IPV6_LENGTH);
    mac_option(f, OPTION_TARGET);
    ip_end(f);
}

/* General and specific queries, reports and done messages. */
static void mld(struct frame *f)
{
    static const uint8_t types[] = {QUERY, QUERY, REPORT, DONE, REPORT_2};
    static const uint8_t mdns_group[IPV6_LENGTH] = {0xff, 2, [15] = 0xfb};
    uint8_t from[IPV6_LENGTH], group[IPV6_LENGTH] = {0};
    uint32_t type = types[below(f, sizeof types)];

    link_local(from, f->number % ADDRESSES);
    if (below(f, 2)) {
        memcpy(group, mdns_group, sizeof group);
    }
    ethernet(f, all_nodes_mac, TYPE_IPV6);
    ip6(f, from, all_nodes, 0);
    put_32(f, ICMP6 << 24 | 0x0502); /* hop-by-hop options: router alert */
    put_32(f, 0x0100);
    f->payload = f->length;
    f->carried = ICMP6;
    put_16(f, type << 8);
    put_16(f, 0);
    put_32(f, below(f, 2) ? 0 : any(f)); /* maximum response delay */
    put(f, group, sizeof group);
    put_any(f, below(f, 4) == 0 ? below(f, 40) : 0);
    ip_end(f);
}

const struct attack nd_attacks[] = {
    {"neighbour-solicitations", solicitations},
    {"neighbour-advertisements", advertisements},
    {"router-advertisements", router_advertisements},
    {"redirects", redirects},
    {"mld", mld},
    {NULL, NULL},
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks by IPv6: neighbours, routers and groups are in attacks_nd.c. */
#include "tests/hell/frame.h"

enum { PACKETS = 10000, MORE = 1, TOO_BIG = 2, ECHO = 128 };
enum { HOP_BY_HOP = 0, ROUTING = 43, NOTHING = 59, DESTINATION = 60 };

static void syn6(struct frame *f)
{
    from_station6(f, TCP);
    syn(f);
    ip_end(f);
}

static void stray6(struct frame *f)
{
    from_station6(f, TCP);
    stray_segment(f);
    ip_end(f);
}

static void closed6(struct frame *f)
{
    from_station6(f, UDP);
    closed_port(f);
    ip_end(f);
}

static void echo6(struct frame *f)
{
    from_station6(f, ICMP6);
    echo_request(f, ECHO);
    ip_end(f);
}

/* An ICMPv6 error about a packet that the guest may have sent to a station. */
static void error6(struct frame *f, uint32_t type, uint32_t code, uint32_t what)
{
    uint8_t station[IPV6_LENGTH];

    from_station6(f, ICMP6);
    put_16(f, type << 8 | code);
    put_16(f, 0);
    put_32(f, what);
    put_32(f, 0x60000000);
    put_32(f, below(f, 1440) << 16 | (below(f, 2) ? TCP : UDP) << 8 | 64);
    put(f, guest_ip6, IPV6_LENGTH);
    station_ip6(f, station);
    put(f, station, IPV6_LENGTH);
    sent_by_guest_tcp(f);
    ip_end(f);
}

static void too_big(struct frame *f)
{
    error6(f, TOO_BIG, 0, below(f, 2) ? below(f, 1500) : any(f));
}

static void icmp6_errors(struct frame *f)
{
    error6(f, below(f, 2) ? 1 + below(f, 4) : any(f) & 0x7f, below(f, 8), any(f));
}

/* To the echo service, by multicast groups; the guest has joined the first two. */
static void groups6(struct frame *f)
{
    uint8_t to[IPV6_LENGTH] = {0xff, 2}, from[IPV6_LENGTH], mac[MAC_LENGTH] = {0x33, 0x33};
    uint32_t chance = below(f, 3);

    to[15] = chance == 0 ? 1 : chance == 1 ? 0xfb : (uint8_t)any(f);
    mac[5] = to[15];
    station_ip6(f, from);
    ethernet(f, mac, TYPE_IPV6);
    ip6(f, from, to, UDP);
    put_32(f, 4000 << 16 | 7);
    put_32(f, (8 + 100) << 16);
    put_any(f, 100);
    ip_end(f);
}

static void mdns6(struct frame *f)
{
    static const uint8_t mac[MAC_LENGTH] = {0x33, 0x33, 0, 0, 0, 0xfb};
    static const uint8_t to[IPV6_LENGTH] = {0xff, 2, [15] = 0xfb};
    uint8_t from[IPV6_LENGTH];

    station_ip6(f, from);
    ethernet(f, mac, TYPE_IPV6);
    ip6(f, from, to, UDP);
    mdns(f);
    ip_end(f);
}

static void fragment(struct frame *f, uint32_t id, uint32_t offset_more, uint32_t length)
{
    uint8_t from[IPV6_LENGTH];

    link_local(from, 7);
    ethernet(f, NULL, TYPE_IPV6);
    ip6(f, from, guest_ip6, FRAGMENT6);
    put_16(f, UDP << 8);
    put_16(f, offset_more);
    put_32(f, id);
    f->carried = 0;
    put_any(f, length);
    ip_end(f);
}

static void overlapping6(struct frame *f)
{
    uint32_t offset = below(f, 16) == 0 ? below(f, 0x2000) : below(f, 200);

    fragment(f, f->number / 64, offset << 3 | (below(f, 8) ? MORE : 0), 8 * below(f, 180));
}

static void tiny6(struct frame *f)
{
    fragment(f, f->number / 500, (f->number % 500) << 3 | (below(f, 100) ? MORE : 0),
             below(f, 8) ? 8 : below(f, 9));
}

static void unfinished6(struct frame *f)
{
    uint32_t last = below(f, 2);

    fragment(f, f->number % PACKETS, last ? 180 << 3 : MORE, last ? 400 : 1440);
}

/* A chain of extension headers with random options, before an echo request. */
static void extension_headers(struct frame *f)
{
    static const uint8_t kinds[] = {DESTINATION, ROUTING, HOP_BY_HOP, FRAGMENT6};
    uint32_t count = 1 + below(f, 20);
    uint8_t next = kinds[below(f, 4)];

    from_station6(f, next);
    for (; count > 0; count--) {
        uint8_t kind = next;

        next = count > 1 ? kinds[below(f, 4)] : below(f, 8) ? ICMP6 : NOTHING;
        put_8(f, next);
        if (kind == FRAGMENT6) {
            put_8(f, 0);
            put_16(f, below(f, 4) == 0 ? any(f) : 0);
            put_32(f, any(f));
        } else {
            uint32_t length = below(f, 3);

            put_8(f, below(f, 16) == 0 ? any(f) : length);
            put_any(f, 6 + 8 * (size_t)length);
        }
    }
    f->payload = f->length;
    f->carried = ICMP6;
    echo_request(f, ECHO);
    ip_end(f);
}

const struct attack ipv6_attacks[] = {
    {"fragments-overlapping-6", overlapping6},
    {"fragments-tiny-6", tiny6},
    {"fragments-unfinished-6", unfinished6},
    {"syn-6", syn6},
    {"tcp-stray-6", stray6},
    {"udp-closed-6", closed6},
    {"echo-6", echo6},
    {"icmp6-errors", icmp6_errors},
    {"packet-too-big", too_big},
    {"groups-6", groups6},
    {"mdns-6", mdns6},
    {"extension-headers", extension_headers},
    {NULL, NULL},
};

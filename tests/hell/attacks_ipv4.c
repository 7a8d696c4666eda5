/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks by IPv4. */
#include "tests/hell/frame.h"

enum { MORE = 0x2000, PACKETS = 10000, UNREACHABLE = 3, REDIRECT = 5, ECHO = 8, EXCEEDED = 11 };
enum { FRAGMENTATION_NEEDED = 4, UDP_ECHO = 7 };

static void syn4(struct frame *f)
{
    from_station4(f, TCP);
    syn(f);
    ip_end(f);
}

static void stray4(struct frame *f)
{
    from_station4(f, TCP);
    stray_segment(f);
    ip_end(f);
}

static void closed4(struct frame *f)
{
    from_station4(f, UDP);
    closed_port(f);
    ip_end(f);
}

static void echo4(struct frame *f)
{
    from_station4(f, ICMP);
    echo_request(f, ECHO);
    ip_end(f);
}

/* An ICMP error about a segment or datagram that the guest may have sent to a station. */
static void error4(struct frame *f, uint32_t type, uint32_t code, uint32_t what)
{
    from_station4(f, ICMP);
    put_16(f, type << 8 | code);
    put_16(f, 0);
    put_32(f, what);
    put_32(f, 0x45000000 + 20 + below(f, 1480));
    put_32(f, any(f));
    put_32(f, 64u << 24 | (below(f, 2) ? TCP : UDP) << 16);
    put_32(f, guest_ip());
    put_32(f, station_ip(f));
    sent_by_guest_tcp(f);
    ip_end(f);
}

static void icmp_errors(struct frame *f)
{
    static const uint8_t types[] = {UNREACHABLE, REDIRECT, EXCEEDED, 4, 12, 13, 17};

    error4(f, below(f, 8) == 0 ? any(f) & 0xff : types[below(f, sizeof types)], below(f, 16),
           any(f));
}

static void fragmentation_needed(struct frame *f)
{
    error4(f, UNREACHABLE, FRAGMENTATION_NEEDED, below(f, 2) ? below(f, 1500) : any(f));
}

/* To the echo service, by broadcast and to multicast groups; the guest has joined two of them. */
static void groups4(struct frame *f)
{
    static const uint32_t to[] = {0xffffffff, 0x0a0000ff, 0xe0000001, 0xe00000fb, 0xe1020304};
    uint32_t group = to[below(f, sizeof to / sizeof to[0])];
    uint8_t mac[MAC_LENGTH] = {
        1, 0, 0x5e, (uint8_t)(group >> 16 & 0x7f), (uint8_t)(group >> 8), (uint8_t)group};

    ethernet(f, group >> 28 == 0xe ? mac : broadcast_mac, TYPE_IPV4);
    ip4(f, station_ip(f), group, UDP);
    put_16(f, 4000);
    put_16(f, UDP_ECHO);
    put_32(f, (8 + 100) << 16);
    put_any(f, 100);
    ip_end(f);
}

/* Queries and reports of IGMP 1, 2 and 3. */
static void igmp(struct frame *f)
{
    static const uint8_t types[] = {0x11, 0x11, 0x12, 0x16, 0x17, 0x22};
    static const uint8_t all_systems[MAC_LENGTH] = {1, 0, 0x5e, 0, 0, 1};

    ethernet(f, all_systems, TYPE_IPV4);
    ip4(f, station_ip(f), 0xe0000001, IGMP);
    put_16(f, (uint32_t)types[below(f, sizeof types)] << 8 | below(f, 4) * 5);
    put_16(f, 0);
    put_32(f, below(f, 2) ? 0 : 0xe00000fb);
    put_any(f, below(f, 4) == 0 ? below(f, 40) : 0);
    ip_end(f);
}

static void mdns4(struct frame *f)
{
    static const uint8_t mac[MAC_LENGTH] = {1, 0, 0x5e, 0, 0, 0xfb};

    ethernet(f, mac, TYPE_IPV4);
    ip4(f, station_ip(f), 0xe00000fb, UDP);
    mdns(f);
    ip_end(f);
}

static void fragment(struct frame *f, uint32_t id, uint32_t flags_offset, uint32_t length)
{
    ethernet(f, NULL, TYPE_IPV4);
    ip4_fragment(f, guest_ip() + 60, id, flags_offset);
    put_any(f, length);
    ip_end(f);
}

/* Fragments of a few packets at a time, at any offset. */
static void overlapping4(struct frame *f)
{
    uint32_t offset = below(f, 16) == 0 ? below(f, 0x2000) : below(f, 200);

    fragment(f, f->number / 64, offset | (below(f, 8) ? MORE : 0), 8 * below(f, 180));
}

/* Fragments of 0 to 8 bytes, mostly consecutive. */
static void tiny4(struct frame *f)
{
    fragment(f, f->number / 500, f->number % 500 | (below(f, 100) ? MORE : 0),
             below(f, 8) ? 8 : below(f, 9));
}

/* The first fragment of 10,000 packets, or the last one. */
static void unfinished4(struct frame *f)
{
    uint32_t last = below(f, 2);

    fragment(f, f->number % PACKETS, last ? 185 : MORE, last ? 400 : 1480);
}

/* Options, valid and invalid, before an echo request. */
static void options4(struct frame *f)
{
    uint32_t words = 1 + below(f, 10);

    from_station4(f, ICMP);
    f->data[f->ip] = (uint8_t)(0x45 + words);
    put_any(f, 4 * (size_t)words);
    f->payload = f->length;
    echo_request(f, ECHO);
    ip_end(f);
}

const struct attack ipv4_attacks[] = {
    {"syn-4", syn4},
    {"fragments-overlapping-4", overlapping4},
    {"fragments-tiny-4", tiny4},
    {"fragments-unfinished-4", unfinished4},
    {"tcp-stray-4", stray4},
    {"udp-closed-4", closed4},
    {"echo-4", echo4},
    {"icmp-errors", icmp_errors},
    {"fragmentation-needed", fragmentation_needed},
    {"groups-4", groups4},
    {"igmp", igmp},
    {"mdns-4", mdns4},
    {"options-4", options4},
    {NULL, NULL},
};

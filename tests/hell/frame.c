/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a frame: see frame.h. */
#include <stdbool.h>
#include <string.h>

#include "tests/hell/frame.h"

enum { IPV6_HEADER = 40, HOPS = 255 };

static const uint8_t guest_mac[MAC_LENGTH] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
const uint8_t broadcast_mac[MAC_LENGTH] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
const uint8_t guest_ip6[IPV6_LENGTH] = {0xfd, [15] = 2};
const uint8_t all_nodes[IPV6_LENGTH] = {0xff, 2, [15] = 1};

uint32_t guest_ip(void)
{
    return 0x0a000002;
}

/* xorshift64* */
uint32_t any(struct frame *f)
{
    f->random ^= f->random >> 12;
    f->random ^= f->random << 25;
    f->random ^= f->random >> 27;
    return (uint32_t)(f->random * 0x2545f4914f6cdd1d >> 32);
}

uint32_t below(struct frame *f, uint32_t limit)
{
    return any(f) % limit;
}

void put(struct frame *f, const void *bytes, size_t length)
{
    if (length > FRAME_MAX - f->length) {
        length = FRAME_MAX - f->length;
    }
    memcpy(f->data + f->length, bytes, length);
    f->length += length;
}

void put_8(struct frame *f, uint32_t value)
{
    put(f, (uint8_t[]){(uint8_t)value}, 1);
}

void put_16(struct frame *f, uint32_t value)
{
    put(f, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

void put_32(struct frame *f, uint32_t value)
{
    put_16(f, value >> 16);
    put_16(f, value);
}

void put_zeros(struct frame *f, size_t length)
{
    while (length-- > 0) {
        put_8(f, 0);
    }
}

void put_any(struct frame *f, size_t length)
{
    for (; length >= 4; length -= 4) {
        put_32(f, any(f));
    }
    while (length-- > 0) {
        put_8(f, any(f));
    }
}

void station_mac(uint8_t *mac, uint32_t number)
{
    uint8_t bytes[MAC_LENGTH] = {2,
                                 0xad,
                                 (uint8_t)(number >> 24),
                                 (uint8_t)(number >> 16),
                                 (uint8_t)(number >> 8),
                                 (uint8_t)number};

    memcpy(mac, bytes, MAC_LENGTH);
}

void ethernet(struct frame *f, const uint8_t *to, uint32_t type)
{
    uint8_t from[MAC_LENGTH];

    station_mac(from, f->number % ADDRESSES);
    f->length = 0;
    put(f, to == NULL ? guest_mac : to, MAC_LENGTH);
    put(f, from, MAC_LENGTH);
    put_16(f, type);
}

void from_station4(struct frame *f, uint8_t protocol)
{
    ethernet(f, NULL, TYPE_IPV4);
    ip4(f, station_ip(f), guest_ip(), protocol);
}

void from_station6(struct frame *f, uint8_t protocol)
{
    uint8_t from[IPV6_LENGTH];

    station_ip6(f, from);
    ethernet(f, NULL, TYPE_IPV6);
    ip6(f, from, guest_ip6, protocol);
}

uint32_t station_ip(struct frame *f)
{
    if (below(f, 4) == 0) {
        return any(f);
    }
    return (guest_ip() & 0xffffff00) + 16 + below(f, 200);
}

void station_ip6(struct frame *f, uint8_t *address)
{
    uint32_t number = 0x10000 + below(f, ADDRESSES);

    memcpy(address, guest_ip6, IPV6_LENGTH);
    address[0] = below(f, 4) == 0 ? 0x20 : address[0];
    address[12] = (uint8_t)(number >> 24);
    address[13] = (uint8_t)(number >> 16);
    address[14] = (uint8_t)(number >> 8);
    address[15] = (uint8_t)number;
}

void link_local(uint8_t *address, uint32_t number)
{
    memset(address, 0, IPV6_LENGTH);
    address[0] = 0xfe;
    address[1] = 0x80;
    station_mac(address + IPV6_LENGTH - MAC_LENGTH, number);
}

static void ip4_header(struct frame *f, uint32_t from, uint32_t to, uint8_t protocol, uint32_t id,
                       uint32_t flags_offset)
{
    f->ip = f->length;
    put_16(f, 0x4500);
    put_16(f, 0); /* the length: ip_end() */
    put_16(f, id);
    put_16(f, flags_offset);
    put_8(f, 64);
    put_8(f, protocol);
    put_16(f, 0); /* the checksum: ip_end() */
    put_32(f, from);
    put_32(f, to);
    f->payload = f->length;
}

void ip4(struct frame *f, uint32_t from, uint32_t to, uint8_t protocol)
{
    ip4_header(f, from, to, protocol, f->number, 0);
    f->carried = protocol;
}

void ip4_fragment(struct frame *f, uint32_t from, uint32_t id, uint32_t flags_offset)
{
    ip4_header(f, from, guest_ip(), UDP, id, flags_offset);
    f->carried = 0;
}

void ip6(struct frame *f, const uint8_t *from, const uint8_t *to, uint8_t next)
{
    f->ip = f->length;
    f->carried = next;
    put_32(f, 0x60000000);
    put_16(f, 0); /* the length: ip_end() */
    put_8(f, next);
    put_8(f, HOPS);
    put(f, from, IPV6_LENGTH);
    put(f, to, IPV6_LENGTH);
    f->payload = f->length;
}

static uint32_t sum(const uint8_t *at, size_t length, uint32_t total)
{
    for (size_t i = 0; i < length; i++) {
        total += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
    }
    return total;
}

static void store_16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void store_sum(uint8_t *at, uint32_t total)
{
    while (total >> 16) {
        total = (total & 0xffff) + (total >> 16);
    }
    store_16(at, ~total);
}

static size_t checksum_offset(uint8_t protocol)
{
    switch (protocol) {
    case TCP:
        return 16;
    case UDP:
        return 6;
    default: /* ICMP, IGMP, ICMPv6 */
        return 2;
    }
}

void ip_end(struct frame *f)
{
    uint8_t *header = f->data + f->ip, *payload = f->data + f->payload;
    size_t length = f->length - f->payload, at = checksum_offset(f->carried);
    bool version_6 = header[0] >> 4 == 6;
    uint32_t total = 0;

    if (version_6) {
        store_16(header + 4, (uint32_t)(f->length - f->ip - IPV6_HEADER));
    } else {
        store_16(header + 2, (uint32_t)(f->length - f->ip));
        store_sum(header + 10, sum(header, f->payload - f->ip, 0));
    }
    if (f->carried == 0 || length < at + 2) {
        return;
    }
    if (f->carried == TCP || f->carried == UDP || f->carried == ICMP6) {
        total = version_6 ? sum(header + 8, (size_t)2 * IPV6_LENGTH, 0) : sum(header + 12, 8, 0);
        total += f->carried + (uint32_t)length;
    }
    store_sum(payload + at, sum(payload, length, total));
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/offload.h"

#include <string.h>

#include "arch/cc.h"
#include "lwip/def.h"
#include "net/lwip_port/checksum.h"

enum {
    ETHERNET_TYPE = 12, /* offsets */
    ETHERNET_LENGTH = 14,
    VLAN_TAG_LENGTH = 4,
    VLAN_TAGS_MAX = 2, /* IEEE 802.1Q: a service tag and a customer tag */
    TYPE_IPV4 = 0x0800,
    TYPE_VLAN = 0x8100,
    TYPE_IPV6 = 0x86dd,

    IPV4_LENGTH = 20,
    IPV4_PLAIN = 0x45, /* version 4, no options */
    IPV4_FRAGMENT = 6,
    IPV4_MORE_AND_OFFSET = 0x3fff,
    IPV4_PROTOCOL = 9,
    IPV4_SOURCE = 12,
    IPV4_DESTINATION = 16,

    IPV6_LENGTH = 40,
    IPV6_NEXT = 6,
    IPV6_ADDRESSES = 8,
    IPV6_ADDRESSES_LENGTH = 32,
    IPV6_HOP_BY_HOP = 0, /* extension headers */
    IPV6_ROUTING = 43,
    IPV6_FRAGMENT = 44,
    IPV6_DESTINATION = 60,

    TCP_CHECKSUM = 16,
    UDP_CHECKSUM = 6,
};

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* Skips the extension headers (RFC 8200 §4). */
static bool parse_ipv6(const uint8_t *frame, size_t length, struct offload_headers *headers)
{
    size_t at = headers->network + IPV6_LENGTH;
    uint8_t next;

    if (length < at || frame[headers->network] >> 4 != 6) {
        return false;
    }
    next = frame[headers->network + IPV6_NEXT];
    while (next == IPV6_HOP_BY_HOP || next == IPV6_ROUTING || next == IPV6_FRAGMENT ||
           next == IPV6_DESTINATION) {
        bool fragment = next == IPV6_FRAGMENT;

        if (length < at + 8) {
            return false;
        }
        headers->fragment |= fragment;
        next = frame[at];
        at += fragment ? 8 : 8u * (frame[at + 1] + 1u);
    }
    headers->ipv6 = true;
    headers->protocol = next;
    headers->transport = (uint16_t)at;
    return length >= at && at <= UINT16_MAX;
}

static bool parse_ipv4(const uint8_t *frame, size_t length, struct offload_headers *headers)
{
    const uint8_t *ip = frame + headers->network;
    size_t header;

    if (length < headers->network + (size_t)IPV4_LENGTH || ip[0] >> 4 != 4) {
        return false;
    }
    header = (ip[0] & 15) * 4u;
    if (header < IPV4_LENGTH || length < headers->network + header) {
        return false;
    }
    headers->fragment = (get16(ip + IPV4_FRAGMENT) & IPV4_MORE_AND_OFFSET) != 0;
    headers->protocol = ip[IPV4_PROTOCOL];
    headers->transport = (uint16_t)(headers->network + header);
    return true;
}

/* With VLAN tags, IPv4 options, IPv6 or another protocol. */
static bool parse_any(const void *frame, size_t length, struct offload_headers *headers)
{
    const uint8_t *bytes = frame;
    size_t at = ETHERNET_TYPE;
    uint16_t type;

    *headers = (struct offload_headers){0};
    if (length < ETHERNET_LENGTH) {
        return false;
    }
    type = get16(bytes + at);
    for (unsigned tags = 0;
         type == TYPE_VLAN && tags < VLAN_TAGS_MAX && length >= at + VLAN_TAG_LENGTH + sizeof type;
         tags++) {
        at += VLAN_TAG_LENGTH;
        type = get16(bytes + at);
    }
    headers->network = (uint16_t)(at + sizeof type);
    if (type == TYPE_IPV4) {
        return parse_ipv4(bytes, length, headers);
    }
    return type == TYPE_IPV6 && parse_ipv6(bytes, length, headers);
}

/* Nearly all frames are plain IPv4: what they need is a third of the general case. */
static bool is_plain_ipv4(const uint8_t *frame, size_t length)
{
    return length >= ETHERNET_LENGTH + IPV4_LENGTH && get16(frame + ETHERNET_TYPE) == TYPE_IPV4 &&
           frame[ETHERNET_LENGTH] == IPV4_PLAIN;
}

/* Of plain IPv4. */
static bool is_fragment(const uint8_t *frame)
{
    return (get16(frame + ETHERNET_LENGTH + IPV4_FRAGMENT) & IPV4_MORE_AND_OFFSET) != 0;
}

bool offload_parse(const void *frame, size_t length, struct offload_headers *headers)
{
    if (!is_plain_ipv4(frame, length)) {
        return parse_any(frame, length, headers);
    }
    *headers = (struct offload_headers){
        .network = ETHERNET_LENGTH,
        .transport = ETHERNET_LENGTH + IPV4_LENGTH,
        .protocol = ((const uint8_t *)frame)[ETHERNET_LENGTH + IPV4_PROTOCOL],
        .fragment = is_fragment(frame),
    };
    return true;
}

/*
 * Not complemented, since the card continues the sum. In memory order, like lwip_port_checksum().
 */
static uint16_t pseudo_sum(const uint8_t *frame, const struct offload_headers *headers,
                           uint32_t length)
{
    const uint8_t *ip = frame + headers->network;
    uint64_t sum = (uint64_t)PP_HTONL(length) + PP_HTONS(headers->protocol);

    if (headers->ipv6) {
        sum += lwip_port_checksum(ip + IPV6_ADDRESSES, IPV6_ADDRESSES_LENGTH);
    } else {
        sum += checksum_load(ip + IPV4_SOURCE);
        sum += checksum_load(ip + IPV4_DESTINATION);
    }
    return checksum_fold(sum);
}

bool offload_checksum(void *frame, size_t available, const struct offload_headers *headers,
                      uint32_t length, struct virtio_net_offload *offload)
{
    uint8_t *bytes = frame;
    uint16_t offset = headers->protocol == OFFLOAD_TCP ? TCP_CHECKSUM : UDP_CHECKSUM;
    uint16_t sum;

    if ((headers->protocol != OFFLOAD_TCP && headers->protocol != OFFLOAD_UDP) ||
        headers->fragment || available < headers->transport + offset + sizeof sum) {
        return false;
    }
    sum = pseudo_sum(bytes, headers, length);
    memcpy(bytes + headers->transport + offset, &sum, sizeof sum);
    offload->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    offload->csum_start = headers->transport;
    offload->csum_offset = offset;
    return true;
}

bool offload_is_checked(const void *frame, size_t length, const struct virtio_net_offload *offload)
{
    struct offload_headers headers;

    if (!(offload->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID))) {
        return false;
    }
    if (is_plain_ipv4(frame, length)) {
        return !is_fragment(frame);
    }
    return parse_any(frame, length, &headers) && !headers.fragment;
}

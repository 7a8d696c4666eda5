/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/gso_headers.h"

#include <string.h>

#include "arch/cc.h"
#include "net/lwip_port/checksum.h"

enum {
    IPV4_TOTAL_LENGTH = 2, /* offsets in headers */
    IPV4_IDENTIFICATION_END = 6,
    IPV4_CHECKSUM = 10,
    IPV4_CHECKSUM_END = 12,
    IPV6_PAYLOAD_LENGTH = 4,
    IPV6_PAYLOAD_LENGTH_END = 6,
    IPV6_HEADER = 40,
    PORTS = 4, /* field offsets in TCP and UDP headers */
    TCP_SEQUENCE = 4,
    TCP_ACKNOWLEDGEMENT = 8,
    TCP_DATA_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_WINDOW = 14,
    TCP_CHECKSUM_END = 18,
    TCP_HEADER = 20,
    UDP_LENGTH = 4,
    UDP_HEADER = 8,
    FLAG_PUSH = 0x08,
    FLAG_ACK = 0x10,
    PLAIN_TCP = 14 + 20, /* offset of the TCP header in plain TCP */
};
_Static_assert(PLAIN_TCP + TCP_HEADER == GSO_PLAIN_PAYLOAD, "plain TCP");

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/*
 * The length of the transport header if the frame can be joined with others, else 0. A TCP segment
 * must only have flags that any segment may have. CWR is allowed in the first segment only and
 * would have to be declared (HOST_ECN), but lwIP never sends it.
 */
static unsigned transport_length(uint32_t offloads, const struct pbuf *p,
                                 const struct offload_headers *headers)
{
    const uint8_t *tcp = (const uint8_t *)p->payload + headers->transport;

    if (headers->fragment) {
        return 0;
    }
    if (headers->protocol == OFFLOAD_UDP) {
        return offloads & NIC_SEND_UDP ? UDP_HEADER : 0;
    }
    if (headers->protocol != OFFLOAD_TCP || p->len < headers->transport + TCP_HEADER ||
        !(offloads & (headers->ipv6 ? NIC_SEND_TCP6 : NIC_SEND_TCP4)) ||
        (tcp[TCP_FLAGS] & ~FLAG_PUSH) != FLAG_ACK) {
        return 0;
    }
    return (tcp[TCP_DATA_OFFSET] >> 4) * 4u;
}

unsigned gso_payload_offset(uint32_t offloads, const struct pbuf *p,
                            const struct offload_headers *headers)
{
    unsigned length = transport_length(offloads, p, headers);
    unsigned offset = headers->transport + length;

    return length != 0 && offset <= GSO_HEADERS_MAX && offset <= p->len && offset < p->tot_len
               ? offset
               : 0;
}

static uint32_t load32(const uint8_t *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* Compares in words: on an emulated processor memcmp() takes as long for each byte. */
static bool same(const uint8_t *a, const uint8_t *b, unsigned from, unsigned to)
{
    uint32_t difference = 0;

    for (; from + 4 <= to; from += 4) {
        difference |= load32(a + from) ^ load32(b + from);
    }
    for (; from < to; from++) {
        difference |= a[from] ^ b[from];
    }
    return difference == 0;
}

/*
 * True if a frame's transport header continues the joined one: it differs only in what follows from
 * its position, and in fields of which the last value counts.
 */
static bool follows(const struct gso_flow *flow, const uint8_t *frame)
{
    const uint8_t *first = flow->first;
    unsigned at = flow->headers.transport;

    if (!same(first, frame, at, at + PORTS)) {
        return false;
    }
    return flow->headers.protocol == OFFLOAD_UDP ||
           (get32(frame + at + TCP_SEQUENCE) == flow->next_sequence &&
            same(first, frame, at + TCP_CHECKSUM_END, flow->length));
}

/*
 * True if the headers in front of the transport header differ only in length, checksum and
 * identification. The card increments the identification of the first segment. lwIP has used at
 * least as many numbers up to the last segment, so none is used twice.
 */
static bool same_path(const struct gso_flow *flow, const uint8_t *frame)
{
    const uint8_t *first = flow->first;
    unsigned ip = flow->headers.network;
    unsigned end = flow->headers.transport;

    if (flow->headers.ipv6) {
        return same(first, frame, 0, ip + IPV6_PAYLOAD_LENGTH) &&
               same(first, frame, ip + IPV6_PAYLOAD_LENGTH_END, end);
    }
    return same(first, frame, 0, ip + IPV4_TOTAL_LENGTH) &&
           same(first, frame, ip + IPV4_IDENTIFICATION_END, ip + IPV4_CHECKSUM) &&
           same(first, frame, ip + IPV4_CHECKSUM_END, end);
}

static uint32_t differ(const uint8_t *a, const uint8_t *b, unsigned at)
{
    return load32(a + at) ^ load32(b + at);
}

bool gso_is_plain(const struct gso_flow *flow)
{
    return flow->headers.transport == PLAIN_TCP && flow->length == GSO_PLAIN_PAYLOAD;
}

/*
 * True if a frame's headers continue those of the joined one. Those of TCP over IPv4 without
 * options are compared at constant positions, in a third of the instructions: all but the IP
 * header's length, identification and checksum, and what follows() leaves out.
 */
static bool same_headers(const struct gso_flow *flow, const uint8_t *frame)
{
    const uint8_t *first = flow->first;

    if (!gso_is_plain(flow)) {
        return follows(flow, frame) && same_path(flow, frame);
    }
    return (differ(first, frame, 0) | differ(first, frame, 4) | differ(first, frame, 8) |
            differ(first, frame, 12) | differ(first, frame, 20) | differ(first, frame, 26) |
            differ(first, frame, 30) | differ(first, frame, PLAIN_TCP) |
            (get32(frame + PLAIN_TCP + TCP_SEQUENCE) ^ flow->next_sequence)) == 0 &&
           same(first, frame, PLAIN_TCP + TCP_CHECKSUM_END, GSO_PLAIN_PAYLOAD);
}

bool gso_continues(const struct gso_flow *flow, const uint8_t *frame,
                   const struct offload_headers *headers, unsigned offset)
{
    return headers->protocol == flow->headers.protocol &&
           headers->transport == flow->headers.transport && offset == flow->length &&
           same_headers(flow, frame);
}

/*
 * What gso_payload_offset() checks of a plain TCP segment. All else that parsing would tell is in
 * bytes that same_headers() compares.
 */
bool gso_may_be_plain(const struct pbuf *p)
{
    const uint8_t *tcp = (const uint8_t *)p->payload + PLAIN_TCP;

    return p->len >= GSO_PLAIN_PAYLOAD && p->tot_len > GSO_PLAIN_PAYLOAD &&
           tcp[TCP_DATA_OFFSET] >> 4 == TCP_HEADER / 4 && (tcp[TCP_FLAGS] & ~FLAG_PUSH) == FLAG_ACK;
}

void gso_advance(struct gso_flow *flow, const uint8_t *frame, uint32_t payload)
{
    if (flow->headers.protocol == OFFLOAD_TCP) {
        flow->next_sequence = get32(frame + flow->headers.transport + TCP_SEQUENCE) + payload;
    }
}

void gso_update_headers(const struct gso_flow *flow, uint8_t *joined, const uint8_t *frame)
{
    const uint8_t *tcp = frame + flow->headers.transport;
    uint8_t *header = joined + flow->headers.transport;

    memcpy(header + TCP_ACKNOWLEDGEMENT, tcp + TCP_ACKNOWLEDGEMENT, 4);
    memcpy(header + TCP_WINDOW, tcp + TCP_WINDOW, 2);
    header[TCP_FLAGS] |= tcp[TCP_FLAGS]; /* the card sets PSH only in the last segment */
}

void gso_finish_headers(const struct gso_flow *flow, uint8_t *joined, uint32_t payload)
{
    uint8_t *ip = joined + flow->headers.network;
    uint32_t length = flow->length - flow->headers.network + payload;
    uint16_t sum;

    if (flow->headers.protocol == OFFLOAD_UDP) {
        put16(joined + flow->headers.transport + UDP_LENGTH, UDP_HEADER + payload);
    }
    if (flow->headers.ipv6) {
        put16(ip + IPV6_PAYLOAD_LENGTH, length - IPV6_HEADER);
        return;
    }
    put16(ip + IPV4_TOTAL_LENGTH, length);
    put16(ip + IPV4_CHECKSUM, 0);
    sum = (uint16_t)~lwip_port_checksum(ip, flow->headers.transport - flow->headers.network);
    memcpy(ip + IPV4_CHECKSUM, &sum, sizeof sum);
}

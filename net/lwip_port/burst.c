/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/burst.h"

#include <stdlib.h>
#include <string.h>

#include "arch/cc.h"

enum {
    BURSTS = 32,                    /* in flight; with none left, segments leave one by one */
    SEGMENTS_MAX = 46,              /* 64 KiB of an Ethernet frame's each */
    HEADROOM = 12,                  /* for the card */
    HEADERS_MAX = 14 + 4 + 60 + 60, /* Ethernet, VLAN tag, IP, TCP */
    PACKET_MAX = UINT16_MAX,        /* bytes of an IP packet */
    IPV4_TOTAL_LENGTH = 2,          /* offsets in headers */
    IPV4_IDENTIFICATION_END = 6,
    IPV4_CHECKSUM = 10,
    IPV4_CHECKSUM_END = 12,
    IPV6_PAYLOAD_LENGTH = 4,
    IPV6_PAYLOAD_LENGTH_END = 6,
    IPV6_HEADER = 40,
    TCP_SEQUENCE = 4,
    TCP_ACKNOWLEDGEMENT = 8,
    TCP_DATA_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_WINDOW = 14,
    TCP_CHECKSUM_END = 18,
    TCP_HEADER = 20,
    FLAG_PUSH = 0x08,
    FLAG_ACK = 0x10,
};

struct burst {
    struct burst *next; /* free */
    unsigned count;
    struct pbuf *segment[SEGMENTS_MAX];
    uint8_t header[HEADROOM + HEADERS_MAX];
};

struct bursts {
    const struct nic *nic;
    uint32_t offloads;
    unsigned reserve;
    struct burst *free;

    /* The one under way. */
    struct burst *open; /* NULL: none */
    struct offload_headers headers;
    uint16_t header_length; /* bytes up to the payload */
    uint16_t segment_size;  /* payload bytes of each segment but the last */
    uint32_t payload;       /* bytes so far */
    uint32_t next_sequence;
    bool ended; /* by a shorter segment */
    unsigned count;
    struct nic_part parts[NIC_PARTS_MAX];

    struct burst all[BURSTS];
};

struct bursts *burst_open(const struct nic *nic, uint32_t offloads, unsigned reserve)
{
    struct bursts *bursts;

    if (!(offloads & (NIC_SEND_TCP4 | NIC_SEND_TCP6)) ||
        nic->driver->headroom(nic->state) > HEADROOM) {
        return NULL;
    }
    bursts = calloc(1, sizeof *bursts);
    if (bursts == NULL) {
        return NULL;
    }
    bursts->nic = nic;
    bursts->offloads = offloads;
    bursts->reserve = reserve;
    for (unsigned i = 0; i < BURSTS; i++) {
        bursts->all[i].next = bursts->free;
        bursts->free = &bursts->all[i];
    }
    return bursts;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The payload's offset of a segment that may be part of a burst: data, with all headers in its
 * first pbuf and no flags but those that any segment has. 0: it may not. */
static unsigned payload_offset(const struct bursts *bursts, const struct pbuf *p,
                               const struct offload_headers *headers)
{
    const uint8_t *tcp = (const uint8_t *)p->payload + headers->transport;
    unsigned offset;

    if (headers->protocol != OFFLOAD_TCP || headers->fragment ||
        p->len < headers->transport + TCP_HEADER ||
        !(bursts->offloads & (headers->ipv6 ? NIC_SEND_TCP6 : NIC_SEND_TCP4)) ||
        (tcp[TCP_FLAGS] & ~FLAG_PUSH) != FLAG_ACK) {
        return 0;
    }
    offset = headers->transport + (tcp[TCP_DATA_OFFSET] >> 4) * 4u;
    return offset <= HEADERS_MAX && offset <= p->len && offset < p->tot_len ? offset : 0;
}

static uint32_t load32(const uint8_t *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* In words: each byte of memcmp()'s would cost an emulated processor as much. */
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

/* Whether two frames differ in nothing but length, number and checksums, and what of TCP's header
 * the later one may overwrite. */
static bool same_connection(const struct bursts *bursts, const uint8_t *frame)
{
    const uint8_t *first = bursts->open->header + HEADROOM;
    unsigned ip = bursts->headers.network;
    unsigned tcp = bursts->headers.transport;

    if (!same(first, frame, tcp, tcp + TCP_SEQUENCE) ||
        !same(first, frame, tcp + TCP_CHECKSUM_END, bursts->header_length)) {
        return false;
    }
    if (bursts->headers.ipv6) {
        return same(first, frame, 0, ip + IPV6_PAYLOAD_LENGTH) &&
               same(first, frame, ip + IPV6_PAYLOAD_LENGTH_END, tcp);
    }
    return same(first, frame, 0, ip + IPV4_TOTAL_LENGTH) &&
           same(first, frame, ip + IPV4_IDENTIFICATION_END, ip + IPV4_CHECKSUM) &&
           same(first, frame, ip + IPV4_CHECKSUM_END, tcp);
}

/* Adds a segment's payload to the parts, neighbours in memory as one. Returns the number of parts
 * then, or 0 where there are too many. parts: has NIC_PARTS_MAX places, `count` of them taken. */
static unsigned add_parts(struct nic_part *parts, unsigned count, const struct pbuf *p,
                          unsigned offset)
{
    for (; p != NULL; p = p->next) {
        const uint8_t *data = (const uint8_t *)p->payload + offset;
        uint32_t length = p->len - offset;
        struct nic_part *last = &parts[count - 1];

        offset = 0;
        if (length == 0) {
            continue;
        }
        if (count > 1 && (const uint8_t *)last->data + last->length == data) {
            last->length += length;
        } else if (count == NIC_PARTS_MAX) {
            return 0;
        } else {
            parts[count++] = (struct nic_part){data, length};
        }
    }
    return count;
}

static bool has_room(const struct bursts *bursts, unsigned parts)
{
    return bursts->nic->driver->has_room(bursts->nic->state, 1, parts, bursts->reserve);
}

static void keep(struct bursts *bursts, struct pbuf *p, uint32_t payload, const uint8_t *tcp)
{
    pbuf_ref(p);
    bursts->open->segment[bursts->open->count++] = p;
    bursts->payload += payload;
    bursts->next_sequence = get32(tcp + TCP_SEQUENCE) + payload;
    bursts->ended = payload < bursts->segment_size;
}

static enum burst_result begin(struct bursts *bursts, struct pbuf *p,
                               const struct offload_headers *headers, unsigned offset)
{
    unsigned count = add_parts(bursts->parts, 1, p, offset);
    struct burst *burst = bursts->free;

    if (count == 0 || burst == NULL) {
        return BURST_ALONE;
    }
    if (!has_room(bursts, count)) {
        return BURST_FULL;
    }
    bursts->free = burst->next;
    bursts->open = burst;
    bursts->headers = *headers;
    bursts->header_length = (uint16_t)offset;
    bursts->segment_size = (uint16_t)(p->tot_len - offset);
    bursts->payload = 0;
    bursts->count = count;
    burst->count = 0;
    memcpy(burst->header + HEADROOM, p->payload, offset);
    keep(bursts, p, bursts->segment_size, (const uint8_t *)p->payload + headers->transport);
    return BURST_TAKEN;
}

static enum burst_result append(struct bursts *bursts, struct pbuf *p,
                                const struct offload_headers *headers, unsigned offset)
{
    const uint8_t *frame = p->payload;
    const uint8_t *tcp = frame + headers->transport;
    uint8_t *header = bursts->open->header + HEADROOM + headers->transport;
    uint32_t payload = p->tot_len - offset;
    struct nic_part last = bursts->parts[bursts->count - 1];
    unsigned count;

    if (bursts->ended || headers->transport != bursts->headers.transport ||
        offset != bursts->header_length || payload > bursts->segment_size ||
        get32(tcp + TCP_SEQUENCE) != bursts->next_sequence || bursts->open->count == SEGMENTS_MAX ||
        offset - headers->network + bursts->payload + payload > PACKET_MAX ||
        !same_connection(bursts, frame)) {
        return BURST_OTHER;
    }
    count = add_parts(bursts->parts, bursts->count, p, offset);
    if (count == 0 || !has_room(bursts, count)) {
        bursts->parts[bursts->count - 1] = last; /* it may have been lengthened */
        return BURST_OTHER;
    }
    bursts->count = count;
    /* What the other side is to know is what the latest segment says. */
    memcpy(header + TCP_ACKNOWLEDGEMENT, tcp + TCP_ACKNOWLEDGEMENT, 4);
    memcpy(header + TCP_WINDOW, tcp + TCP_WINDOW, 2);
    header[TCP_FLAGS] |= tcp[TCP_FLAGS]; /* the card sets PSH in the last segment only */
    keep(bursts, p, payload, tcp);
    return BURST_TAKEN;
}

enum burst_result burst_take(struct bursts *bursts, struct pbuf *p,
                             const struct offload_headers *headers)
{
    unsigned offset = payload_offset(bursts, p, headers);

    if (offset == 0) {
        return BURST_ALONE;
    }
    return bursts->open != NULL ? append(bursts, p, headers, offset)
                                : begin(bursts, p, headers, offset);
}

static void give_back(struct bursts *bursts, struct burst *burst)
{
    burst->next = bursts->free;
    bursts->free = burst;
}

/* The lengths and the checksum of a packet that is larger than each of its segments. */
static void finish_headers(const struct bursts *bursts, uint8_t *frame)
{
    uint8_t *ip = frame + bursts->headers.network;
    uint32_t length = bursts->header_length - bursts->headers.network + bursts->payload;
    uint16_t sum;

    if (bursts->headers.ipv6) {
        put16(ip + IPV6_PAYLOAD_LENGTH, length - IPV6_HEADER);
        return;
    }
    put16(ip + IPV4_TOTAL_LENGTH, length);
    put16(ip + IPV4_CHECKSUM, 0);
    sum = (uint16_t)~lwip_port_checksum(ip, bursts->headers.transport - bursts->headers.network);
    memcpy(ip + IPV4_CHECKSUM, &sum, sizeof sum);
}

struct pbuf *burst_flush(struct bursts *bursts)
{
    struct burst *burst = bursts->open;
    uint8_t *frame;
    struct nic_offload offload = {0};

    if (burst == NULL) {
        return NULL;
    }
    bursts->open = NULL;
    if (burst->count == 1) {
        give_back(bursts, burst);
        return burst->segment[0];
    }
    frame = burst->header + HEADROOM;
    finish_headers(bursts, frame);
    offload.segments = bursts->headers.ipv6 ? NIC_TCP6 : NIC_TCP4;
    offload.segment_size = bursts->segment_size;
    offload.header_length = bursts->header_length;
    offload_checksum(frame, bursts->header_length, &bursts->headers,
                     bursts->header_length - bursts->headers.transport + bursts->payload, &offload);
    bursts->parts[0] = (struct nic_part){frame, bursts->header_length};
    if (bursts->nic->driver->transmit(bursts->nic->state, bursts->parts, bursts->count, HEADROOM,
                                      &offload, burst) != 0) {
        burst_release(bursts, burst); /* the card is out of order: TCP will notice */
    }
    return NULL;
}

bool burst_release(struct bursts *bursts, void *cookie)
{
    struct burst *burst = cookie;

    if (bursts == NULL || (uintptr_t)cookie - (uintptr_t)bursts->all >= sizeof bursts->all) {
        return false;
    }
    for (unsigned i = 0; i < burst->count; i++) {
        pbuf_free(burst->segment[i]);
    }
    give_back(bursts, burst);
    return true;
}

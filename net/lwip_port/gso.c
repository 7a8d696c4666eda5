/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/gso.h"

#include <stdlib.h>
#include <string.h>

#include "arch/cc.h"

enum {
    BURSTS = 32,       /* bursts in flight; when all are in use, segments are sent one by one */
    SEGMENTS_MAX = 46, /* 64 KiB in segments of an Ethernet frame each; Linux splits up to 64
                        * datagrams */
    HEADROOM = 12,     /* for the card's header */
    HEADERS_MAX = 14 + 4 + 60 + 60, /* Ethernet, VLAN tag, IP, TCP */
    PACKET_MAX = UINT16_MAX,        /* bytes of an IP packet */
    IPV4_TOTAL_LENGTH = 2,          /* offsets in headers */
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

    /*
     * The current burst. It is built when a second segment arrives; until then only the first is
     * recorded.
     */
    struct pbuf *lone;    /* NULL: it is built, or there is none */
    struct burst *open;   /* NULL: it is not built, or there is none */
    const uint8_t *first; /* the first segment's headers */
    struct offload_headers headers;
    uint16_t header_length; /* bytes up to the payload */
    uint16_t segment_size;  /* payload bytes of each segment except the last */
    uint32_t payload;       /* bytes so far */
    uint32_t next_sequence; /* of TCP */
    bool ended;             /* by a shorter segment */
    unsigned count;         /* parts (of a lone segment: its pbufs); 0: there is no current burst */
    struct virtqueue_part parts[NIC_PARTS_MAX];

    struct burst all[BURSTS];
};

struct bursts *burst_open(const struct nic *nic, uint32_t offloads, unsigned reserve)
{
    struct bursts *bursts;

    if (!(offloads & (NIC_SEND_TCP4 | NIC_SEND_TCP6 | NIC_SEND_UDP)) ||
        nic->info.headroom > HEADROOM) {
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

/*
 * The length of the transport header if the frame can be part of a burst, else 0. A TCP segment
 * must only have flags that any segment may have. CWR is allowed in the first segment only and
 * would have to be declared (HOST_ECN), but lwIP never sends it.
 */
static unsigned transport_length(const struct bursts *bursts, const struct pbuf *p,
                                 const struct offload_headers *headers)
{
    const uint8_t *tcp = (const uint8_t *)p->payload + headers->transport;

    if (headers->fragment) {
        return 0;
    }
    if (headers->protocol == OFFLOAD_UDP) {
        return bursts->offloads & NIC_SEND_UDP ? UDP_HEADER : 0;
    }
    if (headers->protocol != OFFLOAD_TCP || p->len < headers->transport + TCP_HEADER ||
        !(bursts->offloads & (headers->ipv6 ? NIC_SEND_TCP6 : NIC_SEND_TCP4)) ||
        (tcp[TCP_FLAGS] & ~FLAG_PUSH) != FLAG_ACK) {
        return 0;
    }
    return (tcp[TCP_DATA_OFFSET] >> 4) * 4u;
}

/*
 * The payload's offset if the frame may be part of a burst: it has a payload, and its first pbuf
 * contains all headers. Otherwise 0.
 */
static unsigned payload_offset(const struct bursts *bursts, const struct pbuf *p,
                               const struct offload_headers *headers)
{
    unsigned length = transport_length(bursts, p, headers);
    unsigned offset = headers->transport + length;

    return length != 0 && offset <= HEADERS_MAX && offset <= p->len && offset < p->tot_len ? offset
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
 * True if a frame's transport header continues the burst: it differs only in what follows from its
 * position, and in fields of which the last value counts.
 */
static bool follows(const struct bursts *bursts, const uint8_t *frame)
{
    const uint8_t *first = bursts->first;
    unsigned at = bursts->headers.transport;

    if (!same(first, frame, at, at + PORTS)) {
        return false;
    }
    return bursts->headers.protocol == OFFLOAD_UDP ||
           (get32(frame + at + TCP_SEQUENCE) == bursts->next_sequence &&
            same(first, frame, at + TCP_CHECKSUM_END, bursts->header_length));
}

/*
 * True if the headers in front of the transport header differ only in length, checksum and
 * identification. The card increments the identification of the first segment. lwIP has used at
 * least as many numbers up to the last segment, so none is used twice.
 */
static bool same_path(const struct bursts *bursts, const uint8_t *frame)
{
    const uint8_t *first = bursts->first;
    unsigned ip = bursts->headers.network;
    unsigned end = bursts->headers.transport;

    if (bursts->headers.ipv6) {
        return same(first, frame, 0, ip + IPV6_PAYLOAD_LENGTH) &&
               same(first, frame, ip + IPV6_PAYLOAD_LENGTH_END, end);
    }
    return same(first, frame, 0, ip + IPV4_TOTAL_LENGTH) &&
           same(first, frame, ip + IPV4_IDENTIFICATION_END, ip + IPV4_CHECKSUM) &&
           same(first, frame, ip + IPV4_CHECKSUM_END, end);
}

/*
 * Appends a segment's payload to the parts, merging adjacent memory. Returns the new number of
 * parts, or 0 if there would be too many. parts: NIC_PARTS_MAX places, of which `count` are used.
 */
static unsigned add_parts(struct virtqueue_part *parts, unsigned count, const struct pbuf *p,
                          unsigned offset)
{
    for (; p != NULL; p = p->next) {
        const uint8_t *data = (const uint8_t *)p->payload + offset;
        uint32_t length = p->len - offset;
        struct virtqueue_part *last = &parts[count - 1];

        offset = 0;
        if (length == 0) {
            continue;
        }
        if (count > 1 && (const uint8_t *)last->data + last->length == data) {
            last->length += length;
        } else if (count == NIC_PARTS_MAX) {
            return 0;
        } else {
            parts[count++] = (struct virtqueue_part){data, length};
        }
    }
    return count;
}

/* A datagram may use the reserved places in the ring, because otherwise it is lost. */
static bool has_room(const struct bursts *bursts, const struct offload_headers *headers,
                     unsigned parts)
{
    unsigned reserve = headers->protocol == OFFLOAD_TCP ? bursts->reserve : 0;

    return bursts->nic->driver->has_room(bursts->nic->state, 1, parts, reserve);
}

static void keep(struct bursts *bursts, struct pbuf *p, uint32_t payload)
{
    const uint8_t *tcp = (const uint8_t *)p->payload + bursts->headers.transport;

    pbuf_ref(p);
    bursts->payload += payload;
    bursts->ended = payload < bursts->segment_size;
    if (bursts->headers.protocol == OFFLOAD_TCP) {
        bursts->next_sequence = get32(tcp + TCP_SEQUENCE) + payload;
    }
}

static enum burst_result begin(struct bursts *bursts, struct pbuf *p,
                               const struct offload_headers *headers, unsigned offset)
{
    unsigned count = pbuf_clen(p);

    if (count >= NIC_PARTS_MAX) {
        return BURST_ALONE;
    }
    if (!has_room(bursts, headers, count)) {
        return BURST_FULL;
    }
    bursts->lone = p;
    bursts->first = p->payload;
    bursts->headers = *headers;
    bursts->header_length = (uint16_t)offset;
    bursts->segment_size = (uint16_t)(p->tot_len - offset);
    bursts->payload = 0;
    bursts->count = count;
    keep(bursts, p, bursts->segment_size);
    return BURST_TAKEN;
}

/*
 * Builds a burst from the lone segment, so that more can be added. Returns false if there is no
 * memory.
 */
static bool join(struct bursts *bursts)
{
    struct burst *burst = bursts->free;

    if (burst == NULL) {
        return false;
    }
    bursts->free = burst->next;
    burst->segment[0] = bursts->lone;
    burst->count = 1;
    memcpy(burst->header + HEADROOM, bursts->first, bursts->header_length);
    bursts->count = add_parts(bursts->parts, 1, bursts->lone, bursts->header_length);
    bursts->first = burst->header + HEADROOM;
    bursts->open = burst;
    bursts->lone = NULL;
    return true;
}

/* The state reported to the peer is that of the latest segment. */
static void update_header(struct bursts *bursts, const struct pbuf *p)
{
    const uint8_t *tcp = (const uint8_t *)p->payload + bursts->headers.transport;
    uint8_t *header = bursts->open->header + HEADROOM + bursts->headers.transport;

    memcpy(header + TCP_ACKNOWLEDGEMENT, tcp + TCP_ACKNOWLEDGEMENT, 4);
    memcpy(header + TCP_WINDOW, tcp + TCP_WINDOW, 2);
    header[TCP_FLAGS] |= tcp[TCP_FLAGS]; /* the card sets PSH only in the last segment */
}

/* True if a frame may be added to the current burst. */
static bool belongs(const struct bursts *bursts, const struct pbuf *p,
                    const struct offload_headers *headers, unsigned offset)
{
    uint32_t payload = p->tot_len - offset;

    return !bursts->ended && headers->protocol == bursts->headers.protocol &&
           headers->transport == bursts->headers.transport && offset == bursts->header_length &&
           payload <= bursts->segment_size &&
           offset - headers->network + bursts->payload + payload <= PACKET_MAX &&
           follows(bursts, p->payload) && same_path(bursts, p->payload);
}

static enum burst_result append(struct bursts *bursts, struct pbuf *p,
                                const struct offload_headers *headers, unsigned offset)
{
    struct virtqueue_part last;
    unsigned count;

    if (!belongs(bursts, p, headers, offset) || (bursts->open == NULL && !join(bursts)) ||
        bursts->open->count == SEGMENTS_MAX) {
        return BURST_OTHER;
    }
    last = bursts->parts[bursts->count - 1];
    count = add_parts(bursts->parts, bursts->count, p, offset);
    if (count == 0 || !has_room(bursts, headers, count)) {
        bursts->parts[bursts->count - 1] = last; /* merging may have lengthened it */
        return BURST_OTHER;
    }
    bursts->count = count;
    if (headers->protocol == OFFLOAD_TCP) {
        update_header(bursts, p);
    }
    bursts->open->segment[bursts->open->count++] = p;
    keep(bursts, p, p->tot_len - offset);
    return BURST_TAKEN;
}

enum burst_result burst_take(struct bursts *bursts, struct pbuf *p,
                             const struct offload_headers *headers)
{
    unsigned offset = payload_offset(bursts, p, headers);

    if (offset == 0) {
        return BURST_ALONE;
    }
    return bursts->count != 0 ? append(bursts, p, headers, offset)
                              : begin(bursts, p, headers, offset);
}

static void give_back(struct bursts *bursts, struct burst *burst)
{
    burst->next = bursts->free;
    bursts->free = burst;
}

/* Sets the lengths and IPv4's checksum of the whole packet. */
static void finish_headers(const struct bursts *bursts, uint8_t *frame)
{
    uint8_t *ip = frame + bursts->headers.network;
    uint32_t length = bursts->header_length - bursts->headers.network + bursts->payload;
    uint16_t sum;

    if (bursts->headers.protocol == OFFLOAD_UDP) {
        put16(frame + bursts->headers.transport + UDP_LENGTH, UDP_HEADER + bursts->payload);
    }
    if (bursts->headers.ipv6) {
        put16(ip + IPV6_PAYLOAD_LENGTH, length - IPV6_HEADER);
        return;
    }
    put16(ip + IPV4_TOTAL_LENGTH, length);
    put16(ip + IPV4_CHECKSUM, 0);
    sum = (uint16_t)~lwip_port_checksum(ip, bursts->headers.transport - bursts->headers.network);
    memcpy(ip + IPV4_CHECKSUM, &sum, sizeof sum);
}

static uint8_t gso_type_of(const struct offload_headers *headers)
{
    if (headers->protocol == OFFLOAD_UDP) {
        return VIRTIO_NET_HDR_GSO_UDP_L4;
    }
    return headers->ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
}

static void send(struct bursts *bursts, struct burst *burst)
{
    uint8_t *frame = burst->header + HEADROOM;
    struct virtio_net_offload offload = {0};

    finish_headers(bursts, frame);
    offload.gso_type = gso_type_of(&bursts->headers);
    offload.gso_size = bursts->segment_size;
    offload.hdr_len = bursts->header_length;
    offload_checksum(frame, bursts->header_length, &bursts->headers,
                     bursts->header_length - bursts->headers.transport + bursts->payload, &offload);
    bursts->parts[0] = (struct virtqueue_part){frame, bursts->header_length};
    if (bursts->nic->driver->transmit(bursts->nic->state, bursts->parts, bursts->count, HEADROOM,
                                      &offload, burst) != 0) {
        burst_release(bursts, burst); /* the card is down, which TCP will notice */
    }
}

struct pbuf *burst_flush(struct bursts *bursts, struct offload_headers *headers)
{
    struct burst *burst = bursts->open;
    struct pbuf *lone = bursts->lone;

    bursts->lone = NULL;
    bursts->open = NULL;
    if (burst != NULL && burst->count > 1) {
        send(bursts, burst);
    } else if (burst != NULL) { /* a second segment belonged to it, but found no room */
        lone = burst->segment[0];
        give_back(bursts, burst);
    }
    *headers = bursts->headers;
    bursts->count = 0;
    return lone;
}

unsigned burst_parts(const struct bursts *bursts)
{
    return bursts != NULL ? bursts->count : 0;
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

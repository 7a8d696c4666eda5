/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/gso.h"

#include <stdlib.h>
#include <string.h>

#include "arch/cc.h"

enum {
    JOINED_FRAMES =
        32, /* joined frames in flight; when all are in use, segments are sent one by one */
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
    PLAIN_TCP = 14 + 20, /* of TCP over IPv4 without options: offset of the TCP header, */
    PLAIN_PAYLOAD = PLAIN_TCP + TCP_HEADER, /* and of the payload */
};

struct gso_frame {
    struct gso_frame *next; /* free */
    unsigned count;
    struct pbuf *segment[SEGMENTS_MAX];
    uint8_t header[HEADROOM + HEADERS_MAX];
};

struct gso {
    const struct nic *nic;
    uint32_t offloads;
    unsigned reserve;
    struct gso_frame *free;

    /*
     * The current joined frame. It is built when a second segment arrives; until then only the
     * first is recorded.
     */
    struct pbuf *lone;      /* NULL: it is built, or there is none */
    struct gso_frame *open; /* NULL: it is not built, or there is none */
    const uint8_t *first;   /* the first segment's headers */
    struct offload_headers headers;
    uint16_t header_length; /* bytes up to the payload */
    uint16_t segment_size;  /* payload bytes of each segment except the last */
    uint32_t payload;       /* bytes so far */
    uint32_t next_sequence; /* of TCP */
    bool ended;             /* by a shorter segment */
    unsigned count; /* parts (of a lone segment: its pbufs); 0: there is no current joined frame */
    unsigned room;  /* parts of a frame for which the ring has room */
    struct virtqueue_part parts[NIC_PARTS_MAX];

    struct gso_frame all[JOINED_FRAMES];
};

struct gso *gso_open(const struct nic *nic, uint32_t offloads, unsigned reserve)
{
    struct gso *gso;

    if (!(offloads & (NIC_SEND_TCP4 | NIC_SEND_TCP6 | NIC_SEND_UDP)) ||
        nic->info.headroom > HEADROOM) {
        return NULL;
    }
    gso = calloc(1, sizeof *gso);
    if (gso == NULL) {
        return NULL;
    }
    gso->nic = nic;
    gso->offloads = offloads;
    gso->reserve = reserve;
    for (unsigned i = 0; i < JOINED_FRAMES; i++) {
        gso->all[i].next = gso->free;
        gso->free = &gso->all[i];
    }
    return gso;
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
 * The length of the transport header if the frame can be joined with others, else 0. A TCP segment
 * must only have flags that any segment may have. CWR is allowed in the first segment only and
 * would have to be declared (HOST_ECN), but lwIP never sends it.
 */
static unsigned transport_length(const struct gso *gso, const struct pbuf *p,
                                 const struct offload_headers *headers)
{
    const uint8_t *tcp = (const uint8_t *)p->payload + headers->transport;

    if (headers->fragment) {
        return 0;
    }
    if (headers->protocol == OFFLOAD_UDP) {
        return gso->offloads & NIC_SEND_UDP ? UDP_HEADER : 0;
    }
    if (headers->protocol != OFFLOAD_TCP || p->len < headers->transport + TCP_HEADER ||
        !(gso->offloads & (headers->ipv6 ? NIC_SEND_TCP6 : NIC_SEND_TCP4)) ||
        (tcp[TCP_FLAGS] & ~FLAG_PUSH) != FLAG_ACK) {
        return 0;
    }
    return (tcp[TCP_DATA_OFFSET] >> 4) * 4u;
}

/*
 * The payload's offset if the frame may be joined with others: it has a payload, and its first pbuf
 * contains all headers. Otherwise 0.
 */
static unsigned payload_offset(const struct gso *gso, const struct pbuf *p,
                               const struct offload_headers *headers)
{
    unsigned length = transport_length(gso, p, headers);
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
 * True if a frame's transport header continues the joined one: it differs only in what follows from
 * its position, and in fields of which the last value counts.
 */
static bool follows(const struct gso *gso, const uint8_t *frame)
{
    const uint8_t *first = gso->first;
    unsigned at = gso->headers.transport;

    if (!same(first, frame, at, at + PORTS)) {
        return false;
    }
    return gso->headers.protocol == OFFLOAD_UDP ||
           (get32(frame + at + TCP_SEQUENCE) == gso->next_sequence &&
            same(first, frame, at + TCP_CHECKSUM_END, gso->header_length));
}

/*
 * True if the headers in front of the transport header differ only in length, checksum and
 * identification. The card increments the identification of the first segment. lwIP has used at
 * least as many numbers up to the last segment, so none is used twice.
 */
static bool same_path(const struct gso *gso, const uint8_t *frame)
{
    const uint8_t *first = gso->first;
    unsigned ip = gso->headers.network;
    unsigned end = gso->headers.transport;

    if (gso->headers.ipv6) {
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

/*
 * Asks for the most at once: nothing else is queued before this frame ends. A datagram may use the
 * reserved places in the ring, because otherwise it is lost.
 */
static bool ask_for_room(struct gso *gso, const struct offload_headers *headers, unsigned parts)
{
    const struct nic *nic = gso->nic;
    unsigned spare = headers->protocol == OFFLOAD_TCP ? gso->reserve : 0;

    if (nic->driver->has_room(nic->state, 1, NIC_PARTS_MAX, spare)) {
        gso->room = NIC_PARTS_MAX;
    } else if (nic->driver->has_room(nic->state, 1, parts, spare)) {
        gso->room = parts;
    }
    return parts <= gso->room;
}

/* True if the ring has room for the current frame with so many parts. */
static bool has_room(struct gso *gso, const struct offload_headers *headers, unsigned parts)
{
    return parts <= gso->room || ask_for_room(gso, headers, parts);
}

static void keep(struct gso *gso, struct pbuf *p, uint32_t payload)
{
    const uint8_t *tcp = (const uint8_t *)p->payload + gso->headers.transport;

    pbuf_ref(p);
    gso->payload += payload;
    gso->ended = payload < gso->segment_size;
    if (gso->headers.protocol == OFFLOAD_TCP) {
        gso->next_sequence = get32(tcp + TCP_SEQUENCE) + payload;
    }
}

static enum gso_result begin(struct gso *gso, struct pbuf *p, const struct offload_headers *headers,
                             unsigned offset)
{
    unsigned count = pbuf_clen(p);

    if (count >= NIC_PARTS_MAX) {
        return GSO_ALONE;
    }
    gso->room = 0;
    if (!has_room(gso, headers, count)) {
        return GSO_FULL;
    }
    gso->lone = p;
    gso->first = p->payload;
    gso->headers = *headers;
    gso->header_length = (uint16_t)offset;
    gso->segment_size = (uint16_t)(p->tot_len - offset);
    gso->payload = 0;
    gso->count = count;
    keep(gso, p, gso->segment_size);
    return GSO_TAKEN;
}

/*
 * Builds a frame from the lone segment, so that more can be added. Returns false if there is no
 * memory.
 */
static bool join(struct gso *gso)
{
    struct gso_frame *joined = gso->free;

    if (joined == NULL) {
        return false;
    }
    gso->free = joined->next;
    joined->segment[0] = gso->lone;
    joined->count = 1;
    memcpy(joined->header + HEADROOM, gso->first, gso->header_length);
    gso->count = add_parts(gso->parts, 1, gso->lone, gso->header_length);
    gso->first = joined->header + HEADROOM;
    gso->open = joined;
    gso->lone = NULL;
    return true;
}

/* The state reported to the peer is that of the latest segment. */
static void update_header(struct gso *gso, const struct pbuf *p)
{
    const uint8_t *tcp = (const uint8_t *)p->payload + gso->headers.transport;
    uint8_t *header = gso->open->header + HEADROOM + gso->headers.transport;

    memcpy(header + TCP_ACKNOWLEDGEMENT, tcp + TCP_ACKNOWLEDGEMENT, 4);
    memcpy(header + TCP_WINDOW, tcp + TCP_WINDOW, 2);
    header[TCP_FLAGS] |= tcp[TCP_FLAGS]; /* the card sets PSH only in the last segment */
}

static uint32_t differ(const uint8_t *a, const uint8_t *b, unsigned at)
{
    return load32(a + at) ^ load32(b + at);
}

/* The current joined frame is TCP over IPv4 without VLAN tag and options. */
static bool is_plain(const struct gso *gso)
{
    return gso->headers.transport == PLAIN_TCP && gso->header_length == PLAIN_PAYLOAD;
}

/*
 * True if a frame's headers continue those of the joined one. Those of TCP over IPv4 without
 * options are compared at constant positions, in a third of the instructions: all but the IP
 * header's length, identification and checksum, and what follows() leaves out.
 */
static bool continues(const struct gso *gso, const uint8_t *frame)
{
    const uint8_t *first = gso->first;

    if (!is_plain(gso)) {
        return follows(gso, frame) && same_path(gso, frame);
    }
    return (differ(first, frame, 0) | differ(first, frame, 4) | differ(first, frame, 8) |
            differ(first, frame, 12) | differ(first, frame, 20) | differ(first, frame, 26) |
            differ(first, frame, 30) | differ(first, frame, PLAIN_TCP) |
            (get32(frame + PLAIN_TCP + TCP_SEQUENCE) ^ gso->next_sequence)) == 0 &&
           same(first, frame, PLAIN_TCP + TCP_CHECKSUM_END, PLAIN_PAYLOAD);
}

/* True if a frame may be added to the current joined frame. */
static bool belongs(const struct gso *gso, const struct pbuf *p,
                    const struct offload_headers *headers, unsigned offset)
{
    uint32_t payload = p->tot_len - offset;

    return !gso->ended && headers->protocol == gso->headers.protocol &&
           headers->transport == gso->headers.transport && offset == gso->header_length &&
           payload <= gso->segment_size &&
           offset - headers->network + gso->payload + payload <= PACKET_MAX &&
           continues(gso, p->payload);
}

static enum gso_result append(struct gso *gso, struct pbuf *p,
                              const struct offload_headers *headers, unsigned offset)
{
    struct virtqueue_part last;
    unsigned count;

    if (!belongs(gso, p, headers, offset) || (gso->open == NULL && !join(gso)) ||
        gso->open->count == SEGMENTS_MAX) {
        return GSO_OTHER;
    }
    last = gso->parts[gso->count - 1];
    count = add_parts(gso->parts, gso->count, p, offset);
    if (count == 0 || !has_room(gso, headers, count)) {
        gso->parts[gso->count - 1] = last; /* merging may have lengthened it */
        return GSO_OTHER;
    }
    gso->count = count;
    if (headers->protocol == OFFLOAD_TCP) {
        update_header(gso, p);
    }
    gso->open->segment[gso->open->count++] = p;
    keep(gso, p, p->tot_len - offset);
    return GSO_TAKEN;
}

enum gso_result gso_take(struct gso *gso, struct pbuf *p, const struct offload_headers *headers)
{
    unsigned offset = payload_offset(gso, p, headers);

    if (offset == 0) {
        return GSO_ALONE;
    }
    return gso->count != 0 ? append(gso, p, headers, offset) : begin(gso, p, headers, offset);
}

/*
 * What transport_length() and payload_offset() check of a plain TCP segment. All else that parsing
 * would tell is in bytes that continues() compares.
 */
static bool may_be_next(const struct pbuf *p)
{
    const uint8_t *tcp = (const uint8_t *)p->payload + PLAIN_TCP;

    return p->len >= PLAIN_PAYLOAD && p->tot_len > PLAIN_PAYLOAD &&
           tcp[TCP_DATA_OFFSET] >> 4 == TCP_HEADER / 4 && (tcp[TCP_FLAGS] & ~FLAG_PUSH) == FLAG_ACK;
}

bool gso_take_next(struct gso *gso, struct pbuf *p)
{
    return gso->count != 0 && is_plain(gso) && may_be_next(p) &&
           append(gso, p, &gso->headers, PLAIN_PAYLOAD) == GSO_TAKEN;
}

static void give_back(struct gso *gso, struct gso_frame *joined)
{
    joined->next = gso->free;
    gso->free = joined;
}

/* Sets the lengths and IPv4's checksum of the whole packet. */
static void finish_headers(const struct gso *gso, uint8_t *frame)
{
    uint8_t *ip = frame + gso->headers.network;
    uint32_t length = gso->header_length - gso->headers.network + gso->payload;
    uint16_t sum;

    if (gso->headers.protocol == OFFLOAD_UDP) {
        put16(frame + gso->headers.transport + UDP_LENGTH, UDP_HEADER + gso->payload);
    }
    if (gso->headers.ipv6) {
        put16(ip + IPV6_PAYLOAD_LENGTH, length - IPV6_HEADER);
        return;
    }
    put16(ip + IPV4_TOTAL_LENGTH, length);
    put16(ip + IPV4_CHECKSUM, 0);
    sum = (uint16_t)~lwip_port_checksum(ip, gso->headers.transport - gso->headers.network);
    memcpy(ip + IPV4_CHECKSUM, &sum, sizeof sum);
}

static uint8_t gso_type_of(const struct offload_headers *headers)
{
    if (headers->protocol == OFFLOAD_UDP) {
        return VIRTIO_NET_HDR_GSO_UDP_L4;
    }
    return headers->ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
}

static void send(struct gso *gso, struct gso_frame *joined)
{
    uint8_t *frame = joined->header + HEADROOM;
    struct virtio_net_offload offload = {0};

    finish_headers(gso, frame);
    offload.gso_type = gso_type_of(&gso->headers);
    offload.gso_size = gso->segment_size;
    offload.hdr_len = gso->header_length;
    offload_checksum(frame, gso->header_length, &gso->headers,
                     gso->header_length - gso->headers.transport + gso->payload, &offload);
    gso->parts[0] = (struct virtqueue_part){frame, gso->header_length};
    if (gso->nic->driver->transmit(gso->nic->state, gso->parts, gso->count, HEADROOM, &offload,
                                   joined) != 0) {
        gso_release(gso, joined); /* the card is down, which TCP will notice */
    }
}

struct pbuf *gso_flush(struct gso *gso, struct offload_headers *headers)
{
    struct gso_frame *joined = gso->open;
    struct pbuf *lone = gso->lone;

    gso->lone = NULL;
    gso->open = NULL;
    if (joined != NULL && joined->count > 1) {
        send(gso, joined);
    } else if (joined != NULL) { /* a second segment belonged to it, but found no room */
        lone = joined->segment[0];
        give_back(gso, joined);
    }
    *headers = gso->headers;
    gso->count = 0;
    return lone;
}

unsigned gso_parts(const struct gso *gso)
{
    return gso != NULL ? gso->count : 0;
}

bool gso_release(struct gso *gso, void *cookie)
{
    struct gso_frame *joined = cookie;

    if (gso == NULL || (uintptr_t)cookie - (uintptr_t)gso->all >= sizeof gso->all) {
        return false;
    }
    for (unsigned i = 0; i < joined->count; i++) {
        pbuf_free(joined->segment[i]);
    }
    give_back(gso, joined);
    return true;
}

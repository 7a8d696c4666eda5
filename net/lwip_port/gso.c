/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/gso.h"

#include <stdlib.h>
#include <string.h>

#include "net/lwip_port/gso_headers.h"

enum {
    JOINED_FRAMES = 32,      /* in flight; when all are in use, segments are sent one by one */
    SEGMENTS_MAX = 46,       /* 64 KiB in Ethernet frames; Linux splits up to 64 datagrams */
    HEADROOM = 12,           /* for the card's header */
    PACKET_MAX = UINT16_MAX, /* bytes of an IP packet */
};

struct gso_frame {
    struct gso_frame *next; /* free */
    unsigned count;
    struct pbuf *segment[SEGMENTS_MAX];
    uint8_t header[HEADROOM + GSO_HEADERS_MAX];
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
    struct gso_flow flow;
    uint16_t segment_size; /* payload bytes of each segment except the last */
    uint32_t payload;      /* bytes so far */
    bool ended;            /* by a shorter segment */
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
    pbuf_ref(p);
    gso->payload += payload;
    gso->ended = payload < gso->segment_size;
    gso_advance(&gso->flow, p->payload, payload);
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
    gso->flow.first = p->payload;
    gso->flow.headers = *headers;
    gso->flow.length = (uint16_t)offset;
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
    memcpy(joined->header + HEADROOM, gso->flow.first, gso->flow.length);
    gso->count = add_parts(gso->parts, 1, gso->lone, gso->flow.length);
    gso->flow.first = joined->header + HEADROOM;
    gso->open = joined;
    gso->lone = NULL;
    return true;
}

/* True if a frame may be added to the current joined frame. */
static bool belongs(const struct gso *gso, const struct pbuf *p,
                    const struct offload_headers *headers, unsigned offset)
{
    uint32_t payload = p->tot_len - offset;

    return !gso->ended && payload <= gso->segment_size &&
           offset - headers->network + gso->payload + payload <= PACKET_MAX &&
           gso_continues(&gso->flow, p->payload, headers, offset);
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
        gso_update_headers(&gso->flow, gso->open->header + HEADROOM, p->payload);
    }
    gso->open->segment[gso->open->count++] = p;
    keep(gso, p, p->tot_len - offset);
    return GSO_TAKEN;
}

enum gso_result gso_take(struct gso *gso, struct pbuf *p, const struct offload_headers *headers)
{
    unsigned offset = gso_payload_offset(gso->offloads, p, headers);

    if (offset == 0) {
        return GSO_ALONE;
    }
    return gso->count != 0 ? append(gso, p, headers, offset) : begin(gso, p, headers, offset);
}

bool gso_take_next(struct gso *gso, struct pbuf *p)
{
    return gso->count != 0 && gso_is_plain(&gso->flow) && gso_may_be_plain(p) &&
           append(gso, p, &gso->flow.headers, GSO_PLAIN_PAYLOAD) == GSO_TAKEN;
}

static void give_back(struct gso *gso, struct gso_frame *joined)
{
    joined->next = gso->free;
    gso->free = joined;
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

    gso_finish_headers(&gso->flow, frame, gso->payload);
    offload.gso_type = gso_type_of(&gso->flow.headers);
    offload.gso_size = gso->segment_size;
    offload.hdr_len = gso->flow.length;
    offload_checksum(frame, gso->flow.length, &gso->flow.headers,
                     gso->flow.length - gso->flow.headers.transport + gso->payload, &offload);
    gso->parts[0] = (struct virtqueue_part){frame, gso->flow.length};
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
    *headers = gso->flow.headers;
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of lies. */
#include <string.h>

#include "tests/vhost/vhost_lies.h"
#include "tests/vhost/vhost_ring.h"

/* Used ids: out of range, not in flight, used twice, swapped with the next. */
static void id_range(struct queue *queue, unsigned at)
{
    bool packed = queue->ring == &packed_ring; /* of 16 bits in a packed ring */

    queue->pending[at].id =
        queue->size + lies_random((packed ? 0x10000u : UINT32_MAX) - queue->size);
}

static void id_free(struct queue *queue, unsigned at)
{
    static struct chain chain;
    uint16_t next = queue->next;
    bool out[QUEUE_MAX];

    memcpy(out, queue->out, sizeof out);
    for (unsigned i = 0; i < queue->pending_count; i++) {
        out[queue->pending[i].id % QUEUE_MAX] = true;
    }
    for (unsigned n = 0; n < queue->size && queue->ring->take(queue, &chain); n++) {
        out[chain.id % QUEUE_MAX] = true;
    }
    queue->next = next;
    for (unsigned n = 0, id = lies_random(queue->size); n < queue->size; n++) {
        if (!out[(id + n) % queue->size]) {
            queue->pending[at].id = (id + n) % queue->size;
            return;
        }
    }
}

/*
 * In a packed ring the second entry takes the place of the next buffer, which is lost; or of none,
 * and is overwritten by the next used entry.
 */
static void id_twice(struct queue *queue, unsigned at)
{
    static struct chain chain;
    struct used_entry *entry = &queue->pending[at];

    if (queue->pending_count == 2 * QUEUE_MAX) {
        return;
    }
    memmove(entry + 1, entry, (queue->pending_count - at) * sizeof *entry);
    queue->pending_count++;
    if (queue->ring == &packed_ring) {
        entry[1].descriptors = queue->ring->take(queue, &chain) ? chain.descriptors : 0;
    }
}

static void id_other(struct queue *queue, unsigned at)
{
    static struct chain chain;
    uint16_t next = queue->next;

    if (queue->ring->take(queue, &chain)) {
        queue->pending[at].id = chain.id;
        queue->next = next;
    }
}

static void drop(struct queue *queue, unsigned at)
{
    queue->pending_count--;
    memmove(&queue->pending[at], &queue->pending[at + 1],
            (queue->pending_count - at) * sizeof queue->pending[0]);
}

/* It changes places with any entry before it. */
static void reorder(struct queue *queue, unsigned at)
{
    unsigned other = lies_random(at + 1);
    struct used_entry entry = queue->pending[at];

    queue->pending[at] = queue->pending[other];
    queue->pending[other] = entry;
}

static void length_0(struct queue *queue, unsigned at)
{
    queue->pending[at].length = 0;
}

static void length_short(struct queue *queue, unsigned at)
{
    queue->pending[at].length = lies_random(sizeof(struct virtio_net_hdr));
}

static void length_header(struct queue *queue, unsigned at)
{
    queue->pending[at].length = sizeof(struct virtio_net_hdr);
}

static void length_cut(struct queue *queue, unsigned at)
{
    queue->pending[at].length = 13 + lies_random(40);
}

static void length_room(struct queue *queue, unsigned at)
{
    queue->pending[at].length = queue->pending[at].room;
}

static void length_more(struct queue *queue, unsigned at)
{
    queue->pending[at].length = queue->pending[at].room + 1 + lies_random(65536);
}

static void length_max(struct queue *queue, unsigned at)
{
    queue->pending[at].length = UINT32_MAX;
}

static void index_ahead(struct queue *queue)
{
    queue->ring->jump(queue, queue->size - 1);
}

static void index_one(struct queue *queue)
{
    queue->ring->jump(queue, 1);
}

static void index_back(struct queue *queue)
{
    queue->ring->jump(queue, -1 - (int)lies_random(5));
}

static void spoil_descriptors(struct queue *queue)
{
    queue->ring->spoil_descriptors(queue);
}

static void spoil_avail(struct queue *queue)
{
    queue->ring->spoil_avail(queue);
}

static void spoil_used(struct queue *queue)
{
    queue->ring->spoil_used(queue);
}

static void set(virtio16_t *field, unsigned value)
{
    virtio16_write(true, field, (uint16_t)value);
}

static void buffers_0(struct virtio_net_hdr *header)
{
    set(&header->num_buffers, 0);
}

static void buffers_1(struct virtio_net_hdr *header)
{
    set(&header->num_buffers, 1);
}

static void buffers_more(struct virtio_net_hdr *header)
{
    set(&header->num_buffers, virtio16_read(true, &header->num_buffers) + 1u + lies_random(40));
}

static void buffers_max(struct virtio_net_hdr *header)
{
    set(&header->num_buffers, 65535);
}

static void gso(struct virtio_net_hdr *header, unsigned type, unsigned size)
{
    header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header->gso_type = (uint8_t)type;
    set(&header->gso_size, size);
    set(&header->hdr_len, 54);
    set(&header->csum_start, 34);
    set(&header->csum_offset, 16);
}

static void gso_unknown(struct virtio_net_hdr *header)
{
    gso(header, 6 + lies_random(0x7a), 1448);
}

static void gso_udp(struct virtio_net_hdr *header)
{
    gso(header, VIRTIO_NET_HDR_GSO_UDP, 1448);
}

static void gso_uso(struct virtio_net_hdr *header)
{
    gso(header, VIRTIO_NET_HDR_GSO_UDP_L4, 1448);
}

static void gso_size_0(struct virtio_net_hdr *header)
{
    gso(header, VIRTIO_NET_HDR_GSO_TCPV4, 0);
}

static void gso_size_max(struct virtio_net_hdr *header)
{
    gso(header, VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN, 65535);
}

static void gso_v6(struct virtio_net_hdr *header)
{
    gso(header, VIRTIO_NET_HDR_GSO_TCPV6, 1);
}

static void hdr_len_max(struct virtio_net_hdr *header)
{
    gso(header, VIRTIO_NET_HDR_GSO_TCPV4, 1448);
    set(&header->hdr_len, 65535);
}

static void csum_start_max(struct virtio_net_hdr *header)
{
    header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    set(&header->csum_start, 65535);
    set(&header->csum_offset, 16);
}

static void csum_offset_max(struct virtio_net_hdr *header)
{
    header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    set(&header->csum_start, 34);
    set(&header->csum_offset, 65535);
}

static void flags_unknown(struct virtio_net_hdr *header)
{
    header->flags = (uint8_t)(0xfc | lies_random(4));
}

static void header_noise(struct virtio_net_hdr *header)
{
    lies_noise(header, sizeof *header);
}

const struct lie lies[] = {
    {.name = "id-range", .used = id_range},
    {.name = "id-free", .used = id_free},
    {.name = "id-twice", .used = id_twice},
    {.name = "id-other", .used = id_other},
    {.name = "drop", .used = drop},
    {.name = "reorder", .used = reorder},
    {.name = "length-0", .used = length_0},
    {.name = "length-short", .used = length_short},
    {.name = "length-header", .used = length_header},
    {.name = "length-cut", .used = length_cut},
    {.name = "length-room", .used = length_room},
    {.name = "length-more", .used = length_more},
    {.name = "length-max", .used = length_max},
    {.name = "index-ahead", .shown = index_ahead},
    {.name = "index-one", .shown = index_one},
    {.name = "index-back", .shown = index_back},
    {.name = "spoil-descriptors", .shown = spoil_descriptors},
    {.name = "spoil-avail", .shown = spoil_avail},
    {.name = "spoil-used", .shown = spoil_used},
    {.name = "buffers-0", .header = buffers_0},
    {.name = "buffers-more", .header = buffers_more},
    {.name = "buffers-max", .header = buffers_max},
    {.name = "buffers-less", .header = buffers_1, .share = 60},
    {.name = "buffers-small", .header = NULL, .share = 60},
    {.name = "gso-unknown", .header = gso_unknown},
    {.name = "gso-udp", .header = gso_udp},
    {.name = "gso-uso", .header = gso_uso},
    {.name = "gso-size-0", .header = gso_size_0},
    {.name = "gso-size-max", .header = gso_size_max},
    {.name = "gso-v6", .header = gso_v6},
    {.name = "hdr-len-max", .header = hdr_len_max},
    {.name = "csum-start-max", .header = csum_start_max},
    {.name = "csum-offset-max", .header = csum_offset_max},
    {.name = "flags-unknown", .header = flags_unknown},
    {.name = "header-noise", .header = header_noise},
    {.name = "stall", .kind = STALL},
    {.name = "mute", .kind = MUTE},
    {.name = "unheard", .kind = UNHEARD},
    {.name = "loss", .kind = LOSS},
    {.name = "away", .kind = AWAY},
};
const unsigned lies_count = sizeof lies / sizeof lies[0];

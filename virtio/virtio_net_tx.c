/* SPDX-License-Identifier: BSD-2-Clause */
/* Transmitting: adds the client's frames to the transmit queue and returns used ones. */
#include "virtio/internal/virtio_net_tx.h"

#include <string.h>

#include "virtio/internal/virtio_net_debug.h"
#include "virtio/internal/virtio_net_rx.h"
#include "virtio/virtio_platform.h"

#define RENEWAL_GRACE_NS 100000000u

enum {
    TX_TABLES = 32,
    TX_TABLE_PARTS = VIRTQUEUE_PARTS_MAX,
};

int virtio_net_tx_create(struct virtio_net *net, uint16_t wanted)
{
    uint16_t size = virtio_net_queue_size(wanted != 0 ? wanted : VIRTIO_NET_TX_SIZE);
    int error =
        virtqueue_create(&net->tx, net->dev, VIRTIO_NET_QUEUE_TX, size, TX_TABLES, TX_TABLE_PARTS);

    if (error == 0 && net->tx.slots < (net->split_header ? 2 : 1)) {
        virtio_log("virtio-net: a transmit queue of one descriptor has no room for a "
                   "header and a frame");
        error = VIRTIO_ERROR_IO;
    }
    net->tx_parts_max = (uint16_t)(net->tx.slots - (net->split_header ? 1 : 0));
    if (net->tx_parts_max > VIRTIO_NET_PARTS_MAX) {
        net->tx_parts_max = VIRTIO_NET_PARTS_MAX;
    }
    /* §5.1.4.2: a driver that negotiates MTU sends no longer packets. */
    net->tx_frame_max = virtio_has(net->dev->features, VIRTIO_NET_F_MTU)
                            ? (uint32_t)net->mtu + VIRTIO_NET_ETHERNET_HEADERS
                            : UINT32_MAX;
    if (error == 0) {
        net->tx_header = virtio_platform_alloc(sizeof *net->tx_header, sizeof(uint64_t));
        error = net->tx_header == NULL ? VIRTIO_ERROR_NOMEM : 0;
    }
    return error;
}

void virtio_net_tx_destroy(struct virtio_net *net)
{
    virtqueue_destroy(&net->tx);
    virtio_platform_free(net->tx_header);
    net->tx_header = NULL;
}

unsigned virtio_net_tx_reclaim(struct virtio_net *net)
{
    const unsigned most =
        net->tx.in_flight; /* frames that the client sends from its callback are for the next
                            * pass */
    uint32_t length;       /* not used: the device only reads */
    unsigned count = 0;
    void *cookie;

    while (count < most && (cookie = virtqueue_get(&net->tx, &length)) != NULL) {
        virtio_net_to_client(net);
        net->client->transmitted(net->client->context, cookie);
        virtio_net_from_client(net);
        count++;
    }
    return count;
}

void virtio_net_tx_give_back(struct virtio_net *net)
{
    void *cookie;

    while ((cookie = virtqueue_detach(&net->tx)) != NULL) {
        net->counters.tx_lost++;
        virtio_net_to_client(net);
        net->client->transmitted(net->client->context, cookie);
        virtio_net_from_client(net);
    }
}

/*
 * While the link is down, QEMU (7.2, 10) drops frames of a packed ring and counts them wrong: it
 * stops after the first one, and the next frame that it takes breaks the device. A reset of the
 * queue repairs both. The reset must not happen while a frame waits in the back end, since QEMU up
 * to 7.2 then asserts. So frames in flight get some time to come back, although after such a drop
 * they do not.
 */
bool virtio_net_tx_renew(struct virtio_net *net)
{
    uint64_t now = virtio_platform_clock_ns();

    if (!net->tx_renewing) {
        net->tx_renewing = true;
        net->tx_renewed_since = now;
    }
    (void)virtio_net_tx_reclaim(net); /* frames used so far */
    if (!net->tx.stopped) {
        if (net->tx.in_flight != 0 && now - net->tx_renewed_since < RENEWAL_GRACE_NS) {
            return false;
        }
        if (virtqueue_reset_begin(&net->tx) != 0) {
            return false;
        }
    }
    if (!virtqueue_reset_ended(&net->tx)) {
        return false;
    }
    (void)virtio_net_tx_reclaim(net); /* and those used during the reset */
    virtio_net_tx_give_back(net);
    if (virtqueue_restart(&net->tx) != 0) {
        return false;
    }
    virtqueue_interrupts_off(&net->tx);
    net->tx_renewing = false;
    return true;
}

static void write_header(const struct virtio_net *net, struct virtio_net_hdr *header,
                         const struct virtio_net_offload *offload)
{
    bool little = net->dev->little_endian;

    static const struct virtio_net_offload none;

    if (!VIRTIO_CONFIG_OFFLOADS || offload == NULL) {
        offload = &none;
    }
    header->flags = offload->flags;
    header->gso_type = offload->gso_type;
    virtio16_write(little, &header->hdr_len, offload->hdr_len);
    virtio16_write(little, &header->gso_size, offload->gso_size);
    virtio16_write(little, &header->csum_start, offload->csum_start);
    virtio16_write(little, &header->csum_offset, offload->csum_offset);
    if (net->header_length == sizeof *header) {
        virtio16_write(little, &header->num_buffers, 0);
    }
}

/* True if the frame may be segmented like this: only as negotiated (§5.1.6.2.1). */
static bool may_cut(const struct virtio_net *net, const struct virtio_net_offload *offload,
                    uint32_t bytes)
{
    const uint64_t features = net->dev->features;
    unsigned type = offload->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;

    if (offload->flags == 0 || offload->gso_size == 0 || offload->hdr_len == 0 ||
        offload->hdr_len >= bytes ||
        (type != offload->gso_type && !virtio_has(features, VIRTIO_NET_F_HOST_ECN))) {
        return false;
    }
    return (type == VIRTIO_NET_HDR_GSO_TCPV4 && virtio_has(features, VIRTIO_NET_F_HOST_TSO4)) ||
           (type == VIRTIO_NET_HDR_GSO_TCPV6 && virtio_has(features, VIRTIO_NET_F_HOST_TSO6)) ||
           (offload->gso_type == VIRTIO_NET_HDR_GSO_UDP_L4 &&
            virtio_has(features, VIRTIO_NET_F_HOST_USO));
}

/* True if the checksum offload was negotiated and lies within the frame. */
static bool may_sum(const struct virtio_net *net, const struct virtio_net_offload *offload,
                    uint32_t bytes)
{
    return offload->flags == 0 ||
           (offload->flags == VIRTIO_NET_HDR_F_NEEDS_CSUM &&
            virtio_has(net->dev->features, VIRTIO_NET_F_CSUM) &&
            (uint32_t)offload->csum_start + offload->csum_offset + sizeof(uint16_t) <= bytes);
}

/* The frame may not exceed the MTU either, unless the device segments it (§5.1.4.2). */
static bool is_allowed(const struct virtio_net *net, const struct virtio_net_offload *offload,
                       uint32_t bytes)
{
    if (offload == NULL) {
        return bytes <= net->tx_frame_max;
    }
    return VIRTIO_CONFIG_OFFLOADS && may_sum(net, offload, bytes) &&
           (offload->gso_type == VIRTIO_NET_HDR_GSO_NONE ? bytes <= net->tx_frame_max
                                                         : may_cut(net, offload, bytes));
}

/* Puts the header in front of the first part, in the same descriptor. */
static int add_joined(struct virtio_net *net, struct virtqueue_part *parts, unsigned count,
                      void *cookie)
{
    const struct virtqueue_part first = parts[0];
    int error;

    parts[0].data = (const uint8_t *)first.data - net->header_length;
    parts[0].length += net->header_length;
    error = count == 1 ? virtqueue_add_single(&net->tx, parts, false, cookie)
                       : virtqueue_add(&net->tx, parts, count, 0, cookie);
    parts[0] = first;
    return error;
}

/* Puts the header into its own descriptor. */
static int add_apart(struct virtio_net *net, const void *header, const struct virtqueue_part *parts,
                     unsigned count, void *cookie)
{
    struct virtqueue_part chain[VIRTQUEUE_PARTS_MAX];

    chain[0] = (struct virtqueue_part){header, net->header_length};
    memcpy(chain + 1, parts, count * sizeof *parts);
    return virtqueue_add(&net->tx, chain, count + 1, 0, cookie);
}

/* §5.1.6.2 Packet Transmission: a header without offloads is all zeros. */
static int add_frame(struct virtio_net *net, struct virtqueue_part *parts, unsigned count,
                     unsigned headroom, const struct virtio_net_offload *offload, void *cookie)
{
    struct virtio_net_hdr *header = net->tx_header;

    if (headroom >= net->header_length) {
        header = (struct virtio_net_hdr *)((uintptr_t)parts[0].data - net->header_length);
        write_header(net, header, offload);
        if (!net->split_header) {
            return add_joined(net, parts, count, cookie);
        }
    }
    return add_apart(net, header, parts, count, cookie);
}

int virtio_net_transmit(struct virtio_net *net, struct virtqueue_part *parts, unsigned count,
                        unsigned headroom, const struct virtio_net_offload *offload, void *cookie)
{
    VIRTIO_NET_ENTER(net);
    uint32_t bytes = 0;
    int error;

    if (!net->live || !net->link_up) {
        if (!net->live && net->recovery == VIRTIO_NET_WELL) {
            return VIRTIO_ERROR_INVAL;
        }
        net->counters.tx_down++;
        return VIRTIO_ERROR_DOWN;
    }
    if (count > VIRTIO_NET_PARTS_MAX || (offload != NULL && headroom < net->header_length)) {
        return VIRTIO_ERROR_TOOBIG;
    }
    for (unsigned i = 0; i < count; i++) {
        bytes += parts[i].length;
    }
    /*
     * virtqueue_add() checks the other parts. The first one is checked here, since the header may
     * be added to it.
     */
    if (count == 0 || parts[0].data == NULL ||
        parts[0].length - 1 >= UINT32_MAX - sizeof(struct virtio_net_hdr) ||
        !is_allowed(net, offload, bytes)) {
        return VIRTIO_ERROR_INVAL;
    }
    error = add_frame(net, parts, count, headroom, offload, cookie);
    if (error == 0) {
        net->counters.tx_frames++;
        net->counters.tx_bytes += bytes;
    } else if (error == VIRTIO_ERROR_FULL) {
        net->counters.tx_full++;
    }
    return error;
}

bool virtio_net_has_room(const struct virtio_net *net, unsigned frames, unsigned parts,
                         unsigned spare)
{
    unsigned header = net->split_header ? 1 : 0; /* in its own descriptor, or in the headroom */

    return net->live && parts <= net->tx_parts_max &&
           net->tx.free_count >=
               virtqueue_descriptors(&net->tx, frames, parts + header) + spare * (1 + header);
}

void virtio_net_flush(struct virtio_net *net)
{
    VIRTIO_NET_ENTER(net);
    virtio_net_kick(net, &net->tx);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Receiving: assembles used buffers into frames and passes them to the client. */
#include "virtio/internal/virtio_net_rx.h"

#include "virtio/internal/virtio_net_debug.h"

enum { MERGED_MAX = 48 }; /* most buffers of a frame: 64 KiB and one spare */

/* The next used buffer, or NULL. *length: the bytes written by the device. */
static struct virtio_net_buffer *next_used(struct virtio_net *net, uint32_t *length)
{
    struct virtio_net_buffer *buffer = virtqueue_get(&net->rx, length);

    if (buffer != NULL) {
        net->rx_posted--;
        net->rx_taken++;
    }
    return buffer;
}

static void deliver(struct virtio_net *net, struct virtio_net_buffer *buffer, unsigned skip,
                    uint32_t length, bool more, const struct virtio_net_offload *offload)
{
    net->counters.rx_bytes += length;
    virtio_net_hand_out(&buffer->debug_held);
    virtio_net_to_client(net);
    net->client->receive(net->client->context, buffer->private,
                         virtio_net_buffer_header(net, buffer) + skip, length, more, offload);
    virtio_net_from_client(net);
}

/*
 * True if the frame's type was negotiated. Otherwise the device must not join segments or datagrams
 * (§5.1.6.4.1), and the meaning is unknown.
 */
static bool is_agreed(const struct virtio_net *net, const struct virtio_net_offload *offload)
{
    const uint64_t features = net->dev->features;

    switch (offload->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        return true;
    case VIRTIO_NET_HDR_GSO_TCPV4:
        return virtio_has(features, VIRTIO_NET_F_GUEST_TSO4);
    case VIRTIO_NET_HDR_GSO_TCPV6:
        return virtio_has(features, VIRTIO_NET_F_GUEST_TSO6);
    case VIRTIO_NET_HDR_GSO_UDP_L4:
        return virtio_has(features, VIRTIO_NET_F_GUEST_USO4) ||
               virtio_has(features, VIRTIO_NET_F_GUEST_USO6);
    default:
        return false;
    }
}

/*
 * Reads the header's offloads; none if no feature allows them (§5.1.6.4.1). Unknown flags, and the
 * checksum's position without a missing checksum, are ignored (§5.1.6.4.2).
 */
static struct virtio_net_offload read_offload(const struct virtio_net *net,
                                              const struct virtio_net_hdr *header)
{
    bool little = net->dev->little_endian;
    struct virtio_net_offload offload = {0};

    if (!VIRTIO_CONFIG_OFFLOADS || !virtio_has(net->dev->features, VIRTIO_NET_F_GUEST_CSUM)) {
        return offload;
    }
    offload.flags = header->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID);
    offload.gso_type = header->gso_type;
    offload.gso_size = virtio16_read(little, &header->gso_size);
    offload.hdr_len = virtio16_read(little, &header->hdr_len);
    if (offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        offload.csum_start = virtio16_read(little, &header->csum_start);
        offload.csum_offset = virtio16_read(little, &header->csum_offset);
    }
    return offload;
}

static uint16_t buffers_of_frame(const struct virtio_net *net, struct virtio_net_buffer *first)
{
    const struct virtio_net_hdr *header =
        (const struct virtio_net_hdr *)virtio_net_buffer_header(net, first);

    if (!VIRTIO_CONFIG_OFFLOADS || !virtio_has(net->dev->features, VIRTIO_NET_F_MRG_RXBUF)) {
        return 1; /* with VERSION_1 alone the field exists but is not used */
    }
    return virtio16_read(net->dev->little_endian, &header->num_buffers);
}

/*
 * Takes the rest of a frame of `wanted` buffers and delivers it if it is `good`. If it is not, or
 * is incomplete, delivers nothing, keeps the buffers for the next refill, and returns false.
 */
static bool receive_merged(struct virtio_net *net, struct virtio_net_buffer *first, uint32_t length,
                           unsigned wanted, const struct virtio_net_offload *offload, bool good)
{
    struct virtio_net_buffer *part[MERGED_MAX];
    uint32_t part_length[MERGED_MAX];
    unsigned count = 0;

    while (count + 1 < wanted && count < MERGED_MAX &&
           (part[count] = next_used(net, &part_length[count])) != NULL) {
        good &= part_length[count] != 0;
        count++;
    }
    if (count + 1 != wanted || !good) {
        while (count-- > 0) {
            virtio_net_rx_keep(net, part[count]);
        }
        virtio_net_rx_keep(net, first);
        return false;
    }
    deliver(net, first, net->header_length, length - net->header_length, true, offload);
    for (unsigned i = 0; i < count; i++) {
        deliver(net, part[i], 0, part_length[i], i + 1 < count, offload);
    }
    return true;
}

/*
 * §5.1.6.4 Processing of Incoming Packets: a frame consists of num_buffers buffers, and the first
 * begins with the header. The device must make all of them available at once, and none may be
 * empty; otherwise the frame is dropped.
 */
static void receive_frame(struct virtio_net *net, struct virtio_net_buffer *first, uint32_t length)
{
    struct virtio_net_offload offload;
    unsigned wanted;
    bool good;

    if (length < net->header_length) {
        net->counters.rx_bad++;
        virtio_net_rx_keep(net, first);
        return;
    }
    wanted = buffers_of_frame(net, first);
    offload =
        read_offload(net, (const struct virtio_net_hdr *)virtio_net_buffer_header(net, first));
    good = length != net->header_length && is_agreed(net, &offload);
    if (wanted == 1 && good) {
        deliver(net, first, net->header_length, length - net->header_length, false, &offload);
    } else if (!VIRTIO_CONFIG_OFFLOADS) {
        net->counters.rx_bad++;
        virtio_net_rx_keep(net, first);
        return;
    } else if (!receive_merged(net, first, length, wanted, &offload, good)) {
        net->counters.rx_bad++;
        return;
    }
    net->counters.rx_frames++;
}

/* Passes up to `budget` frames to the client. */
static unsigned receive_frames(struct virtio_net *net, unsigned budget)
{
    struct virtio_net_buffer *buffer;
    unsigned frames = 0;
    uint32_t length;

    while (frames < budget && (buffer = next_used(net, &length)) != NULL) {
        receive_frame(net, buffer, length);
        frames++;
        /*
         * After each frame, so that the device does not run out of buffers while the remaining
         * frames are handled.
         */
        virtio_net_rx_post(net);
    }
    return frames;
}

/* If the queue is being reset, what the device used before is received first. */
unsigned virtio_net_rx_poll(struct virtio_net *net, unsigned budget)
{
    unsigned frames = 0;

    do {
        bool withdrawn = virtio_net_rx_limit_withdrawn(net);

        net->rx_taken = 0;
        frames += receive_frames(net, budget - frames);
        if (withdrawn && frames < budget) {
            virtio_net_rx_limit_end_withdrawal(net);
        }
    } while (virtio_net_rx_limit_adapt(net));
    virtio_net_rx_limit_end_pass(net, frames < budget);
    return frames;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Receiving: from used buffers to frames, which the client gets. */
#include "virtio/internal/virtio_net_rx.h"

enum {
    MERGED_MAX = 48,       /* buffers of one frame: 64 KiB of them, and one spare */
    ASKED_LATELY = 0x8000, /* buffers ago */
};

/* The next used buffer, or NULL; *length is what the device wrote to it. */
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
    net->client->receive(net->client->context, buffer->private,
                         virtio_net_buffer_header(net, buffer) + skip, length, more, offload);
}

/* Whether what a frame is said to be made of was agreed: the device must not join segments or datagrams
 * otherwise (§5.1.6.4.1), and there is no telling what it means. */
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

/* What the header says; nothing where no offload was agreed that could (§5.1.6.4.1). Flags that are not
 * known, and where a checksum would be that is not missing, mean nothing (§5.1.6.4.2). */
static struct virtio_net_offload read_offload(const struct virtio_net *net,
                                              const struct virtio_net_hdr *header)
{
    bool little = net->dev->little_endian;
    struct virtio_net_offload offload = {0};

    if (!virtio_has(net->dev->features, VIRTIO_NET_F_GUEST_CSUM)) {
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

    if (!virtio_has(net->dev->features, VIRTIO_NET_F_MRG_RXBUF)) {
        return 1; /* with VERSION_1 alone the field is there, and of no use */
    }
    return virtio16_read(net->dev->little_endian, &header->num_buffers);
}

/* Takes the rest of a frame of `wanted` buffers, and delivers it where it is `good`. Returns false, with
 * nothing delivered and all of it kept for the next refill, where it is not, or not all there. */
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
 * §5.1.6.4 Processing of Incoming Packets: a frame is num_buffers buffers, of which the first
 * begins with the header. All of them are there at once, and none is empty, or the device has broken its
 * promise: then what is there of the frame is dropped.
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
    } else if (!receive_merged(net, first, length, wanted, &offload, good)) {
        net->counters.rx_bad++;
        return;
    }
    net->counters.rx_frames++;
}

/*
 * The device wanted to hear of fresh buffers. With an event index one in the middle of receiving asks
 * only when it has run out, be it of those for one merged frame. But the index of a split ring that
 * it left behind long ago comes by again every 65,536 buffers, and looks the same: who asks after so
 * many is not believed before it asks again.
 */
static void device_asked(struct virtio_net *net, unsigned taken)
{
    if (taken == 0 || !virtio_has(net->dev->features, VIRTIO_F_EVENT_IDX)) {
        return;
    }
    if (net->rx_since_asked + taken < ASKED_LATELY) {
        virtio_net_rx_shortage(net);
    }
    net->rx_since_asked = 0;
}

/* Adapts the limit to what was taken of this burst, and begins to withdraw buffers beyond it. Returns
 * whether it has begun just now: the device may be done with that at once. */
static bool adapt(struct virtio_net *net)
{
    virtio_net_rx_adapt(net, net->rx_burst);
    return net->rx_posted > net->rx_limit && virtio_net_rx_begin_withdrawal(net);
}

/* A pass. What the device used before a reset of its queue had ended is received first: only then are the
 * buffers behind it taken back. */
unsigned virtio_net_rx_poll(struct virtio_net *net, unsigned budget)
{
    struct virtio_net_buffer *buffer;
    unsigned frames = 0;
    unsigned taken;
    uint32_t length;

    do {
        bool released = net->rx.stopped && virtqueue_reset_ended(&net->rx);

        while (frames < budget && (buffer = next_used(net, &length)) != NULL) {
            receive_frame(net, buffer, length);
            frames++;
            /* At once, so that the device does not run short while the frames before are handled. */
            virtio_net_rx_post(net);
        }
        if (released && frames < budget) {
            virtio_net_rx_end_withdrawal(net);
        }
        taken = net->rx_taken;
        net->rx_taken = 0;
        net->rx_burst += taken;
    } while (adapt(net));
    if (frames < budget) {
        net->rx_burst = 0;
    }
    if (virtio_net_rx_refill(net)) {
        device_asked(net, taken);
    } else if (net->rx_since_asked < ASKED_LATELY) {
        net->rx_since_asked += taken;
    }
    return frames;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receiving: buffers that the client gets without a copy and gives back, and how many of them are
 * posted. A buffer is one block: our own link, the client's private bytes, room, then the header
 * and the frame as the device writes them.
 */
#include "virtio/virtio_net_rx.h"

#include "virtio/virtio_platform.h"

enum {
    ETHERNET_HEADER = 14,
    ETHERNET_FRAME_MAX = 1518, /* with a VLAN tag, without the checksum */
    BUFFER_ALIGN = 16,
    MERGED_MAX = 48, /* buffers of one frame: 64 KiB of them, and one spare */
};

struct virtio_net_buffer {
    struct virtio_net_buffer *next; /* while it is kept */
    uint64_t private[];             /* the client's, then padding, then header and frame */
};

static uint8_t *buffer_header(const struct virtio_net *net, struct virtio_net_buffer *buffer)
{
    return (uint8_t *)buffer + net->rx_data_offset;
}

/* The queue size, a power of two, that has room for `buffers`. */
static uint16_t queue_size_for(unsigned buffers)
{
    unsigned size = 1;

    while (size < buffers && size < VIRTQ_SIZE_MAX) {
        size *= 2;
    }
    return (uint16_t)size;
}

int virtio_net_rx_create(struct virtio_net *net, uint16_t initial, uint16_t maximum)
{
    uint32_t fixed = (uint32_t)sizeof(struct virtio_net_buffer) + net->client->private_size;
    unsigned per_buffer = net->split_rx ? 2 : 1;
    int error;

    net->rx_maximum = maximum != 0 ? maximum : VIRTIO_NET_RX_MAXIMUM;
    error = virtqueue_create(&net->rx, net->dev, VIRTIO_NET_QUEUE_RX,
                             queue_size_for(net->rx_maximum * per_buffer), 0);
    if (error != 0) {
        return error;
    }
    if (net->rx_maximum > net->rx.size / per_buffer) {
        net->rx_maximum = (uint16_t)(net->rx.size / per_buffer);
    }
    if (net->rx_maximum == 0) {
        virtio_platform_log("virtio-net: a receive queue of %u holds no buffer", net->rx.size);
        virtqueue_destroy(&net->rx);
        return VIRTIO_ERROR_IO;
    }
    net->rx_limit = initial != 0 ? initial : VIRTIO_NET_RX_INITIAL;
    if (net->rx_limit > net->rx_maximum) {
        net->rx_limit = net->rx_maximum;
    }
    /* Room for a header before all that the client may get, and the IP header, which follows the
     * Ethernet header, on a multiple of four. */
    net->rx_data_offset = (fixed + net->header_length + 3) / 4 * 4;
    net->rx_data_offset += (4 - (net->header_length + ETHERNET_HEADER) % 4) % 4;
    net->rx_buffer_size = net->rx_data_offset + net->header_length + ETHERNET_FRAME_MAX;
    return 0;
}

void virtio_net_rx_destroy(struct virtio_net *net)
{
    struct virtio_net_buffer *buffer;

    while ((buffer = virtqueue_detach(&net->rx)) != NULL) {
        virtio_platform_free(buffer);
    }
    while ((buffer = net->rx_kept) != NULL) {
        net->rx_kept = buffer->next;
        virtio_platform_free(buffer);
    }
    virtqueue_destroy(&net->rx);
}

static struct virtio_net_buffer *take_buffer(struct virtio_net *net)
{
    struct virtio_net_buffer *buffer = net->rx_kept;

    if (buffer != NULL) {
        net->rx_kept = buffer->next;
        return buffer;
    }
    buffer = virtio_platform_alloc(net->rx_buffer_size, BUFFER_ALIGN);
    if (buffer == NULL) {
        net->counters.rx_no_memory++;
        return NULL;
    }
    if (++net->rx_buffers > net->rx_peak) {
        net->rx_peak = net->rx_buffers;
    }
    return buffer;
}

static void keep_buffer(struct virtio_net *net, struct virtio_net_buffer *buffer)
{
    buffer->next = net->rx_kept;
    net->rx_kept = buffer;
}

/* §5.1.6.3 Setting Up Receive Buffers. Returns whether the buffer is the device's now. */
static bool post_buffer(struct virtio_net *net, struct virtio_net_buffer *buffer)
{
    uint8_t *header = buffer_header(net, buffer);
    struct virtqueue_part parts[2] = {
        {header, net->header_length},
        {header + net->header_length, ETHERNET_FRAME_MAX},
    };
    int error;

    if (net->split_rx) {
        error = virtqueue_add(&net->rx, parts, 0, 2, buffer);
    } else {
        parts[0].length += parts[1].length;
        error = virtqueue_add(&net->rx, parts, 0, 1, buffer);
    }
    if (error != 0) {
        keep_buffer(net, buffer);
        return false;
    }
    net->rx_posted++;
    return true;
}

static void post_up_to_limit(struct virtio_net *net)
{
    while (net->rx_posted < net->rx_limit) {
        struct virtio_net_buffer *buffer = take_buffer(net);

        if (buffer == NULL || !post_buffer(net, buffer)) {
            break;
        }
    }
}

void virtio_net_rx_refill(struct virtio_net *net)
{
    post_up_to_limit(net);
    virtqueue_kick(&net->rx);
}

void virtio_net_release(struct virtio_net *net, void *buffer)
{
    keep_buffer(net, (struct virtio_net_buffer *)((uint8_t *)buffer -
                                                  offsetof(struct virtio_net_buffer, private)));
}

/* The next used buffer, or NULL; *length is what the device wrote to it. */
static struct virtio_net_buffer *next_used(struct virtio_net *net, uint32_t *length)
{
    struct virtio_net_buffer *buffer = virtqueue_get(&net->rx, length);

    if (buffer != NULL) {
        net->rx_posted--;
    }
    return buffer;
}

static void deliver(struct virtio_net *net, struct virtio_net_buffer *buffer, unsigned skip,
                    uint32_t length, bool more)
{
    net->counters.rx_bytes += length;
    net->client->receive(net->client->context, buffer->private, buffer_header(net, buffer) + skip,
                         length, more);
}

static uint16_t buffers_of_frame(const struct virtio_net *net, struct virtio_net_buffer *first)
{
    const struct virtio_net_hdr *header = (const struct virtio_net_hdr *)buffer_header(net, first);

    if (!virtio_has(net->dev->features, VIRTIO_NET_F_MRG_RXBUF)) {
        return 1; /* with VERSION_1 alone the field is there, and of no use */
    }
    return virtio16_read(net->dev->little_endian, &header->num_buffers);
}

/* Takes and delivers the rest of a frame of `wanted` buffers. Returns false, with nothing delivered
 * and all of it kept for the next refill, where they are not all there. */
static bool receive_merged(struct virtio_net *net, struct virtio_net_buffer *first, uint32_t length,
                           unsigned wanted)
{
    struct virtio_net_buffer *part[MERGED_MAX];
    uint32_t part_length[MERGED_MAX];
    unsigned count = 0;

    while (count + 1 < wanted && count < MERGED_MAX &&
           (part[count] = next_used(net, &part_length[count])) != NULL) {
        count++;
    }
    if (count + 1 != wanted) {
        while (count-- > 0) {
            keep_buffer(net, part[count]);
        }
        keep_buffer(net, first);
        return false;
    }
    deliver(net, first, net->header_length, length - net->header_length, true);
    for (unsigned i = 0; i < count; i++) {
        deliver(net, part[i], 0, part_length[i], i + 1 < count);
    }
    return true;
}

/*
 * §5.1.6.4 Processing of Incoming Packets: a frame is num_buffers buffers, of which the first
 * begins with the header. All of them are there at once, or the device has broken its promise: then
 * what is there of the frame is dropped.
 */
static void receive_frame(struct virtio_net *net, struct virtio_net_buffer *first, uint32_t length)
{
    unsigned wanted;

    if (length <= net->header_length) {
        net->counters.rx_bad++;
        keep_buffer(net, first);
        return;
    }
    wanted = buffers_of_frame(net, first);
    if (wanted == 1) {
        deliver(net, first, net->header_length, length - net->header_length, false);
    } else if (!receive_merged(net, first, length, wanted)) {
        net->counters.rx_bad++;
        return;
    }
    net->counters.rx_frames++;
}

/*
 * Algorithm 1 of "Virtio Front-End Network Driver for RTEMS" (IEEE Embedded Systems Letters, 2020):
 * begin with few buffers and raise the limit when a pass took as many as it allows, for then the
 * device may have run short of them. The paper raises it to the number taken; where the device
 * stops as soon as it runs short that number is the limit itself, so here it at least doubles.
 *
 * And a device may have a frame that needs more buffers, merged, than are posted: then it takes
 * none, and waits to be notified of the next one. Without event index the same may be read from a
 * device that has not received anything yet; it then gets more than it needs.
 */
static void adapt_limit(struct virtio_net *net, unsigned taken)
{
    unsigned limit = net->rx_limit;
    bool waits = taken == 0 && net->rx_posted == limit &&
                 virtio_has(net->dev->features, VIRTIO_NET_F_MRG_RXBUF) &&
                 virtqueue_wanted(&net->rx);

    if (limit == net->rx_maximum || (taken < limit && !waits)) {
        return;
    }
    limit = taken > 2 * limit ? taken : 2 * limit;
    net->rx_limit = (uint16_t)(limit < net->rx_maximum ? limit : net->rx_maximum);
}

unsigned virtio_net_rx_poll(struct virtio_net *net, unsigned budget)
{
    struct virtio_net_buffer *buffer;
    unsigned frames = 0;
    unsigned taken = 0; /* buffers */
    uint32_t length;

    while (frames < budget && (buffer = next_used(net, &length)) != NULL) {
        unsigned posted = net->rx_posted + 1u;

        receive_frame(net, buffer, length);
        frames++;
        taken += posted - net->rx_posted;
        /* At once, so that the device does not run short while the frames before are handled. */
        post_up_to_limit(net);
    }
    adapt_limit(net, taken);
    virtio_net_rx_refill(net);
    return frames;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receive buffers: their allocation, and which of them the device has. How many it may have is
 * decided in virtio_net_rx_limit.c.
 */
#include "virtio/internal/virtio_net_rx.h"

#include "virtio/internal/virtio_net_debug.h"
#include "virtio/virtio_platform.h"

enum {
    ETHERNET_HEADER = 14,
    FRAME_MAX_USUAL = 1500 + VIRTIO_NET_ETHERNET_HEADERS,
    BUFFER_ALIGN = 16,
};

/*
 * At least two: with IN_ORDER, QEMU 10 considers a packed ring empty if the device owns all its
 * descriptors.
 */
uint16_t virtio_net_queue_size(unsigned wanted)
{
    unsigned size = 2;

    while (size < wanted && size < VIRTQ_SIZE_MAX) {
        size *= 2;
    }
    return (uint16_t)size;
}

static uint32_t memory_for(const struct virtio_net_options *options)
{
    return options->rx_memory != 0 ? options->rx_memory : VIRTIO_NET_RX_MEMORY;
}

/*
 * Leaves room for a header between the client's bytes and the data, and aligns the IP header, which
 * follows the Ethernet header, to four bytes.
 */
static uint32_t data_offset(const struct virtio_net_client *client, uint32_t header)
{
    uint32_t fixed = (uint32_t)sizeof(struct virtio_net_buffer) + client->private_size;

    return (fixed + header + 3) / 4 * 4 + (4 - (header + ETHERNET_HEADER) % 4) % 4;
}

unsigned virtio_net_rx_merged_max(const struct virtio_net *net,
                                  const struct virtio_net_options *options)
{
    uint32_t header = sizeof(struct virtio_net_hdr);

    return memory_for(options) / (data_offset(net->client, header) + header + FRAME_MAX_USUAL);
}

int virtio_net_rx_create(struct virtio_net *net, const struct virtio_net_options *options)
{
    unsigned per_buffer = net->split_header ? 2 : 1;
    int error;

    /* Several merged buffers of the usual size hold any frame. */
    net->rx_frame_max = FRAME_MAX_USUAL;
    if (!virtio_has(net->dev->features, VIRTIO_NET_F_MRG_RXBUF) &&
        net->rx_frame_max < (uint32_t)net->mtu + VIRTIO_NET_ETHERNET_HEADERS) {
        net->rx_frame_max = net->mtu + VIRTIO_NET_ETHERNET_HEADERS;
    }
    net->rx_data_offset = data_offset(net->client, net->header_length);
    net->rx_buffer_size = net->rx_data_offset + net->header_length + net->rx_frame_max;
    net->rx_maximum = options->rx_maximum != 0 ? options->rx_maximum : VIRTIO_NET_RX_MAXIMUM;
    error = virtqueue_create(&net->rx, net->dev, VIRTIO_NET_QUEUE_RX,
                             virtio_net_queue_size(net->rx_maximum * per_buffer), 0, 0);
    if (error != 0) {
        return error;
    }
    net->rx_buffers_max = memory_for(options) / net->rx_buffer_size;
    virtio_net_rx_limit_open(net, options, net->rx.slots / per_buffer);
    if (net->rx_maximum == 0) {
        virtio_log("virtio-net: not one receive buffer of %u bytes fits: the queue has %u "
                   "descriptors, and %u buffers may exist",
                   (unsigned)net->rx_buffer_size, net->rx.slots, (unsigned)net->rx_buffers_max);
        return VIRTIO_ERROR_NOMEM;
    }
    return 0;
}

static void free_buffer(struct virtio_net *net, struct virtio_net_buffer *buffer)
{
    virtio_platform_free(buffer);
    net->rx_buffers--;
}

/* Keeps as many buffers as may be posted at once, and frees the others. */
void virtio_net_rx_keep(struct virtio_net *net, struct virtio_net_buffer *buffer)
{
    if (net->rx_kept_count >= net->rx_limit) {
        free_buffer(net, buffer);
        return;
    }
    buffer->next = net->rx_kept;
    net->rx_kept = buffer;
    net->rx_kept_count++;
}

static struct virtio_net_buffer *take_kept(struct virtio_net *net)
{
    struct virtio_net_buffer *buffer = net->rx_kept;

    if (buffer != NULL) {
        net->rx_kept = buffer->next;
        net->rx_kept_count--;
    }
    return buffer;
}

void virtio_net_rx_trim(struct virtio_net *net)
{
    struct virtio_net_buffer *buffer;

    while (net->rx_kept_count > net->rx_limit && (buffer = take_kept(net)) != NULL) {
        free_buffer(net, buffer);
    }
}

void virtio_net_rx_destroy(struct virtio_net *net)
{
    struct virtio_net_buffer *buffer;

    if (net->rx.dev == NULL) {
        return;
    }
    while ((buffer = virtqueue_detach(&net->rx)) != NULL) {
        free_buffer(net, buffer);
    }
    while ((buffer = take_kept(net)) != NULL) {
        free_buffer(net, buffer);
    }
    virtqueue_destroy(&net->rx);
    net->rx_posted = 0;
    net->rx_limit = 0; /* so that a buffer which is released too late is freed */
}

static struct virtio_net_buffer *take_buffer(struct virtio_net *net)
{
    struct virtio_net_buffer *buffer = take_kept(net);

    if (buffer != NULL) {
        return buffer;
    }
    if (net->rx_buffers >= net->rx_buffers_max) {
        net->counters.rx_at_ceiling++;
        return NULL;
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

/* §5.1.6.3 Setting Up Receive Buffers. Returns true if the device has the buffer now. */
static bool post_buffer(struct virtio_net *net, struct virtio_net_buffer *buffer)
{
    uint8_t *header = virtio_net_buffer_header(net, buffer);
    struct virtqueue_part parts[2] = {
        {header, net->header_length},
        {header + net->header_length, net->rx_frame_max},
    };
    int error;

    if (net->split_header) {
        error = virtqueue_add(&net->rx, parts, 0, 2, buffer);
    } else {
        parts[0].length += parts[1].length;
        error = virtqueue_add_single(&net->rx, parts, true, buffer);
    }
    if (error != 0) {
        virtio_net_rx_keep(net, buffer);
        return false;
    }
    net->rx_posted++;
    return true;
}

void virtio_net_rx_post(struct virtio_net *net)
{
    while (!net->rx.stopped && net->rx_posted < net->rx_limit) {
        struct virtio_net_buffer *buffer = take_buffer(net);

        if (buffer == NULL || !post_buffer(net, buffer)) {
            break;
        }
    }
}

bool virtio_net_rx_refill(struct virtio_net *net)
{
    virtio_net_rx_post(net);
    return virtio_net_kick(net, &net->rx);
}

void virtio_net_release(struct virtio_net *net, void *buffer)
{
    VIRTIO_NET_ENTER(net);
    struct virtio_net_buffer *released =
        (struct virtio_net_buffer *)((uint8_t *)buffer -
                                     offsetof(struct virtio_net_buffer, private));

    virtio_net_hand_back(&released->debug_held);
    virtio_net_rx_keep(net, released);
    if (net->live && net->rx_posted == 0) {
        virtio_net_rx_refill(net); /* the device has no buffers, so no frame would trigger a
                                    * refill */
    }
}

bool virtio_net_scarce(const struct virtio_net *net)
{
    /*
     * Some buffers must remain in circulation, a quarter but at least one, and a merged frame that
     * has arrived must not use up the last ones.
     */
    return net->rx_buffers >= net->rx_buffers_max &&
           (net->rx_posted == 0 || net->rx_posted < net->rx_buffers_max / 4) &&
           net->rx_kept == NULL;
}

void virtio_net_rx_take_back(struct virtio_net *net)
{
    struct virtio_net_buffer *buffer;

    while ((buffer = virtqueue_detach(&net->rx)) != NULL) {
        net->rx_posted--;
        virtio_net_rx_keep(net, buffer);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receive buffers: their allocation, which of them the device has, and the limit of their number.
 */
#include "virtio/internal/virtio_net_rx.h"
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
 * How many buffers a frame of the negotiated MTU needs (§5.1.4.2 requires that many to be posted):
 * one, or several merged.
 */
static unsigned buffers_of_packet(const struct virtio_net *net)
{
    uint32_t frame = net->mtu + VIRTIO_NET_ETHERNET_HEADERS + net->header_length;
    uint32_t room = net->header_length + net->rx_frame_max;

    return (frame + room - 1) / room;
}

/*
 * The initial number if the options do not set it. If a frame needs more merged buffers than are
 * posted, the device waits for more, without interrupting. So enough are posted for any frame.
 */
static unsigned initial_buffers(const struct virtio_net *net)
{
    const uint64_t joined =
        virtio_bit(VIRTIO_NET_F_GUEST_TSO4) | virtio_bit(VIRTIO_NET_F_GUEST_TSO6) |
        virtio_bit(VIRTIO_NET_F_GUEST_USO4) | virtio_bit(VIRTIO_NET_F_GUEST_USO6);

    return net->dev->features & joined ? VIRTIO_NET_RX_MERGED : VIRTIO_NET_RX_INITIAL;
}

/* Sets the limits from the options and from what the queue can hold. */
static void choose_limits(struct virtio_net *net, const struct virtio_net_options *options,
                          unsigned per_buffer)
{
    uint32_t quiet_ms = options->rx_quiet_ms != 0 ? options->rx_quiet_ms : VIRTIO_NET_RX_QUIET_MS;

    if (net->rx_maximum > net->rx.slots / per_buffer) {
        net->rx_maximum = (uint16_t)(net->rx.slots / per_buffer);
    }
    net->rx_buffers_max = memory_for(options) / net->rx_buffer_size;
    if (net->rx_maximum > net->rx_buffers_max) {
        net->rx_maximum = (uint16_t)net->rx_buffers_max;
    }
    net->rx_initial =
        options->rx_initial != 0 ? options->rx_initial : (uint16_t)initial_buffers(net);
    if (net->rx_initial < buffers_of_packet(net)) {
        net->rx_initial = (uint16_t)buffers_of_packet(net);
    }
    if (options->rx_fixed || net->rx_initial > net->rx_maximum) {
        net->rx_initial = net->rx_maximum;
    }
    net->rx_limit = net->rx_initial;
    net->rx_limit_peak = net->rx_limit;
    net->rx_quiet_ns = (uint64_t)quiet_ms * 1000000;
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
    choose_limits(net, options, per_buffer);
    if (net->rx_maximum == 0) {
        virtio_platform_log("virtio-net: not one receive buffer of %u bytes fits: the queue has %u "
                            "descriptors, and %u buffers may exist",
                            (unsigned)net->rx_buffer_size, net->rx.slots,
                            (unsigned)net->rx_buffers_max);
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
        error = virtqueue_add(&net->rx, parts, 0, 1, buffer);
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
    return virtqueue_kick(&net->rx);
}

void virtio_net_release(struct virtio_net *net, void *buffer)
{
    virtio_net_rx_keep(net,
                       (struct virtio_net_buffer *)((uint8_t *)buffer -
                                                    offsetof(struct virtio_net_buffer, private)));
    if (net->live && net->rx_posted == 0) {
        virtio_net_rx_refill(net); /* the device has no buffers, so no frame would trigger a
                                    * refill */
    }
}

bool virtio_net_scarce(const struct virtio_net *net)
{
    /*
     * Some buffers must remain in circulation, and a merged frame that has arrived must not use up
     * the last ones.
     */
    return net->rx_buffers >= net->rx_buffers_max && net->rx_posted < net->rx_buffers_max / 4 &&
           net->rx_kept == NULL;
}

static void raise_limit(struct virtio_net *net, unsigned limit)
{
    net->rx_limit = (uint16_t)(limit < net->rx_maximum ? limit : net->rx_maximum);
    net->counters.rx_ups++;
    if (net->rx_limit > net->rx_limit_peak) {
        net->rx_limit_peak = net->rx_limit;
    }
}

/*
 * The lowest limit. Without an event index, a device that has not received anything since its queue
 * was set up looks like one that waits for buffers (see virtio_net_rx_adapt()). In this case enough
 * buffers for any frame are always posted, so that the limit does not oscillate.
 */
static unsigned least_limit(const struct virtio_net *net)
{
    const uint64_t features = net->dev->features;
    bool clear =
        virtio_has(features, VIRTIO_F_EVENT_IDX) && !virtio_has(features, VIRTIO_F_RING_PACKED);

    return clear || !virtio_has(features, VIRTIO_NET_F_MRG_RXBUF) ||
                   net->rx_initial >= VIRTIO_NET_RX_MERGED
               ? net->rx_initial
               : VIRTIO_NET_RX_MERGED;
}

static void lower_limit(struct virtio_net *net)
{
    unsigned limit = net->rx_limit / 2u;
    unsigned least = least_limit(net);
    struct virtio_net_buffer *buffer;

    net->rx_limit = (uint16_t)(limit > least ? limit : least);
    net->counters.rx_downs++;
    while (net->rx_kept_count > net->rx_limit && (buffer = take_kept(net)) != NULL) {
        free_buffer(net, buffer);
    }
}

/* Halves the limit when no pass has taken more than a quarter of it for rx_quiet_ns. */
static void consider_lowering(struct virtio_net *net, unsigned taken)
{
    uint64_t now;

    if (net->rx_limit <= least_limit(net)) {
        return;
    }
    if (taken > net->rx_limit / 4u) {
        net->rx_quiet_since = 0;
        return;
    }
    now = virtio_platform_clock_ns();
    if (net->rx_quiet_since == 0) {
        net->rx_quiet_since = now;
    } else if (now - net->rx_quiet_since >= net->rx_quiet_ns) {
        net->rx_quiet_since = now;
        lower_limit(net);
    }
}

/*
 * Buffers posted above the limit are withdrawn by a reset of the queue, which may take several
 * passes. Without RING_RESET they come back as frames use them. QEMU up to 7.2 asserts in this
 * reset if a transmitted frame waits in the back end, so none may be in flight.
 */
bool virtio_net_rx_begin_withdrawal(struct virtio_net *net)
{
    return !net->rx.stopped && net->tx.in_flight == 0 && virtqueue_reset_begin(&net->rx) == 0;
}

void virtio_net_rx_take_back(struct virtio_net *net)
{
    struct virtio_net_buffer *buffer;

    while ((buffer = virtqueue_detach(&net->rx)) != NULL) {
        net->rx_posted--;
        virtio_net_rx_keep(net, buffer);
    }
}

void virtio_net_rx_end_withdrawal(struct virtio_net *net)
{
    virtio_net_rx_take_back(net);
    if (virtqueue_restart(&net->rx) == 0) {
        virtqueue_interrupts_off(&net->rx);
    }
}

/*
 * Algorithm 1 of "Virtio Front-End Network Driver for RTEMS" (IEEE Embedded Systems Letters, 2020):
 * begin with few buffers, and raise the limit when a pass took as many as it allows, since the
 * device may have run out. The paper raises the limit to the number taken. On a device that stops
 * when it runs out, that number is the limit itself, so here the limit at least doubles. Unlike the
 * paper's, this limit also falls. A poll ends after its budget, so taken buffers are summed up
 * until a poll finds the ring empty.
 *
 * A frame may need more merged buffers than are posted. The device then takes none, and waits to be
 * notified of the next buffer.
 */
void virtio_net_rx_shortage(struct virtio_net *net)
{
    if (net->rx_limit < net->rx_maximum) {
        net->rx_quiet_since = 0;
        raise_limit(net, 2u * net->rx_limit);
        virtio_net_rx_refill(net);
    }
}

void virtio_net_rx_adapt(struct virtio_net *net, unsigned taken)
{
    unsigned limit = net->rx_limit;
    bool waits = taken == 0 && net->rx_posted == limit && limit < VIRTIO_NET_RX_MERGED &&
                 virtio_has(net->dev->features, VIRTIO_NET_F_MRG_RXBUF) &&
                 virtqueue_wanted(&net->rx);

    if (limit < net->rx_maximum && taken >= limit) {
        net->rx_quiet_since = 0;
        raise_limit(net, taken > 2 * limit ? taken : 2 * limit);
    } else if (limit < net->rx_maximum && waits) {
        net->rx_quiet_since = 0;
        raise_limit(net, 2 * limit < VIRTIO_NET_RX_MERGED ? 2 * limit : VIRTIO_NET_RX_MERGED);
    } else {
        consider_lowering(net, taken);
    }
}

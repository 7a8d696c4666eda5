/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The limit of the receive buffers that the device may have.
 *
 * Algorithm 1 of "Virtio Front-End Network Driver for RTEMS" (IEEE Embedded Systems Letters, 2020):
 * begin with few buffers, and raise the limit when a burst took as many as it allows, since the
 * device may have run out. The paper raises the limit to the number taken. On a device that stops
 * when it runs out, that number is the limit itself, so here the limit at least doubles. Unlike the
 * paper's, this limit also falls. A burst is what was taken until a poll found the ring empty, over
 * several polls if they ended after their budgets.
 *
 *  state        it is so while                event                                    next state
 *  -----------  ----------------------------  ---------------------------------------  -----------
 *  at rest      rx_limit <= least_limit()     a burst takes rx_limit buffers: double   raised
 *                                             a merged frame waits for more: double    raised
 *                                             the device ran out: double               raised
 *  raised       rx_limit > least_limit(),     any of these three, below rx_maximum     raised
 *               rx_quiet_since == 0           a burst takes a quarter or less          quiet
 *  quiet        rx_limit > least_limit(),     any of these three, below rx_maximum     raised
 *               rx_quiet_since != 0           a burst takes more than a quarter        raised
 *                                             rx_quiet_ns have passed: halve           quiet, or
 *                                                                                      at rest
 *
 * After a fall the device may have more than the limit. With RING_RESET they are withdrawn:
 *
 *  keeps        rx_posted <= rx_limit         the limit falls                          exceeds
 *  exceeds      rx_posted > rx_limit          frames use the buffers                   keeps
 *                                             no frame is in transmission: reset the   withdrawing
 *                                             queue
 *  withdrawing  rx.stopped                    the reset has ended, and all used        keeps
 *                                             buffers are taken: restart the queue
 */
#include "virtio/internal/virtio_net_rx.h"
#include "virtio/virtio_platform.h"

enum { ASKED_LATELY = 0x8000 }; /* in buffers */

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

void virtio_net_rx_limit_open(struct virtio_net *net, const struct virtio_net_options *options,
                              unsigned places)
{
    uint32_t quiet_ms = options->rx_quiet_ms != 0 ? options->rx_quiet_ms : VIRTIO_NET_RX_QUIET_MS;

    if (net->rx_maximum > places) {
        net->rx_maximum = (uint16_t)places;
    }
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
 * was set up looks like one that waits for buffers (see follow()). In this case enough buffers for
 * any frame are always posted, so that the limit does not oscillate.
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

    net->rx_limit = (uint16_t)(limit > least ? limit : least);
    net->counters.rx_downs++;
    virtio_net_rx_trim(net);
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
 * A frame may need more merged buffers than are posted. The device then takes none, and waits to be
 * notified of the next buffer.
 */
static void follow(struct virtio_net *net, unsigned taken)
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

/*
 * Buffers posted above the limit are withdrawn by a reset of the queue, which may take several
 * passes. Without RING_RESET they come back as frames use them. QEMU up to 7.2 asserts in this
 * reset if a transmitted frame waits in the back end, so none may be in flight.
 */
static bool begin_withdrawal(struct virtio_net *net)
{
    return !net->rx.stopped && net->tx.in_flight == 0 && virtqueue_reset_begin(&net->rx) == 0;
}

bool virtio_net_rx_limit_adapt(struct virtio_net *net)
{
    net->rx_burst += net->rx_taken;
    follow(net, net->rx_burst);
    return net->rx_posted > net->rx_limit && begin_withdrawal(net);
}

bool virtio_net_rx_limit_withdrawn(struct virtio_net *net)
{
    return net->rx.stopped && virtqueue_reset_ended(&net->rx);
}

void virtio_net_rx_limit_end_withdrawal(struct virtio_net *net)
{
    virtio_net_rx_take_back(net);
    if (virtqueue_restart(&net->rx) == 0) {
        virtqueue_interrupts_off(&net->rx);
    }
}

/* The device ran out of buffers. */
static void shortage(struct virtio_net *net)
{
    if (net->rx_limit < net->rx_maximum) {
        net->rx_quiet_since = 0;
        raise_limit(net, 2u * net->rx_limit);
        virtio_net_rx_refill(net);
    }
}

/*
 * The device asked to be notified of new buffers. With an event index, a device that was receiving
 * asks only when it has run out, or has too few for a merged frame. But an old event index in a
 * split ring matches again every 65,536 buffers. So a request after that many buffers is ignored
 * until the device asks again.
 */
static void device_asked(struct virtio_net *net)
{
    if (net->rx_taken == 0 || !virtio_has(net->dev->features, VIRTIO_F_EVENT_IDX)) {
        return;
    }
    if (net->rx_since_asked + net->rx_taken < ASKED_LATELY) {
        shortage(net);
    }
    net->rx_since_asked = 0;
}

void virtio_net_rx_limit_end_pass(struct virtio_net *net, bool empty)
{
    if (empty) {
        net->rx_burst = 0;
    }
    if (virtio_net_rx_refill(net)) {
        device_asked(net);
    } else if (net->rx_since_asked < ASKED_LATELY) {
        net->rx_since_asked += net->rx_taken;
    }
}

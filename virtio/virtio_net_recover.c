/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets and restores a device in trouble. */
#include "virtio/internal/virtio_net_recover.h"

#include "virtio/internal/virtio_net_ctrl.h"
#include "virtio/internal/virtio_net_debug.h"
#include "virtio/internal/virtio_net_rx.h"
#include "virtio/internal/virtio_net_tx.h"
#include "virtio/virtio_platform.h"

#define MS_NS 1000000u

enum {
    DELAY_LEAST_MS = 1000, /* before the second reset */
    DELAY_MOST_MS = 60000, /* also the time without trouble after which the delay is forgotten */
};

/*
 * A device that answers commands only waits for the network behind it, or the whole machine was
 * stopped. It is notified, in case it waits for that, and otherwise left alone: it can still
 * receive, and QEMU 7.2 with -netdev socket does not survive a reset in the middle of a frame.
 */
void virtio_net_look_at_stuck(struct virtio_net *net)
{
    uint64_t now = virtio_platform_clock_ns();
    bool asks = false;

    if (now - net->tx_looked_at >= MS_NS) { /* a register: an exit, so not in each short pass */
        net->tx_looked_at = now;
        asks = virtio_device_needs_reset(net->dev);
    }
    if (asks) {
        net->dev->trouble = "it asks for a reset";
    } else if (net->tx_stuck_passes == VIRTIO_NET_STUCK_PASSES || !net->link_up) {
        net->tx_stuck_since = now;
    } else if (now - net->tx_stuck_since > net->tx_timeout_ns) {
        virtqueue_remind(&net->tx);
        if (!VIRTIO_CONFIG_CTRL || !virtio_net_ctrl_answers(net)) {
            net->dev->trouble = "it does not send any more";
        }
        net->tx_stuck_since = now;
    }
}

/*
 * A frame that was in flight for tx_timeout_ns and then was overtaken by a later one does not come
 * back. TCP would wait for it forever, as it does not retransmit what the device still has. When
 * the time is over the device gets some more passes, since the machine may have been stopped. A
 * buffer whose used entry is missing before later ones does not come back either.
 */
void virtio_net_look_at_queues(struct virtio_net *net)
{
    uint64_t now = virtio_platform_clock_ns();

    if (now - net->tx_watched_at <= net->tx_timeout_ns) {
        return;
    }
    if (net->tx_watch_due) {
        net->tx_watched_at = now;
        if (virtqueue_overtaken(&net->tx)) {
            net->dev->trouble = "it keeps a frame, and sends later ones";
        }
        virtqueue_look_behind(&net->rx);
        virtqueue_look_behind(&net->tx);
    }
    net->tx_watch_due = !net->tx_watch_due;
}

/* Sets the next delay: longer each time, until there is no trouble for a minute. */
static void wait_longer(struct virtio_net *net, uint64_t now)
{
    uint32_t delay = 2 * net->recovery_delay_ms;

    delay = delay < DELAY_LEAST_MS ? DELAY_LEAST_MS : delay;
    net->recovery_delay_ms = delay < DELAY_MOST_MS ? delay : DELAY_MOST_MS;
    net->recovery_at = now + (uint64_t)net->recovery_delay_ms * MS_NS;
    net->recovery = VIRTIO_NET_WAITS;
}

void virtio_net_recovery_begin(struct virtio_net *net)
{
    uint64_t now = virtio_platform_clock_ns();

    net->live = false;
    net->rx.stopped = true;
    net->tx.stopped = true;
    net->tx_renewing = false;
    net->tx_stuck_passes = 0; /* counted for frames in flight */
    if (net->counters.recoveries != 0 &&
        now - net->recovered_at < (uint64_t)DELAY_MOST_MS * MS_NS) {
        wait_longer(net, now);
    } else {
        net->recovery_delay_ms = 0;
        net->recovery_at = now;
        net->recovery = VIRTIO_NET_WAITS;
    }
    virtio_log("virtio-net: the device is reset in %u ms, as %s", (unsigned)net->recovery_delay_ms,
               net->dev->trouble);
    if (net->link_up) {
        net->link_up = false;
        virtio_net_to_client(net);
        net->client->link(net->client->context, false);
        virtio_net_from_client(net);
    }
}

void virtio_net_reset(struct virtio_net *net)
{
    VIRTIO_NET_ENTER(net);
    if (net->live && net->dev->trouble == NULL) {
        net->dev->trouble = "the program wants it";
    }
}

/* Takes the device's buffers back. Frames marked as used were sent, the others are lost. */
static void take_all_back(struct virtio_net *net)
{
    (void)virtio_net_tx_reclaim(net);
    virtio_net_tx_give_back(net);
    virtio_net_rx_take_back(net);
    if (VIRTIO_CONFIG_CTRL) {
        virtio_net_ctrl_take_back(net);
    }
}

static int restart(struct virtio_net *net, struct virtqueue *vq)
{
    const struct virtio_transport *transport = net->dev->transport;
    uint16_t size = transport->queue_size(net->dev, vq->index);
    int error;

    if (size < vq->size || (transport->legacy && size != vq->size)) {
        return VIRTIO_ERROR_IO;
    }
    error = virtqueue_restart(vq);
    if (error == 0) {
        virtqueue_interrupts_off(vq);
    }
    return error;
}

static int restart_queues(struct virtio_net *net)
{
    int error = restart(net, &net->rx);

    if (error == 0) {
        error = restart(net, &net->tx);
    }
    if (VIRTIO_CONFIG_CTRL && error == 0 && net->ctrl.dev != NULL) {
        error = restart(net, &net->ctrl);
    }
    return error;
}

/*
 * Features that may be missing after a reset, because each use of them checks the negotiated
 * features. The others determine the format of rings and headers, or what the client may send.
 */
#define DISPENSABLE                                                                                \
    (virtio_bit(VIRTIO_NET_F_STATUS) | virtio_bit(VIRTIO_NET_F_SPEED_DUPLEX) |                     \
     virtio_bit(VIRTIO_NET_F_GUEST_CSUM) | virtio_bit(VIRTIO_NET_F_GUEST_TSO4) |                   \
     virtio_bit(VIRTIO_NET_F_GUEST_TSO6) | virtio_bit(VIRTIO_NET_F_GUEST_ECN) |                    \
     virtio_bit(VIRTIO_NET_F_GUEST_USO4) | virtio_bit(VIRTIO_NET_F_GUEST_USO6) |                   \
     virtio_bit(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) | virtio_bit(VIRTIO_NET_F_CTRL_RX) |             \
     virtio_bit(VIRTIO_NET_F_CTRL_RX_EXTRA) | virtio_bit(VIRTIO_NET_F_CTRL_VLAN) |                 \
     virtio_bit(VIRTIO_NET_F_CTRL_MAC_ADDR) | virtio_bit(VIRTIO_NET_F_GUEST_ANNOUNCE) |            \
     virtio_bit(VIRTIO_NET_F_GUEST_HDRLEN) | virtio_bit(VIRTIO_F_ORDER_PLATFORM) |                 \
     virtio_bit(VIRTIO_F_NOTIF_CONFIG_DATA) | virtio_bit(VIRTIO_F_RING_RESET))

/*
 * §3.1.1 again, from step 2 on, with the features negotiated before, as far as they are still
 * offered.
 */
static int set_up(struct virtio_net *net)
{
    const uint64_t before = net->dev->features;
    uint64_t features;
    int error = VIRTIO_ERROR_FEATURES;

    virtio_device_acknowledge(net->dev);
    features = virtio_feature_require(before & net->dev->offered);
    if (((before ^ features) & ~DISPENSABLE) == 0) {
        error = virtio_device_negotiate(net->dev, features);
    }
    if (error == 0) {
        error = restart_queues(net);
    }
    if (net->dev->trouble != NULL) {
        error = VIRTIO_ERROR_IO;
    }
    if (error != 0) {
        net->dev->features = before;
    }
    return error;
}

static void fail(struct virtio_net *net, const char *why)
{
    wait_longer(net, virtio_platform_clock_ns());
    virtio_log("virtio-net: %s; it is reset again in %u ms", why, (unsigned)net->recovery_delay_ms);
}

static void say_what_is_missing(uint64_t features)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        if (virtio_has(features, bit)) {
            virtio_log("virtio-net: it does not offer %s any more", virtio_feature_name(bit));
        }
    }
}

void virtio_net_recover(struct virtio_net *net)
{
    const uint64_t features = net->dev->features;
    uint32_t lost = net->counters.tx_lost;
    uint64_t now = virtio_platform_clock_ns();

    if (net->recovery == VIRTIO_NET_WAITS) {
        if ((int64_t)(now - net->recovery_at) < 0) {
            return;
        }
        net->recovery = VIRTIO_NET_RESETS;
        net->recovery_at = now;
        virtio_device_reset_begin(net->dev);
    }
    if (!virtio_device_reset_ended(net->dev)) {
        if (now - net->recovery_at > VIRTIO_RESET_TIMEOUT_NS) {
            fail(net, "the device does not finish its reset");
        }
        return;
    }
    take_all_back(net);
    if (set_up(net) != 0) {
        fail(net, "the device cannot be set up as it was");
        return;
    }
    net->recovery = VIRTIO_NET_WELL;
    net->recovered_at = now;
    net->counters.recoveries++;
    virtio_log("virtio-net: the device is back; frames lost: %u",
               (unsigned)(net->counters.tx_lost - lost));
    say_what_is_missing(features & ~net->dev->features);
    virtio_net_start(net);
    if (VIRTIO_CONFIG_CTRL) {
        virtio_net_to_client(net); /* uses the functions that the client used */
        virtio_net_ctrl_restore(net);
        virtio_net_from_client(net);
    }
    if (net->link_up) {
        virtio_net_to_client(net);
        net->client->link(net->client->context, true);
        virtio_net_from_client(net);
    }
}

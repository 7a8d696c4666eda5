/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device: opening and closing, a pass, and its link. */
#include "virtio/virtio_net.h"

#include "virtio/internal/virtio_net_ctrl.h"
#include "virtio/internal/virtio_net_debug.h"
#include "virtio/internal/virtio_net_interrupts.h"
#include "virtio/internal/virtio_net_negotiate.h"
#include "virtio/internal/virtio_net_recover.h"
#include "virtio/internal/virtio_net_rx.h"
#include "virtio/internal/virtio_net_tx.h"
#include "virtio/virtio_platform.h"

enum { MTU_USUAL = 1500 };

/* The link's state in the configuration. */
struct link {
    uint16_t status; /* VIRTIO_NET_S_... */
    uint32_t speed;  /* Mbit/s, 0: unknown */
    uint8_t duplex;
    uint8_t generation; /* of the configuration when the status was read */
};

/*
 * Reads speed and duplex. If the status was read before, all of them must be from the same state of
 * the configuration.
 */
static int read_speed(const struct virtio_net *net, struct link *link)
{
    bool first = !virtio_has(net->dev->features, VIRTIO_NET_F_STATUS);
    uint8_t generation = net->dev->config_generation;
    int error = virtio_config_read(net->dev, VIRTIO_NET_CONFIG_SPEED, &link->speed, 4, 1);

    generation = first ? net->dev->config_generation : generation;
    if (error == 0) {
        error = virtio_config_read(net->dev, VIRTIO_NET_CONFIG_DUPLEX, &link->duplex, 1, 1);
    }
    return error == 0 && generation != net->dev->config_generation ? VIRTIO_ERROR_IO : error;
}

/*
 * Without the device's fields the link is up, with unknown speed and duplex (§5.1.4). All fields
 * are from one state of the configuration (§2.5.1), else returns VIRTIO_ERROR_IO.
 */
static int read_link(const struct virtio_net *net, struct link *link)
{
    uint64_t features = net->dev->features;
    int error = 0;

    *link = (struct link){.status = VIRTIO_NET_S_LINK_UP, .duplex = VIRTIO_NET_DUPLEX_UNKNOWN};
    if (virtio_has(features, VIRTIO_NET_F_STATUS)) {
        error = virtio_config_read(net->dev, VIRTIO_NET_CONFIG_STATUS, &link->status, 2, 1);
    }
    if (error == 0 && virtio_has(features, VIRTIO_NET_F_SPEED_DUPLEX)) {
        error = read_speed(net, link);
    }
    link->generation = net->dev->config_generation;
    if (link->speed > INT32_MAX) { /* all ones: unknown */
        link->speed = 0;
    }
    if (link->duplex > VIRTIO_NET_DUPLEX_FULL) {
        link->duplex = VIRTIO_NET_DUPLEX_UNKNOWN;
    }
    return error;
}

/* Returns true if the client must be told. */
static bool set_link(struct virtio_net *net, const struct link *link)
{
    bool up = link->status & VIRTIO_NET_S_LINK_UP;
    bool changed =
        up != net->link_up || (up && (link->speed != net->speed || link->duplex != net->duplex));

    net->link_up = up;
    net->speed = link->speed;
    net->duplex = link->duplex;
    net->generation = link->generation;
    return changed;
}

/* §5.1.4.2: a driver that negotiates MTU respects it. */
static int read_mtu(struct virtio_net *net)
{
    int error;

    net->mtu = MTU_USUAL;
    if (!virtio_has(net->dev->features, VIRTIO_NET_F_MTU)) {
        return 0;
    }
    error = virtio_config_read(net->dev, VIRTIO_NET_CONFIG_MTU, &net->mtu, 2, 1);
    if (error == 0 && net->mtu < VIRTIO_NET_MTU_LEAST) {
        virtio_log("virtio-net: the device's MTU of %u bytes is impossible", net->mtu);
        error = VIRTIO_ERROR_IO;
    }
    return error;
}

/*
 * True if the link was down: either it is up now, or the configuration changed and no field did.
 * The generation tells whether it changed, since the interrupt may have been that of a queue with
 * the same vector.
 */
static bool was_down(const struct virtio_net *net, const struct link *link)
{
    return !net->link_up ||
           (link->generation != net->generation && !(link->status & VIRTIO_NET_S_ANNOUNCE) &&
            link->speed == net->speed && link->duplex == net->duplex);
}

/* True if the transmit queue must be renewed: see virtio_net_tx_renew(). */
static bool needs_renewal(const struct virtio_net *net, const struct link *link)
{
    const uint64_t features = net->dev->features;

    return net->tx_renewing || (virtio_has(features, VIRTIO_F_RING_PACKED) &&
                                virtio_has(features, VIRTIO_F_RING_RESET) &&
                                link->status & VIRTIO_NET_S_LINK_UP && was_down(net, link));
}

/*
 * Renews the transmit queue. Returns true when done. Until then frames are refused, including those
 * that the client sends from transmitted(). If it takes more than this pass, the client is told
 * that the link is down: it was, and may go down again before the renewal ends.
 */
static bool renew(struct virtio_net *net)
{
    bool was_up = net->link_up;

    net->link_up = false;
    if (virtio_net_tx_renew(net)) {
        net->link_up = was_up;
        return true;
    }
    if (was_up) {
        virtio_net_to_client(net);
        net->client->link(net->client->context, false);
        virtio_net_from_client(net);
    }
    return false;
}

/*
 * Reads the configuration: the link, and whether the device wants an announcement. If the
 * configuration keeps changing, the next pass reads it again, since the device need not report a
 * change twice.
 */
static void look_at_configuration(struct virtio_net *net)
{
    struct link link;

    net->config_changed = false;
    if (virtio_device_needs_reset(net->dev)) { /* the configuration may never hold still then */
        net->dev->trouble = "it asks for a reset";
        return;
    }
    if (read_link(net, &link) != 0) {
        net->config_changed = true;
        return;
    }
    if (VIRTIO_CONFIG_PACKED && needs_renewal(net, &link) && !renew(net)) {
        net->config_changed = true;
        return;
    }
    if (set_link(net, &link)) {
        virtio_net_to_client(net);
        net->client->link(net->client->context, net->link_up);
        virtio_net_from_client(net);
    }
    if (VIRTIO_CONFIG_CTRL && link.status & VIRTIO_NET_S_ANNOUNCE &&
        virtio_has(net->dev->features, VIRTIO_NET_F_GUEST_ANNOUNCE)) {
        /* In this order: the acknowledgement must not be for a request that comes meanwhile. */
        virtio_net_ctrl_take_announcement(net);
        virtio_net_to_client(net);
        net->client->announce(net->client->context);
        virtio_net_from_client(net);
        virtqueue_kick(&net->tx);
    }
}

/*
 * §5.1.6: the header's length, and whether it may share a descriptor with the frame (§5.1.6.6
 * Legacy Interface: Framing Requirements).
 */
static void choose_framing(struct virtio_net *net)
{
    uint64_t features = net->dev->features;
    bool modern = virtio_has(features, VIRTIO_F_VERSION_1);
    bool mergeable = virtio_has(features, VIRTIO_NET_F_MRG_RXBUF);
    bool any_layout = modern || virtio_has(features, VIRTIO_F_ANY_LAYOUT);

    net->header_length =
        modern || mergeable ? sizeof(struct virtio_net_hdr) : VIRTIO_NET_HDR_LEGACY_LEN;
    net->split_header = !any_layout;
}

static void destroy_queues(struct virtio_net *net)
{
    virtio_net_rx_destroy(net);
    virtio_net_tx_destroy(net);
    if (VIRTIO_CONFIG_CTRL) {
        virtio_net_ctrl_destroy(net);
    }
}

static int create_queues(struct virtio_net *net, const struct virtio_net_options *options)
{
    int error = virtio_net_rx_create(net, options);

    if (error == 0) {
        error = virtio_net_tx_create(net, options->tx_size);
    }
    if (VIRTIO_CONFIG_CTRL && error == 0) {
        error = virtio_net_ctrl_create(net);
    }
    /* The device knows some queues' memory. If the reset fails, the memory remains the device's. */
    if (error != 0 && virtio_device_reset(net->dev) == 0) {
        destroy_queues(net);
    }
    return error;
}

static bool can_serve(const struct virtio_net_client *client,
                      const struct virtio_net_options *options)
{
    return client->receive != NULL && client->transmitted != NULL && client->link != NULL &&
           client->announce != NULL && client->private_size <= VIRTIO_NET_PRIVATE_MAX &&
           (options->mac == NULL || virtio_net_is_station(options->mac));
}

/*
 * §3.1.1 Driver Requirements: Device Initialization, in the order given there. virtio_net_start()
 * is step 8.
 */
int virtio_net_open(struct virtio_net *net, struct virtio_device *dev,
                    const struct virtio_net_options *options,
                    const struct virtio_net_client *client)
{
    int error;

    if (net == NULL || dev == NULL || options == NULL || client == NULL) {
        return VIRTIO_ERROR_INVAL;
    }
    *net = (struct virtio_net){
        .dev = dev,
        .client = client,
        .duplex = VIRTIO_NET_DUPLEX_UNKNOWN,
        .tx_timeout_ns = (uint64_t)(options->tx_timeout_ms != 0 ? options->tx_timeout_ms
                                                                : VIRTIO_NET_TX_TIMEOUT_MS) *
                         1000000,
    };
    dev->weak_barrier = options->weak_barrier;
    dev->bus_offset = options->bus_offset;
    dev->connected = false;
    /* 1. Reset the device. 2. Set ACKNOWLEDGE. 3. Set DRIVER. */
    error = can_serve(client, options) ? virtio_device_begin(dev) : VIRTIO_ERROR_INVAL;
    if (error != 0) {
        goto fail;
    }
    /* 4. Read the features, write those understood. 5. Set FEATURES_OK. 6. Read it back. */
    error = virtio_net_negotiate(net, options);
    if (error != 0) {
        goto fail;
    }
    /* 7. Device-specific setup: queues, configuration. */
    choose_framing(net);
    error = read_mtu(net);
    if (error == 0) {
        error = create_queues(net, options);
    }
    if (error != 0) {
        goto fail;
    }
    virtio_net_interrupts_off(net);
    return 0;

fail:
    virtio_device_fail(dev);
    virtio_log("virtio-net: the device cannot be used (error %d)", error);
    return error;
}

/*
 * The rest of step 7, the buffers. 8. Set DRIVER_OK. Queues may be notified, and the device reports
 * changes, only from here on.
 */
void virtio_net_start(struct virtio_net *net)
{
    struct link link;

    virtio_net_check_start(net);
    if (net->live || net->recovery != VIRTIO_NET_WELL || net->tx.dev == NULL ||
        net->dev->resetting) {
        return; /* the device was not opened, or has been started */
    }
    virtio_net_rx_post(net);
    virtio_net_interrupts_start(net);
    net->live = true;
    virtio_device_ready(net->dev);
    if (read_link(net, &link) == 0) {
        set_link(net, &link);
    } else {
        net->config_changed = true; /* the first pass reads the configuration again */
    }
    /* A device that failed before DRIVER_OK does not interrupt for it (§2.1.2). */
    if (virtio_device_needs_reset(net->dev)) {
        net->config_changed = true;
    }
    if (VIRTIO_CONFIG_CTRL) {
        virtio_net_ctrl_ready(net);
    }
    (void)virtqueue_kick(&net->rx);
}

int virtio_net_close(struct virtio_net *net)
{
    VIRTIO_NET_ENTER(net);
    int error;

    if (net->busy || net->dev == NULL) {
        return VIRTIO_ERROR_INVAL;
    }
    net->live = false;
    net->recovery = VIRTIO_NET_WELL;
    /* Calls of the client in between add no buffers and ring no doorbell. */
    net->rx.stopped = true;
    net->tx.stopped = true;
    error = virtio_device_reset(net->dev);
    if (error != 0) {
        return error; /* it may still write to the memory: better lost than corrupted */
    }
    net->busy = true;
    (void)virtio_net_tx_reclaim(net); /* what the device has sent */
    virtio_net_tx_give_back(net);
    net->busy = false;
    destroy_queues(net);
    return 0;
}

/* A pass over a device that is not live: it may be in recovery. */
static void poll_dead(struct virtio_net *net)
{
    if (!net->busy && net->recovery != VIRTIO_NET_WELL) {
        net->busy = true;
        virtio_net_recover(net);
        net->busy = false;
    }
}

/* The look that virtio_net_flush() has left to this call. */
static void look_again(struct virtio_net *net)
{
    if (net->polled && net->dev->weak_barrier && net->tx.in_flight != 0) {
        virtqueue_kick_again(&net->tx);
    }
}

unsigned virtio_net_reclaim(struct virtio_net *net)
{
    VIRTIO_NET_ENTER(net);
    unsigned count;

    if (net->busy || !net->live) {
        return 0;
    }
    net->busy = true;
    count = virtio_net_tx_reclaim(net);
    look_again(net);
    net->busy = false;
    return count;
}

unsigned virtio_net_poll(struct virtio_net *net, unsigned budget)
{
    VIRTIO_NET_ENTER(net);
    struct virtio_net_interrupts interrupts;
    unsigned reclaimed;
    unsigned frames;

    if (net->busy || !net->live) {
        poll_dead(net);
        return 0;
    }
    net->busy = true;
    interrupts = virtio_net_interrupts_take(net);
    if (net->config_changed) {
        interrupts.config = true;
        look_at_configuration(net); /* first, since the link may be down */
    }
    reclaimed = virtio_net_tx_reclaim(net);
    look_again(net);
    net->polled = true;
    frames = virtio_net_rx_poll(net, budget);
    virtio_net_interrupts_count(net, &interrupts, frames, reclaimed);
    if (reclaimed != 0 || net->tx.in_flight == 0) {
        net->tx_stuck_passes = 0;
    } else if (++net->tx_stuck_passes % VIRTIO_NET_STUCK_PASSES == 0) {
        virtio_net_look_at_stuck(net);
    }
    if (++net->passes % VIRTIO_NET_STUCK_PASSES == 0) {
        virtio_net_look_at_queues(net);
    }
    if (net->dev->trouble != NULL) {
        virtio_net_recovery_begin(net);
    }
    net->busy = false;
    return frames;
}

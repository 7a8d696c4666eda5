/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chooses the features to negotiate, and reads what two of them provide: our address and the index
 * of the control queue.
 */
#include "virtio/internal/virtio_net_negotiate.h"

#include <string.h>

#include "virtio/internal/virtio_net_ctrl.h"
#include "virtio/internal/virtio_net_rx.h"
#include "virtio/virtio_platform.h"

/*
 * A locally administered unicast address (IEEE 802-2014 §8.4.4) from the clock's low bits. The
 * devices of a program may all be opened at the same time, by a clock that goes in ticks: so it is
 * also from where the device's structure is.
 */
static void random_mac(const struct virtio_net *net, uint8_t mac[6])
{
    uint64_t x = virtio_platform_clock_ns() + (uintptr_t)net + 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    for (unsigned i = 0; i < 6; i++) {
        mac[i] = (uint8_t)(x >> 8 * i);
    }
    mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
}

bool virtio_net_is_station(const uint8_t mac[6])
{
    static const uint8_t zero[6];

    return mac != NULL && !(mac[0] & 1) && memcmp(mac, zero, 6) != 0;
}

/*
 * §5.1.4.2: a driver that negotiates MAC uses the device's address. If another one was chosen, the
 * device is told when it is live.
 */
static int choose_mac(struct virtio_net *net, const uint8_t *wanted)
{
    net->own_mac = true;
    if (wanted != NULL) {
        memcpy(net->mac, wanted, 6);
        return 0;
    }
    if (!virtio_has(net->dev->features, VIRTIO_NET_F_MAC)) {
        random_mac(net, net->mac);
        return 0;
    }
    net->own_mac = false;
    return virtio_config_read(net->dev, VIRTIO_NET_CONFIG_MAC, net->mac, 1, 6);
}

/*
 * With mergeable buffers a device waits, possibly forever, until there are enough buffers for its
 * frame. Without them it drops a frame that does not fit into one. So the feature is used only if
 * queue and memory can hold any frame.
 */
static bool can_merge(const struct virtio_net *net, const struct virtio_net_options *options,
                      uint64_t wanted)
{
    const struct virtio_transport *transport = net->dev->transport;
    bool split_header = transport->legacy && !virtio_has(wanted, VIRTIO_F_ANY_LAYOUT);
    unsigned buffers =
        transport->queue_size(net->dev, VIRTIO_NET_QUEUE_RX) / (split_header ? 2u : 1u);

    if (options->rx_maximum != 0 && options->rx_maximum < buffers) {
        buffers = options->rx_maximum;
    }
    if (virtio_net_rx_merged_max(net, options) < buffers) {
        buffers = virtio_net_rx_merged_max(net, options);
    }
    return buffers >= VIRTIO_NET_RX_MERGED;
}

/* The features to request: offered, allowed, and with their requirements met. */
static uint64_t wanted_features(const struct virtio_net *net,
                                const struct virtio_net_options *options, uint64_t allowed)
{
    uint64_t wanted = net->dev->offered & allowed & VIRTIO_NET_FEATURES;

    if (virtio_has(wanted, VIRTIO_NET_F_MRG_RXBUF) && !can_merge(net, options, wanted)) {
        wanted &= ~virtio_bit(VIRTIO_NET_F_MRG_RXBUF);
    }
    return virtio_feature_require(wanted);
}

/*
 * Negotiates features and reads the configuration of two of them. Removes features that cannot be
 * used from *usable.
 */
static int try_features(struct virtio_net *net, const uint8_t *mac, uint64_t *usable)
{
    int error = virtio_device_negotiate(net->dev, *usable);

    if (VIRTIO_CONFIG_CTRL && error == 0 && !virtio_net_ctrl_choose(net)) {
        *usable &= ~virtio_bit(VIRTIO_NET_F_MQ);
    }
    if (error == 0) {
        error = choose_mac(net, mac);
    }
    if (error == 0 && !virtio_net_is_station(net->mac)) {
        virtio_log("virtio-net: the device's MAC address is none that a station can have; "
                   "it is used without MAC");
        *usable &= ~virtio_bit(VIRTIO_NET_F_MAC);
    }
    return error;
}

/*
 * If a feature cannot be used, the initialisation starts again without it. The configuration cannot
 * be read earlier: before the negotiation, QEMU's configuration has a legacy device's byte order.
 * Each attempt has fewer features, and the device may offer others then.
 */
int virtio_net_negotiate(struct virtio_net *net, const struct virtio_net_options *options)
{
    uint64_t allowed = options->features;

    for (;;) {
        const uint64_t wanted = wanted_features(net, options, allowed);
        uint64_t usable = wanted;
        int error = try_features(net, options->mac, &usable);

        if (error != 0 || usable == wanted) {
            return error;
        }
        allowed &= ~(wanted & ~usable);
        error = virtio_device_begin(net->dev);
        if (error != 0) {
            return error;
        }
    }
}

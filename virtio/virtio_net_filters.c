/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings made through the control queue, which the device may lose: addresses, receive modes,
 * VLANs. They are restored after a reset.
 */
#include <string.h>

#include "virtio/internal/virtio_net_ctrl.h"
#include "virtio/internal/virtio_net_debug.h"
#include "virtio/virtio_platform.h"

static int send_rx(struct virtio_net *net, uint8_t command, bool on)
{
    int error = virtio_net_ctrl_prepare(net, VIRTIO_NET_F_CTRL_RX);

    if (error == 0) {
        net->command->data[0] = on;
        error = virtio_net_ctrl_send(net, VIRTIO_NET_CTRL_RX, command, 1, 0);
    }
    return error;
}

/* §5.1.6.5.1 Packet Receive Filtering */
int virtio_net_set_rx_mode(struct virtio_net *net, unsigned modes)
{
    VIRTIO_NET_ENTER(net);
    static const uint8_t commands[] = {
        VIRTIO_NET_CTRL_RX_PROMISC, VIRTIO_NET_CTRL_RX_ALLMULTI, VIRTIO_NET_CTRL_RX_ALLUNI,
        VIRTIO_NET_CTRL_RX_NOMULTI, VIRTIO_NET_CTRL_RX_NOUNI,    VIRTIO_NET_CTRL_RX_NOBCAST,
    };
    unsigned count;
    int error;

    if (virtio_net_is_closed(net)) {
        return VIRTIO_ERROR_INVAL;
    }
    count = virtio_has(net->dev->features, VIRTIO_NET_F_CTRL_RX_EXTRA) ? 6 : 2;
    if (modes >> count != 0) {
        return VIRTIO_ERROR_UNSUPPORTED;
    }
    error =
        virtio_net_ctrl_prepare(net, VIRTIO_NET_F_CTRL_RX); /* may tell the device our address */
    if (error == 0) {
        net->rx_modes = (uint8_t)modes;
        modes |= net->rx_all_groups ? VIRTIO_NET_RX_ALLMULTI : 0;
        modes |= net->mac_unknown ? VIRTIO_NET_RX_PROMISC : 0;
    }
    for (unsigned i = 0; i < count && error == 0; i++) {
        error = send_rx(net, commands[i], modes >> i & 1);
    }
    return error;
}

/* Writes one half of the table. Returns the start of the next half. */
static uint8_t *put_addresses(const struct virtio_net *net, uint8_t *to, const uint8_t (*macs)[6],
                              unsigned count)
{
    virtio32_t entries;

    virtio32_write(net->dev->little_endian, &entries, count);
    memcpy(to, &entries, sizeof entries);
    to += sizeof entries;
    if (count != 0) {
        memcpy(to, macs, count * sizeof *macs);
    }
    return to + count * sizeof *macs;
}

/*
 * Sets ALLMULTI if there are more groups than the table holds. The client may have set it by
 * virtio_net_set_rx_mode() too.
 */
static int receive_all_groups(struct virtio_net *net, bool all)
{
    bool asked = net->rx_modes & VIRTIO_NET_RX_ALLMULTI;
    int error = 0;

    if (net->rx_all_groups != all) {
        error = send_rx(net, VIRTIO_NET_CTRL_RX_ALLMULTI, all || asked);
    }
    if (error == 0) {
        net->rx_all_groups = all;
    }
    return error;
}

static int send_mac_table(struct virtio_net *net, const uint8_t (*unicast)[6],
                          unsigned unicast_count, const uint8_t (*multicast)[6],
                          unsigned multicast_count)
{
    uint8_t *middle, *end;
    int error = virtio_net_ctrl_prepare(net, VIRTIO_NET_F_CTRL_RX);

    if (error != 0) {
        return error;
    }
    middle = put_addresses(net, net->command->data, unicast, unicast_count);
    end = put_addresses(net, middle, multicast, multicast_count);
    /* Two descriptors, since a legacy device may rely on that (§5.1.6.6). */
    return virtio_net_ctrl_send(net, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
                                (uint32_t)(middle - net->command->data), (uint32_t)(end - middle));
}

/* Records the table. If it cannot hold all groups, they are not recorded individually. */
static void remember_table(struct virtio_net *net, const uint8_t (*unicast)[6],
                           unsigned unicast_count, const uint8_t (*multicast)[6],
                           unsigned multicast_count)
{
    struct virtio_net_filters *filters = net->filters;

    filters->has_table = true;
    filters->unicasts = (uint16_t)unicast_count;
    filters->multicasts = (uint16_t)multicast_count;
    if (unicast_count != 0) {
        memmove(filters->mac, unicast, unicast_count * sizeof *unicast);
    }
    if (multicast_count != 0 && multicast_count <= VIRTIO_NET_TABLE_MAX) {
        memmove(filters->mac + unicast_count, multicast, multicast_count * sizeof *multicast);
    }
}

/*
 * §5.1.6.5.2 Setting MAC Address Filtering. ALLMULTI is set before the table changes and cleared
 * afterwards, so that no group is missed in between.
 */
int virtio_net_set_mac_table(struct virtio_net *net, const uint8_t (*unicast)[6],
                             unsigned unicast_count, const uint8_t (*multicast)[6],
                             unsigned multicast_count)
{
    VIRTIO_NET_ENTER(net);
    bool overflow = unicast_count > VIRTIO_NET_TABLE_MAX ||
                    multicast_count > VIRTIO_NET_TABLE_MAX - unicast_count;
    int error = 0;

    if (virtio_net_is_closed(net) || (unicast == NULL && unicast_count != 0) ||
        (multicast == NULL && multicast_count != 0)) {
        return VIRTIO_ERROR_INVAL;
    }
    if (!virtio_has(net->dev->features, VIRTIO_NET_F_CTRL_RX)) {
        return VIRTIO_ERROR_UNSUPPORTED;
    }
    if (unicast_count > VIRTIO_NET_TABLE_MAX) {
        return VIRTIO_ERROR_TOOBIG;
    }
    if (overflow) {
        error = receive_all_groups(net, true);
    }
    if (error == 0) {
        error =
            send_mac_table(net, unicast, unicast_count, multicast, overflow ? 0 : multicast_count);
    }
    if (error != VIRTIO_ERROR_REFUSED) { /* otherwise the previous table remains valid */
        remember_table(net, unicast, unicast_count, multicast,
                       overflow ? VIRTIO_NET_TABLE_MAX + 1 : multicast_count);
    }
    if (error == 0 && !overflow) {
        error = receive_all_groups(net, false);
    }
    return error;
}

/* §5.1.6.5.3 VLAN Filtering */
int virtio_net_set_vlan(struct virtio_net *net, uint16_t vlan, bool on)
{
    VIRTIO_NET_ENTER(net);
    uint32_t bit = (uint32_t)1 << vlan % 32;
    virtio16_t id;
    int error = vlan <= VIRTIO_NET_VLAN_MAX ? virtio_net_ctrl_prepare(net, VIRTIO_NET_F_CTRL_VLAN)
                                            : VIRTIO_ERROR_INVAL;

    if (error != 0) {
        return error;
    }
    virtio16_write(net->dev->little_endian, &id, vlan);
    memcpy(net->command->data, &id, sizeof id);
    error = virtio_net_ctrl_send(net, VIRTIO_NET_CTRL_VLAN,
                                 on ? VIRTIO_NET_CTRL_VLAN_ADD : VIRTIO_NET_CTRL_VLAN_DEL,
                                 sizeof id, 0);
    if (error != VIRTIO_ERROR_REFUSED) {
        net->filters->vlan[vlan / 32] = (net->filters->vlan[vlan / 32] & ~bit) | (on ? bit : 0);
    }
    return error;
}

/* §5.1.4.2, legacy note: the driver may write a legacy device's field. */
static int write_mac(struct virtio_net *net, const uint8_t mac[6])
{
    uint8_t taken[6];
    int error;

    if (net->dev->transport->config_write == NULL) {
        return VIRTIO_ERROR_UNSUPPORTED;
    }
    net->dev->transport->config_write(net->dev, VIRTIO_NET_CONFIG_MAC, mac, sizeof taken);
    error = virtio_config_read(net->dev, VIRTIO_NET_CONFIG_MAC, taken, 1, sizeof taken);
    return error == 0 && memcmp(taken, mac, sizeof taken) != 0 ? VIRTIO_ERROR_REFUSED : error;
}

static int command_mac(struct virtio_net *net, const uint8_t mac[6])
{
    int error = virtio_net_ctrl_prepare(net, VIRTIO_NET_F_CTRL_MAC_ADDR);

    if (error != 0) {
        return error;
    }
    memcpy(net->command->data, mac, 6);
    error = virtio_net_ctrl_send(net, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 6, 0);
    net->mac_unknown |= error == VIRTIO_ERROR_IO; /* it may have this one or that before */
    return error;
}

static int tell_mac(struct virtio_net *net, const uint8_t mac[6])
{
    int error = virtio_has(net->dev->features, VIRTIO_NET_F_CTRL_MAC_ADDR) ? command_mac(net, mac)
                                                                           : write_mac(net, mac);

    if (error == 0) {
        net->mac_unknown = false;
    }
    return error;
}

static int set_promiscuous(struct virtio_net *net)
{
    return send_rx(net, VIRTIO_NET_CTRL_RX_PROMISC,
                   net->mac_unknown || net->rx_modes & VIRTIO_NET_RX_PROMISC);
}

void virtio_net_tell_address(struct virtio_net *net)
{
    /*
     * If this command gets no answer, no further one is sent, even if its answer arrives soon.
     * Otherwise a device that is always late could make this function call itself without end.
     */
    if (tell_mac(net, net->mac) != VIRTIO_ERROR_IO) {
        (void)set_promiscuous(net);
    }
}

bool virtio_net_ctrl_answers(struct virtio_net *net)
{
    int error = set_promiscuous(net); /* to the current value */

    return error == 0 || error == VIRTIO_ERROR_REFUSED;
}

int virtio_net_set_mac(struct virtio_net *net, const uint8_t mac[6])
{
    VIRTIO_NET_ENTER(net);
    bool was_unknown = net->mac_unknown;
    int error = !net->live && !virtio_net_is_closed(net)  ? VIRTIO_ERROR_IO
                : net->live && virtio_net_is_station(mac) ? tell_mac(net, mac)
                                                          : VIRTIO_ERROR_INVAL;

    if (error == 0) {
        memcpy(net->mac, mac, 6);
        net->own_mac = true;
    }
    if (net->mac_unknown != was_unknown) {
        (void)set_promiscuous(net);
    }
    return error;
}

/* §5.1.6.5.5 Device operation in multiqueue mode */
static int use_one_pair(struct virtio_net *net)
{
    virtio16_t pairs;
    int error = virtio_net_ctrl_prepare(net, VIRTIO_NET_F_MQ);

    if (error != 0) {
        return error;
    }
    virtio16_write(net->dev->little_endian, &pairs, 1);
    memcpy(net->command->data, &pairs, sizeof pairs);
    return virtio_net_ctrl_send(net, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET,
                                sizeof pairs, 0);
}

void virtio_net_ctrl_ready(struct virtio_net *net)
{
    int error;

    if (virtio_has(net->dev->features, VIRTIO_NET_F_MQ) && use_one_pair(net) != 0) {
        virtio_log("virtio-net: the device does not confirm one pair of queues");
    }
    net->mac_unknown = net->own_mac && tell_mac(net, net->mac) != 0;
    /* A device may filter from the start, or be promiscuous. */
    error = set_promiscuous(net);
    if (net->mac_unknown && error != 0) {
        virtio_log("virtio-net: the device can be told neither the MAC address nor to "
                   "receive all frames: it may drop those for this station");
    }
}

/* A missing feature is not an error here: it was logged. */
static void keep_first(int *error, int next)
{
    if (*error == 0 && next != VIRTIO_ERROR_UNSUPPORTED) {
        *error = next;
    }
}

/*
 * The client is not told of failures: it was told that all is set. The other settings are sent
 * nevertheless, except after a command without an answer.
 */
void virtio_net_ctrl_restore(struct virtio_net *net)
{
    struct virtio_net_filters *filters = net->filters;
    int error = 0;

    net->rx_all_groups = false;
    if (filters == NULL) {
        return; /* no control queue */
    }
    if (net->rx_modes != 0) {
        keep_first(&error, virtio_net_set_rx_mode(net, net->rx_modes));
    }
    if (filters->has_table) {
        keep_first(&error,
                   virtio_net_set_mac_table(net, filters->mac, filters->unicasts,
                                            filters->mac + filters->unicasts, filters->multicasts));
    }
    for (unsigned vlan = 0; vlan <= VIRTIO_NET_VLAN_MAX; vlan++) {
        if (filters->vlan[vlan / 32] >> vlan % 32 & 1) {
            keep_first(&error, virtio_net_set_vlan(net, (uint16_t)vlan, true));
        }
    }
    if (filters->has_offloads) {
        keep_first(&error, virtio_net_set_guest_offloads(net, filters->offloads));
    }
    if (error != 0) {
        virtio_log("virtio-net: the device does not take its filters again (error %d)", error);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control queue (virtio 1.3 §5.1.6.5 Control Virtqueue). One command at a time, and each waits
 * for its answer: they are rare, and the caller wants to know.
 */
#include "virtio/virtio_net_ctrl.h"

#include <string.h>

#include "virtio/virtio_platform.h"

#define ANSWER_TIMEOUT_NS 100000000u

enum {
    TABLE_MAX = 64, /* addresses of the MAC table; with more groups all of them are received */
    DATA_MAX = 2 * sizeof(virtio32_t) + TABLE_MAX * 6,
    NO_ANSWER = 0xff,
    VLAN_MAX = 4094,   /* 4095 is reserved (IEEE 802.1Q) */
    COMMAND_PARTS = 4, /* what to do, its data, which may be two tables, the answer */
    /* Twice that: QEMU 10 with IN_ORDER takes a packed ring whose descriptors are all in one command for
     * an empty one. */
    QUEUE_SIZE = 2 * COMMAND_PARTS,
};

/* In memory that the device reaches. */
struct virtio_net_command {
    uint8_t class;
    uint8_t command;
    uint8_t data[DATA_MAX];
    uint8_t answer;
};

bool virtio_net_ctrl_choose(struct virtio_net *net)
{
    uint16_t pairs;

    net->ctrl_index = VIRTIO_NET_QUEUE_CTRL;
    if (!virtio_has(net->dev->features, VIRTIO_NET_F_MQ)) {
        return true;
    }
    if (virtio_config_read(net->dev, VIRTIO_NET_CONFIG_MAX_VIRTQUEUE_PAIRS, &pairs, 2, 1) != 0 ||
        pairs == 0 || pairs > VIRTIO_NET_PAIRS_MAX) {
        virtio_platform_log("virtio-net: the device's number of queue pairs is impossible; it is "
                            "used without MQ");
        return false;
    }
    net->ctrl_index = (uint16_t)(2 * pairs); /* §5.1.2 */
    return true;
}

int virtio_net_ctrl_create(struct virtio_net *net)
{
    int error;

    if (!virtio_has(net->dev->features, VIRTIO_NET_F_CTRL_VQ)) {
        return 0;
    }
    net->command = virtio_platform_alloc(sizeof *net->command, sizeof(uint64_t));
    if (net->command == NULL) {
        return VIRTIO_ERROR_NOMEM;
    }
    error = virtqueue_create(&net->ctrl, net->dev, net->ctrl_index, QUEUE_SIZE, 0, 0);
    if (error != 0) {
        virtio_platform_free(net->command);
        net->command = NULL;
        return error;
    }
    virtqueue_interrupts_off(&net->ctrl);
    if (net->ctrl.size < COMMAND_PARTS) {
        virtio_platform_log(
            "virtio-net: a control queue of %u descriptors has no room for a command",
            net->ctrl.size);
        return VIRTIO_ERROR_IO;
    }
    return 0;
}

void virtio_net_ctrl_destroy(struct virtio_net *net)
{
    if (net->command != NULL) {
        virtqueue_destroy(&net->ctrl);
        virtio_platform_free(net->command);
        net->command = NULL;
    }
}

/* Whether the device has used the command's buffer in time. */
static bool wait_for_answer(struct virtio_net *net)
{
    uint64_t start = virtio_platform_clock_ns();
    uint32_t length;

    while (virtqueue_get(&net->ctrl, &length) == NULL) {
        if (virtio_platform_clock_ns() - start > ANSWER_TIMEOUT_NS) {
            return false;
        }
    }
    return true;
}

static void tell_filters(struct virtio_net *net);

/*
 * Before each command: 0 where this feature was agreed and net->command is free to be filled in. After
 * a command that was not answered in time its memory is the device's until the answer has come; and what
 * could not be said meanwhile so that the device hears our address is said first.
 */
static int prepare(struct virtio_net *net, unsigned feature)
{
    uint32_t length;

    if (!net->live) {
        return VIRTIO_ERROR_INVAL;
    }
    if (!virtio_has(net->dev->features, feature)) {
        return VIRTIO_ERROR_NODEV;
    }
    if (net->ctrl_late) {
        if (virtqueue_get(&net->ctrl, &length) == NULL) {
            return VIRTIO_ERROR_IO;
        }
        net->ctrl_late = false;
        if (net->mac_unknown) {
            tell_filters(net);
        }
    }
    return net->ctrl_late ? VIRTIO_ERROR_IO : 0;
}

/* Sends the command with net->command->data, after prepare(): `size` bytes as a descriptor of their own,
 * then `more` bytes as another, where there are any. */
static int send_in_two(struct virtio_net *net, uint8_t class, uint8_t command, uint32_t size,
                       uint32_t more)
{
    struct virtqueue_part parts[COMMAND_PARTS];
    unsigned out = 1;
    int error;

    parts[0] = (struct virtqueue_part){&net->command->class, 2};
    net->command->class = class;
    net->command->command = command;
    net->command->answer = NO_ANSWER;
    if (size != 0) {
        parts[out++] = (struct virtqueue_part){net->command->data, size};
    }
    if (more != 0) {
        parts[out++] = (struct virtqueue_part){net->command->data + size, more};
    }
    parts[out] = (struct virtqueue_part){&net->command->answer, 1};
    error = virtqueue_add(&net->ctrl, parts, out, 1, net->command);
    if (error != 0) {
        return error;
    }
    virtqueue_kick(&net->ctrl);
    if (!wait_for_answer(net)) {
        net->ctrl_late = true;
        virtio_platform_log("virtio-net: the device does not answer control command %u.%u; it gets "
                            "no other before it does",
                            class, command);
        return VIRTIO_ERROR_IO;
    }
    return *(volatile uint8_t *)&net->command->answer == VIRTIO_NET_OK ? 0 : VIRTIO_ERROR_REFUSED;
}

static int send(struct virtio_net *net, uint8_t class, uint8_t command, uint32_t size)
{
    return send_in_two(net, class, command, size, 0);
}

static int send_rx(struct virtio_net *net, uint8_t command, bool on)
{
    int error = prepare(net, VIRTIO_NET_F_CTRL_RX);

    if (error == 0) {
        net->command->data[0] = on;
        error = send(net, VIRTIO_NET_CTRL_RX, command, 1);
    }
    return error;
}

/* §5.1.6.5.1 Packet Receive Filtering */
int virtio_net_set_rx_mode(struct virtio_net *net, unsigned modes)
{
    static const uint8_t commands[] = {
        VIRTIO_NET_CTRL_RX_PROMISC, VIRTIO_NET_CTRL_RX_ALLMULTI, VIRTIO_NET_CTRL_RX_ALLUNI,
        VIRTIO_NET_CTRL_RX_NOMULTI, VIRTIO_NET_CTRL_RX_NOUNI,    VIRTIO_NET_CTRL_RX_NOBCAST,
    };
    unsigned count = virtio_has(net->dev->features, VIRTIO_NET_F_CTRL_RX_EXTRA) ? 6 : 2;
    int error = !net->live ? VIRTIO_ERROR_INVAL : modes >> count != 0 ? VIRTIO_ERROR_NODEV : 0;

    if (error == 0) {
        error = prepare(net, VIRTIO_NET_F_CTRL_RX); /* which may make the address known */
    }
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

/* One half of the table; returns where the next begins. */
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

/* Groups beyond the table: ALLMULTI, which set_rx_mode() may have set by itself. */
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
    int error = prepare(net, VIRTIO_NET_F_CTRL_RX);

    if (error != 0) {
        return error;
    }
    middle = put_addresses(net, net->command->data, unicast, unicast_count);
    end = put_addresses(net, middle, multicast, multicast_count);
    /* Two descriptors, which a legacy device may rely on (§5.1.6.6). */
    return send_in_two(net, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
                       (uint32_t)(middle - net->command->data), (uint32_t)(end - middle));
}

/* §5.1.6.5.2 Setting MAC Address Filtering. ALLMULTI comes before the table, and goes after it, so that
 * no group is missed meanwhile. */
int virtio_net_set_mac_table(struct virtio_net *net, const uint8_t (*unicast)[6],
                             unsigned unicast_count, const uint8_t (*multicast)[6],
                             unsigned multicast_count)
{
    bool overflow = unicast_count > TABLE_MAX || multicast_count > TABLE_MAX - unicast_count;
    int error = 0;

    if (!net->live || (unicast == NULL && unicast_count != 0) ||
        (multicast == NULL && multicast_count != 0)) {
        return VIRTIO_ERROR_INVAL;
    }
    if (!virtio_has(net->dev->features, VIRTIO_NET_F_CTRL_RX)) {
        return VIRTIO_ERROR_NODEV;
    }
    if (unicast_count > TABLE_MAX) {
        return VIRTIO_ERROR_TOOBIG;
    }
    if (overflow) {
        error = receive_all_groups(net, true);
    }
    if (error == 0) {
        error =
            send_mac_table(net, unicast, unicast_count, multicast, overflow ? 0 : multicast_count);
    }
    if (error == 0 && !overflow) {
        error = receive_all_groups(net, false);
    }
    return error;
}

/* §5.1.6.5.3 VLAN Filtering */
int virtio_net_set_vlan(struct virtio_net *net, uint16_t vlan, bool on)
{
    virtio16_t id;
    int error = vlan <= VLAN_MAX ? prepare(net, VIRTIO_NET_F_CTRL_VLAN) : VIRTIO_ERROR_INVAL;

    if (error != 0) {
        return error;
    }
    virtio16_write(net->dev->little_endian, &id, vlan);
    memcpy(net->command->data, &id, sizeof id);
    return send(net, VIRTIO_NET_CTRL_VLAN, on ? VIRTIO_NET_CTRL_VLAN_ADD : VIRTIO_NET_CTRL_VLAN_DEL,
                sizeof id);
}

/* §5.1.4.2, legacy note: the field of a legacy device may be written. */
static int write_mac(struct virtio_net *net, const uint8_t mac[6])
{
    uint8_t taken[6];
    int error;

    if (net->dev->transport->config_write == NULL) {
        return VIRTIO_ERROR_NODEV;
    }
    net->dev->transport->config_write(net->dev, VIRTIO_NET_CONFIG_MAC, mac, sizeof taken);
    error = virtio_config_read(net->dev, VIRTIO_NET_CONFIG_MAC, taken, 1, sizeof taken);
    return error == 0 && memcmp(taken, mac, sizeof taken) != 0 ? VIRTIO_ERROR_REFUSED : error;
}

static int command_mac(struct virtio_net *net, const uint8_t mac[6])
{
    int error = prepare(net, VIRTIO_NET_F_CTRL_MAC_ADDR);

    if (error != 0) {
        return error;
    }
    memcpy(net->command->data, mac, 6);
    error = send(net, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 6);
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

/* Our address, where it is unknown to the device, which else has to be promiscuous. */
static void tell_filters(struct virtio_net *net)
{
    (void)tell_mac(net, net->mac);
    (void)set_promiscuous(net);
}

int virtio_net_set_mac(struct virtio_net *net, const uint8_t mac[6])
{
    bool was_unknown = net->mac_unknown;
    int error = net->live && virtio_net_is_station(mac) ? tell_mac(net, mac) : VIRTIO_ERROR_INVAL;

    if (error == 0) {
        memcpy(net->mac, mac, 6);
    }
    if (net->mac_unknown != was_unknown) {
        (void)set_promiscuous(net);
    }
    return error;
}

/* §5.1.6.5.6 Offloads State Configuration: only offloads, of those agreed. */
int virtio_net_set_guest_offloads(struct virtio_net *net, uint64_t offloads)
{
    const uint64_t all = virtio_bit(VIRTIO_NET_F_GUEST_CSUM) | virtio_bit(VIRTIO_NET_F_GUEST_TSO4) |
                         virtio_bit(VIRTIO_NET_F_GUEST_TSO6) | virtio_bit(VIRTIO_NET_F_GUEST_ECN) |
                         virtio_bit(VIRTIO_NET_F_GUEST_USO4) | virtio_bit(VIRTIO_NET_F_GUEST_USO6);
    virtio64_t bits;
    int error = prepare(net, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);

    if (error != 0) {
        return error;
    }
    offloads = virtio_feature_require(net->dev->features & (offloads | ~all)) & all;
    virtio64_write(net->dev->little_endian, &bits, offloads);
    memcpy(net->command->data, &bits, sizeof bits);
    return send(net, VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET,
                sizeof bits);
}

/* §5.1.6.5.5 Device operation in multiqueue mode */
static int use_one_pair(struct virtio_net *net)
{
    virtio16_t pairs;
    int error = prepare(net, VIRTIO_NET_F_MQ);

    if (error != 0) {
        return error;
    }
    virtio16_write(net->dev->little_endian, &pairs, 1);
    memcpy(net->command->data, &pairs, sizeof pairs);
    return send(net, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, sizeof pairs);
}

void virtio_net_ctrl_ready(struct virtio_net *net)
{
    int error;

    if (virtio_has(net->dev->features, VIRTIO_NET_F_MQ) && use_one_pair(net) != 0) {
        virtio_platform_log("virtio-net: the device does not confirm one pair of queues");
    }
    net->mac_unknown = net->own_mac && tell_mac(net, net->mac) != 0;
    /* A device may filter from the start on, or be promiscuous. */
    error = set_promiscuous(net);
    if (net->mac_unknown && error != 0) {
        virtio_platform_log("virtio-net: the device can be told neither the MAC address nor to "
                            "receive all frames: it may drop those for this station");
    }
}

/* §5.1.6.5.4 Gratuitous Packet Sending */
void virtio_net_ctrl_announced(struct virtio_net *net)
{
    if (prepare(net, VIRTIO_NET_F_GUEST_ANNOUNCE) == 0) {
        (void)send(net, VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, 0);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control queue (virtio 1.3 §5.1.6.5 Control Virtqueue). Only one command is in flight, and
 * each waits for its answer: commands are rare, and the caller needs the result.
 */
#include "virtio/internal/virtio_net_ctrl.h"

#include <string.h>

#include "virtio/internal/virtio_net_debug.h"
#include "virtio/virtio_platform.h"

#define ANSWER_TIMEOUT_NS 100000000u
#define SILENCE_MAX_NS 5000000000u /* after this the device is in trouble */

enum {
    NO_ANSWER = 0xff,
    /*
     * Larger than a command needs: with IN_ORDER, QEMU 10 considers a packed ring empty if one
     * command takes all its descriptors.
     */
    QUEUE_SIZE = 2 * VIRTIO_NET_COMMAND_PARTS,
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
        virtio_log("virtio-net: the device's number of queue pairs is impossible; it is "
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
    net->filters = virtio_platform_alloc(sizeof *net->filters, sizeof(uint64_t));
    if (net->command == NULL || net->filters == NULL) {
        return VIRTIO_ERROR_NOMEM;
    }
    error = virtqueue_create(&net->ctrl, net->dev, net->ctrl_index, QUEUE_SIZE, 0, 0);
    if (error != 0) {
        return error;
    }
    virtqueue_interrupts_off(&net->ctrl);
    if (net->ctrl.size < VIRTIO_NET_COMMAND_PARTS) {
        virtio_log("virtio-net: a control queue of %u descriptors has no room for a command",
                   net->ctrl.size);
        return VIRTIO_ERROR_IO;
    }
    return 0;
}

void virtio_net_ctrl_destroy(struct virtio_net *net)
{
    virtqueue_destroy(&net->ctrl);
    virtio_platform_free(net->command);
    virtio_platform_free(net->filters);
    net->command = NULL;
    net->filters = NULL;
}

void virtio_net_ctrl_take_back(struct virtio_net *net)
{
    if (net->ctrl.dev != NULL) {
        (void)virtqueue_detach(&net->ctrl); /* one command at a time */
    }
    net->ctrl_late = false;
}

/*
 * True if the device used the command's buffer in time. *length: the bytes written, according to
 * the device.
 */
static bool wait_for_answer(struct virtio_net *net, uint32_t *length)
{
    uint64_t start = virtio_platform_clock_ns();

    while (virtqueue_get(&net->ctrl, length) == NULL) {
        if (net->ctrl.broken || virtio_platform_clock_ns() - start > ANSWER_TIMEOUT_NS) {
            return false;
        }
    }
    return true;
}

bool virtio_net_is_closed(const struct virtio_net *net)
{
    return !net->live && net->recovery == VIRTIO_NET_WELL;
}

int virtio_net_ctrl_prepare(struct virtio_net *net, unsigned feature)
{
    uint32_t length;

    if (virtio_net_is_closed(net)) {
        return VIRTIO_ERROR_INVAL;
    }
    if (!virtio_has(net->dev->features, feature)) {
        return VIRTIO_ERROR_UNSUPPORTED;
    }
    if (!net->live) {
        return VIRTIO_ERROR_IO; /* the device is being reset */
    }
    if (net->ctrl_late) {
        if (virtqueue_get(&net->ctrl, &length) == NULL) {
            if (virtio_platform_clock_ns() - net->ctrl_late_since > SILENCE_MAX_NS) {
                net->dev->trouble = "it does not answer control commands";
            }
            if (net->dev->trouble != NULL) {
                net->config_changed = true; /* keeps the loop from sleeping before the next pass */
            }
            return VIRTIO_ERROR_IO;
        }
        net->ctrl_late = false;
        if (net->mac_unknown) {
            virtio_net_tell_address(net);
        }
    }
    return net->ctrl_late ? VIRTIO_ERROR_IO : 0;
}

int virtio_net_ctrl_send(struct virtio_net *net, uint8_t class, uint8_t command, uint32_t size,
                         uint32_t more)
{
    struct virtqueue_part parts[VIRTIO_NET_COMMAND_PARTS];
    unsigned out = 1;
    uint32_t length;
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
    if (!wait_for_answer(net, &length)) {
        net->ctrl_late = true;
        net->ctrl_late_since = virtio_platform_clock_ns();
        net->config_changed = true; /* the next pass checks whether the device is in trouble */
        virtio_log("virtio-net: the device does not answer control command %u.%u; it gets "
                   "no other before it does",
                   class, command);
        return VIRTIO_ERROR_IO;
    }
    /*
     * §2.7.8.3: bytes beyond the used length are undefined. On a legacy device the length has no
     * meaning (§5.1.6.1, legacy note).
     */
    if (length == 0 && !net->dev->transport->legacy) {
        return VIRTIO_ERROR_REFUSED;
    }
    return *(volatile uint8_t *)&net->command->answer == VIRTIO_NET_OK ? 0 : VIRTIO_ERROR_REFUSED;
}

/* §5.1.6.5.6 Offloads State Configuration: only negotiated offloads. */
int virtio_net_set_guest_offloads(struct virtio_net *net, uint64_t offloads)
{
    VIRTIO_NET_ENTER(net);
    const uint64_t all = virtio_bit(VIRTIO_NET_F_GUEST_CSUM) | virtio_bit(VIRTIO_NET_F_GUEST_TSO4) |
                         virtio_bit(VIRTIO_NET_F_GUEST_TSO6) | virtio_bit(VIRTIO_NET_F_GUEST_ECN) |
                         virtio_bit(VIRTIO_NET_F_GUEST_USO4) | virtio_bit(VIRTIO_NET_F_GUEST_USO6);
    virtio64_t bits;
    int error = virtio_net_ctrl_prepare(net, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);

    if (error != 0) {
        return error;
    }
    offloads = virtio_feature_require(net->dev->features & (offloads | ~all)) & all;
    virtio64_write(net->dev->little_endian, &bits, offloads);
    memcpy(net->command->data, &bits, sizeof bits);
    error = virtio_net_ctrl_send(net, VIRTIO_NET_CTRL_GUEST_OFFLOADS,
                                 VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, sizeof bits, 0);
    if (error != VIRTIO_ERROR_REFUSED) {
        net->filters->has_offloads = true;
        net->filters->offloads = offloads;
    }
    return error;
}

/* §5.1.6.5.4 Gratuitous Packet Sending: the driver may acknowledge when the packets are pending. */
void virtio_net_ctrl_take_announcement(struct virtio_net *net)
{
    if (virtio_net_ctrl_prepare(net, VIRTIO_NET_F_GUEST_ANNOUNCE) == 0) {
        (void)virtio_net_ctrl_send(net, VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, 0,
                                   0);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The control queue's coming and going, for virtio_net.c; its commands are in virtio_net.h. */
#ifndef VIRTIO_NET_CTRL_H
#define VIRTIO_NET_CTRL_H

#include "virtio/virtio_net.h"

/* Whether a station can have this address: no group's, and not all zeros. */
bool virtio_net_is_station(const uint8_t mac[6]);

/* Once the features are agreed: finds out which queue it will be. Returns false where MQ was agreed and
 * the device's number of pairs is impossible: then it is to be agreed without. */
bool virtio_net_ctrl_choose(struct virtio_net *net);

/* Makes the queue where CTRL_VQ was agreed: 0 or an error; even then there may be one, which the device
 * knows. */
int virtio_net_ctrl_create(struct virtio_net *net);

/* Frees it; only after a reset. */
void virtio_net_ctrl_destroy(struct virtio_net *net);

/*
 * Once the device is live: has it use one pair of queues, tells it our address if that is not its
 * own, and makes it promiscuous only where it cannot know that; each where it can.
 */
void virtio_net_ctrl_ready(struct virtio_net *net);

/* Says that the packets which the device wanted sent are on their way. */
void virtio_net_ctrl_announced(struct virtio_net *net);

#endif

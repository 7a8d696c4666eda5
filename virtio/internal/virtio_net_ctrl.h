/* SPDX-License-Identifier: BSD-2-Clause */
/* The control queue's coming and going, for virtio_net.c; its commands are in virtio_net.h. */
#ifndef VTNET_VIRTIO_NET_CTRL_H
#define VTNET_VIRTIO_NET_CTRL_H

#include "virtio/virtio_net.h"

enum {
    VIRTIO_NET_TABLE_MAX =
        VIRTIO_NET_UNICAST_MAX, /* addresses of the MAC table; with more groups all of them are received */
    VIRTIO_NET_DATA_MAX = 2 * sizeof(virtio32_t) + VIRTIO_NET_TABLE_MAX * 6,
    VIRTIO_NET_VLAN_MAX = 4094,   /* 4095 is reserved (IEEE 802.1Q) */
    VIRTIO_NET_COMMAND_PARTS = 4, /* what to do, its data, which may be two tables, the answer */
};

/* In memory that the device reaches. */
struct virtio_net_command {
    uint8_t class;
    uint8_t command;
    uint8_t data[VIRTIO_NET_DATA_MAX];
    uint8_t answer;
};

/* What the client has set, for a device that forgets it in a reset. */
struct virtio_net_filters {
    uint8_t mac[VIRTIO_NET_TABLE_MAX][6]; /* stations, then groups */
    uint16_t unicasts, multicasts;
    bool has_table, has_offloads;
    uint64_t offloads;
    uint32_t vlan[(VIRTIO_NET_VLAN_MAX + 32) / 32]; /* a bit each */
};

/* Whether the device is neither live nor on its way back. */
bool virtio_net_is_closed(const struct virtio_net *net);

/*
 * Before each command: 0 where this feature was agreed and net->command is free to be filled in, or an error.
 * After a command that was not answered in time its memory is the device's until the answer has come; and
 * what could not be said meanwhile so that the device hears our address is said first.
 */
int virtio_net_ctrl_prepare(struct virtio_net *net, unsigned feature);

/* Sends the command with net->command->data: `size` bytes as a descriptor of their own, then `more` bytes as
 * another, where there are any. 0 or an error. */
int virtio_net_ctrl_send(struct virtio_net *net, uint8_t class, uint8_t command, uint32_t size,
                         uint32_t more);

/* Our address, where it is unknown to the device, which else has to be promiscuous. */
void virtio_net_tell_address(struct virtio_net *net);

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

/* Whether the device answers a command that changes nothing; false where there is none such. */
bool virtio_net_ctrl_answers(struct virtio_net *net);

/* Says that the packets which the device wanted sent are on their way. */
void virtio_net_ctrl_announced(struct virtio_net *net);

/* After a reset: the command that it owed an answer to is ours again. Once the device is live again: tells it
 * all that the client has set. */
void virtio_net_ctrl_take_back(struct virtio_net *net);
void virtio_net_ctrl_restore(struct virtio_net *net);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The control queue's life cycle, for virtio_net.c. Its commands are in virtio_net.h. */
#ifndef VTNET_VIRTIO_NET_CTRL_H
#define VTNET_VIRTIO_NET_CTRL_H

#include "virtio/virtio_net.h"

enum {
    VIRTIO_NET_TABLE_MAX =
        VIRTIO_NET_UNICAST_MAX, /* addresses of the MAC table; if there are more groups, all are
                                 * received */
    VIRTIO_NET_DATA_MAX = 2 * sizeof(virtio32_t) + VIRTIO_NET_TABLE_MAX * 6,
    VIRTIO_NET_VLAN_MAX = 4094,   /* 4095 is reserved (IEEE 802.1Q) */
    VIRTIO_NET_COMMAND_PARTS = 4, /* class and command, data (two tables at most), answer */
};

/* In memory shared with the device. */
struct virtio_net_command {
    uint8_t class;
    uint8_t command;
    uint8_t data[VIRTIO_NET_DATA_MAX];
    uint8_t answer;
};

/* The client's settings, which the device loses in a reset. */
struct virtio_net_filters {
    uint8_t mac[VIRTIO_NET_TABLE_MAX][6]; /* unicast, then multicast */
    uint16_t unicasts, multicasts;
    bool has_table, has_offloads;
    uint64_t offloads;
    uint32_t vlan[(VIRTIO_NET_VLAN_MAX + 32) / 32]; /* one bit each */
};

/* True if the device is neither live nor being recovered. */
bool virtio_net_is_closed(const struct virtio_net *net);

/*
 * Call it before each command. Returns 0 if this feature is negotiated and net->command may be
 * filled in, else an error. If a command timed out, its memory belongs to the device until the
 * answer arrives. Settings that the device needs to receive our address, and that could not be sent
 * then, are sent first.
 */
int virtio_net_ctrl_prepare(struct virtio_net *net, unsigned feature);

/*
 * Sends the command with net->command->data: `size` bytes in one descriptor, then `more` bytes in
 * another, unless that is 0. 0 or an error.
 */
int virtio_net_ctrl_send(struct virtio_net *net, uint8_t class, uint8_t command, uint32_t size,
                         uint32_t more);

/*
 * Tells the device our address if it does not know it. If that fails, the device must be
 * promiscuous.
 */
void virtio_net_tell_address(struct virtio_net *net);

/* True if a station can have this address: it is neither multicast nor all zeros. */
bool virtio_net_is_station(const uint8_t mac[6]);

/*
 * After the negotiation: determines the queue's index. Returns false if MQ is negotiated and the
 * device's number of pairs is invalid: then negotiate again without MQ.
 */
bool virtio_net_ctrl_choose(struct virtio_net *net);

/*
 * Creates the queue if CTRL_VQ is negotiated. 0 or an error; after an error there may still be a
 * queue that the device knows.
 */
int virtio_net_ctrl_create(struct virtio_net *net);

/* Frees the queue. Only after a reset. */
void virtio_net_ctrl_destroy(struct virtio_net *net);

/*
 * When the device is live: selects one pair of queues, tells the device our address if that is not
 * its own, and makes it promiscuous only if it cannot be told. Each step only if the device
 * supports it.
 */
void virtio_net_ctrl_ready(struct virtio_net *net);

/* True if the device answers a command that changes nothing; false if there is no such command. */
bool virtio_net_ctrl_answers(struct virtio_net *net);

/* Acknowledges the device's request for announcements, which are sent next. */
void virtio_net_ctrl_take_announcement(struct virtio_net *net);

/*
 * take_back: after a reset, the memory of an unanswered command belongs to the driver again.
 * restore: when the device is live again, sends all settings of the client.
 */
void virtio_net_ctrl_take_back(struct virtio_net *net);
void virtio_net_ctrl_restore(struct virtio_net *net);

#endif

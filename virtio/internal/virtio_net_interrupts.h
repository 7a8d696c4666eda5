/* SPDX-License-Identifier: BSD-2-Clause */
/* For virtio_net_poll(): tells what the interrupts were for. */
#ifndef VTNET_VIRTIO_NET_INTERRUPTS_H
#define VTNET_VIRTIO_NET_INTERRUPTS_H

#include "virtio/virtio_net.h"

/* Which interrupts came. */
/* Before the device is live: notes which vectors the queues have. */
void virtio_net_interrupts_start(struct virtio_net *net);

struct virtio_net_interrupts {
    bool any;    /* of a queue */
    bool rx, tx; /* possibly of this one */
    bool config; /* of the configuration, possibly the same interrupt; set by the caller */
};

/* Interrupts since the last call. Call it before the queues are checked. */
struct virtio_net_interrupts virtio_net_interrupts_take(struct virtio_net *net);

/* Counts them. received, transmitted: how many frames the queues then had. */
void virtio_net_interrupts_count(struct virtio_net *net,
                                 const struct virtio_net_interrupts *interrupts, unsigned received,
                                 unsigned transmitted);

#endif

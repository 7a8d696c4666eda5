/* SPDX-License-Identifier: BSD-2-Clause */
/* For virtio_net_poll(): what the interrupts that came were for. */
#ifndef VTNET_VIRTIO_NET_INTERRUPTS_H
#define VTNET_VIRTIO_NET_INTERRUPTS_H

#include "virtio/virtio_net.h"

/* Which interrupts came. */
struct virtio_net_interrupts {
    bool any;    /* of a queue */
    bool rx, tx; /* perhaps of this one */
    bool config; /* set by the caller: of the configuration, which may be the same one */
};

/* Those since the last call; before the queues are looked at. */
struct virtio_net_interrupts virtio_net_interrupts_take(struct virtio_net *net);

/* Counts them: the queues then had so many frames received and transmitted. */
void virtio_net_interrupts_count(struct virtio_net *net,
                                 const struct virtio_net_interrupts *interrupts, unsigned received,
                                 unsigned transmitted);

#endif

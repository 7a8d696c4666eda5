/* SPDX-License-Identifier: BSD-2-Clause */
/* The receive half of the network device, for virtio_net.c. */
#ifndef VIRTIO_NET_RX_H
#define VIRTIO_NET_RX_H

#include "virtio/virtio_net.h"

/* Makes the queue, once net->mtu is known. 0 or an error. */
int virtio_net_rx_create(struct virtio_net *net, const struct virtio_net_options *options);

/* Frees the queue and all buffers that the client does not have; only after a reset. */
void virtio_net_rx_destroy(struct virtio_net *net);

/* Hands up to `budget` frames to the client, then refills. Returns the number of frames. */
unsigned virtio_net_rx_poll(struct virtio_net *net, unsigned budget);

/* Posts buffers up to the limit, and notifies the device. What found no memory is tried again by
 * the next call. */
void virtio_net_rx_refill(struct virtio_net *net);

#endif

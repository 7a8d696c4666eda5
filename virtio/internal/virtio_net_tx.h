/* SPDX-License-Identifier: BSD-2-Clause */
/* The transmit half of the network device, for virtio_net.c. */
#ifndef VTNET_VIRTIO_NET_TX_H
#define VTNET_VIRTIO_NET_TX_H

#include "virtio/virtio_net.h"

/* Makes the queue, of options.tx_size descriptors. 0 or an error; even then there may be a queue, which the device knows. */
int virtio_net_tx_create(struct virtio_net *net, uint16_t wanted);

/* Frees it; only after a reset. */
void virtio_net_tx_destroy(struct virtio_net *net);

/* Gives the client the frames back that the device is done with: how many. */
unsigned virtio_net_tx_reclaim(struct virtio_net *net);

/* And those that it has not sent; only after a reset of the device or of the queue. */
void virtio_net_tx_give_back(struct virtio_net *net);

/*
 * Makes the queue anew, before the link is said to be up again; with a packed ring and RING_RESET. Returns
 * whether that is done: otherwise it is to be called again by the next pass. Until then nobody may transmit.
 */
bool virtio_net_tx_renew(struct virtio_net *net);

#endif

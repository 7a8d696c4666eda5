/* SPDX-License-Identifier: BSD-2-Clause */
/* The transmit half of the network device, for virtio_net.c. */
#ifndef VTNET_VIRTIO_NET_TX_H
#define VTNET_VIRTIO_NET_TX_H

#include "virtio/virtio_net.h"

/*
 * Creates the queue with options.tx_size descriptors. 0 or an error; after an error there may still
 * be a queue that the device knows.
 */
int virtio_net_tx_create(struct virtio_net *net, uint16_t wanted);

/* Frees the queue. Only after a reset. */
void virtio_net_tx_destroy(struct virtio_net *net);

/* Returns frames that the device has used to the client. Returns their number. */
unsigned virtio_net_tx_reclaim(struct virtio_net *net);

/* Returns frames that were not sent, too. Only after a reset of the device or of the queue. */
void virtio_net_tx_give_back(struct virtio_net *net);

/*
 * Resets and restarts the queue before the link is reported up again; with a packed ring and
 * RING_RESET. Returns true when done; otherwise call it again in the next pass. Until then nothing
 * may be transmitted.
 */
bool virtio_net_tx_renew(struct virtio_net *net);

#endif

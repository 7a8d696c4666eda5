/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recovery of a device in trouble (dev->trouble): the driver resets it, negotiates the same
 * features, restores its queues and filters, and continues (virtio 1.3 §2.1.2, §2.4). For
 * virtio_net.c. The client sees the link go down and up. Nothing waits: each pass does a step.
 */
#ifndef VTNET_VIRTIO_NET_RECOVER_H
#define VTNET_VIRTIO_NET_RECOVER_H

#include "virtio/virtio_net.h"

/*
 * Call it when frames have been in flight for this many passes, or a multiple, and none came back.
 * Checks the device and the time.
 */
void virtio_net_look_at_stuck(struct virtio_net *net);
enum { VIRTIO_NET_STUCK_PASSES = 64 };

/*
 * Call it once every so many passes. Checks whether frames in flight were overtaken by later ones,
 * or used entries are missing.
 */
void virtio_net_look_at_queues(struct virtio_net *net);

/*
 * Starts the recovery. Each later pass calls virtio_net_recover() until net->recovery is
 * VIRTIO_NET_WELL. If trouble comes soon after the last one, the reset is delayed: a second, two,
 * and so on up to a minute.
 */
void virtio_net_recovery_begin(struct virtio_net *net);
void virtio_net_recover(struct virtio_net *net);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recovery of a device that is in trouble (dev->trouble): it is reset, agrees to the same features, gets its
 * queues and its filters again, and goes on (virtio 1.3 §2.1.2, §2.4). For virtio_net.c; the client sees the
 * link go down and come up. Nothing waits: it goes on from pass to pass.
 */
#ifndef VTNET_VIRTIO_NET_RECOVER_H
#define VTNET_VIRTIO_NET_RECOVER_H

#include "virtio/virtio_net.h"

/* Frames have been out for so many passes, or a multiple, and none came back: asks the device, and looks at
 * the clock. */
void virtio_net_look_at_stuck(struct virtio_net *net);
enum { VIRTIO_NET_STUCK_PASSES = 64 };

/* Once in as many passes: whether frames that are out were overtaken by later ones, or used entries are missing. */
void virtio_net_look_at_queues(struct virtio_net *net);

/* Begins the recovery; each later pass calls _recover(), until net->recovery is VIRTIO_NET_WELL. Trouble
 * that comes soon after the last one is let wait: a second, two, and so on up to a minute. */
void virtio_net_recovery_begin(struct virtio_net *net);
void virtio_net_recover(struct virtio_net *net);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Agreeing on the features of the network device, for virtio_net.c. */
#ifndef VTNET_VIRTIO_NET_NEGOTIATE_H
#define VTNET_VIRTIO_NET_NEGOTIATE_H

#include "virtio/virtio_net.h"

/*
 * Agrees on what the device offers, the options allow, and can be used; after virtio_device_begin(), which
 * is done again where the configuration shows only then that a feature cannot be used. Sets our address and
 * the control queue's index. 0 or an error.
 */
int virtio_net_negotiate(struct virtio_net *net, const struct virtio_net_options *options);

#endif

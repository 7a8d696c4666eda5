/* SPDX-License-Identifier: BSD-2-Clause */
/* Feature negotiation of the network device, for virtio_net.c. */
#ifndef VTNET_VIRTIO_NET_NEGOTIATE_H
#define VTNET_VIRTIO_NET_NEGOTIATE_H

#include "virtio/virtio_net.h"

/*
 * Negotiates the features that the device offers, the options allow and the driver can use. After
 * virtio_device_begin(), which is repeated if only the configuration shows that a feature cannot be
 * used. Sets our address and the index of the control queue. 0 or an error.
 */
int virtio_net_negotiate(struct virtio_net *net, const struct virtio_net_options *options);

#endif

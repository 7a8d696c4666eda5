/* SPDX-License-Identifier: BSD-2-Clause */
/* The interfaces between the files of the virtio card, nic_virtio*.c. */
#ifndef NIC_VIRTIO_H
#define NIC_VIRTIO_H

#include "net/nic.h"
#include "virtio/virtio_net.h"

/* nic_virtio_counters.c: copies all counters of the driver. */
void nic_virtio_counters(const struct virtio_net *net, struct nic_counters *counters);

#endif

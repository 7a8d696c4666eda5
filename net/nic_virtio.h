/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the virtio network card, nic_virtio*.c. */
#ifndef NIC_VIRTIO_H
#define NIC_VIRTIO_H

#include "net/nic.h"
#include "virtio/virtio_net.h"

/* nic_virtio_offload.c: of these features the offloads that the stack may ask for (NIC_SEND_...,
 * NIC_RECEIVE_...); what the device did to a frame; what it is to do to one. Any context. */
uint32_t nic_virtio_offloads(uint64_t features);
struct nic_offload nic_virtio_received(const struct virtio_net_offload *offload);
struct virtio_net_offload nic_virtio_sent(const struct nic_offload *offload);

/* nic_virtio_counters.c: all that the driver has counted so far. */
void nic_virtio_counters(const struct virtio_net *net, struct nic_counters *counters);

#endif

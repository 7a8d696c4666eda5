/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receive half of the network device, for virtio_net.c: virtio_net_buffers.c has the buffers and
 * how many of them are posted, virtio_net_rx.c what is in them.
 */
#ifndef VTNET_VIRTIO_NET_RX_H
#define VTNET_VIRTIO_NET_RX_H

#include "virtio/virtio_net.h"

enum { VIRTIO_NET_ETHERNET_HEADERS = 18 }; /* bytes, with a VLAN tag */

/*
 * A buffer that the client gets without a copy and gives back, in one block: our own link, the
 * client's private bytes, room, then the header and the frame as the device writes them.
 */
struct virtio_net_buffer {
    struct virtio_net_buffer *next; /* while it is kept */
    uint64_t private[];             /* the client's, then padding, then header and frame */
};

static inline uint8_t *virtio_net_buffer_header(const struct virtio_net *net,
                                                struct virtio_net_buffer *buffer)
{
    return (uint8_t *)buffer + net->rx_data_offset;
}

/* The queue size, a power of two, with room for so many descriptors. */
uint16_t virtio_net_queue_size(unsigned wanted);

/* How many buffers may exist where frames are merged, before that is agreed. */
unsigned virtio_net_rx_merged_max(const struct virtio_net *net,
                                  const struct virtio_net_options *options);

/* Makes the queue, once net->mtu is known. 0 or an error; even then there may be a queue, which the
 * device knows. */
int virtio_net_rx_create(struct virtio_net *net, const struct virtio_net_options *options);

/* Frees the queue and all buffers that the client does not have; only after a reset. */
void virtio_net_rx_destroy(struct virtio_net *net);

/* Posts buffers up to the limit; what found no memory is tried again by the next call. _refill()
 * notifies the device of them, too, and returns whether it wanted that. */
void virtio_net_rx_post(struct virtio_net *net);
bool virtio_net_rx_refill(struct virtio_net *net);

/* Keeps a buffer for the next refill, or frees it where there are enough. */
void virtio_net_rx_keep(struct virtio_net *net, struct virtio_net_buffer *buffer);

/* Adapts the limit to a burst of which this many buffers were taken so far. */
void virtio_net_rx_adapt(struct virtio_net *net, unsigned taken);

/* The device ran out of buffers: raises the limit, and refills. */
void virtio_net_rx_shortage(struct virtio_net *net);

/* Begins to take the queue from the device, which has more buffers than the limit, where that may be done
 * now: returns whether it has begun; then net->rx.stopped. Once that has ended, and all used buffers have
 * been taken: takes the others back, and gives the device the queue with those that it may have. */
bool virtio_net_rx_begin_withdrawal(struct virtio_net *net);
void virtio_net_rx_end_withdrawal(struct virtio_net *net);

/* Takes back all buffers that the device has; only after a reset. */
void virtio_net_rx_take_back(struct virtio_net *net);

/* Hands up to `budget` frames to the client, then refills. Returns the number of frames. */
unsigned virtio_net_rx_poll(struct virtio_net *net, unsigned budget);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receive half of the network device, for virtio_net.c. virtio_net_buffers.c manages the
 * buffers, virtio_net_rx_limit.c decides how many are posted, virtio_net_rx.c handles their content.
 */
#ifndef VTNET_VIRTIO_NET_RX_H
#define VTNET_VIRTIO_NET_RX_H

#include "virtio/virtio_net.h"

enum { VIRTIO_NET_ETHERNET_HEADERS = 18 }; /* bytes, with a VLAN tag */

/*
 * A buffer that is passed to the client without a copy and released by it. One block: the link, the
 * client's private bytes, room, then the header and the frame as written by the device.
 */
struct virtio_net_buffer {
    struct virtio_net_buffer *next; /* while it is kept for reuse */
#if VIRTIO_DEBUG
    uint32_t debug_held; /* VIRTIO_NET_HELD while the client has it */
#endif
    uint64_t private[]; /* the client's bytes, padding, header and frame */
};

static inline uint8_t *virtio_net_buffer_header(const struct virtio_net *net,
                                                struct virtio_net_buffer *buffer)
{
    return (uint8_t *)buffer + net->rx_data_offset;
}

/*
 * Notifies the device if it wants that. While the client polls, a weak barrier costs nothing: the
 * next poll, or enabling interrupts, looks again.
 */
static inline bool virtio_net_kick(const struct virtio_net *net, struct virtqueue *vq)
{
    return net->polled ? virtqueue_try_kick(vq) : virtqueue_kick(vq);
}

/* The smallest queue size, a power of two, with at least this many descriptors. */
uint16_t virtio_net_queue_size(unsigned wanted);

/* How many buffers may exist with MRG_RXBUF, computed before that is negotiated. */
unsigned virtio_net_rx_merged_max(const struct virtio_net *net,
                                  const struct virtio_net_options *options);

/*
 * Creates the queue when net->mtu is known. 0 or an error; after an error there may still be a
 * queue that the device knows.
 */
int virtio_net_rx_create(struct virtio_net *net, const struct virtio_net_options *options);

/* Frees the queue and all buffers that the client does not hold. Only after a reset. */
void virtio_net_rx_destroy(struct virtio_net *net);

/*
 * Posts buffers up to the limit. If memory is missing, the next call tries again. refill() also
 * notifies the device and returns true if it wanted that.
 */
void virtio_net_rx_post(struct virtio_net *net);
bool virtio_net_rx_refill(struct virtio_net *net);

/* Keeps a buffer for the next refill, or frees it if enough are kept. */
void virtio_net_rx_keep(struct virtio_net *net, struct virtio_net_buffer *buffer);

/* Frees kept buffers above the limit. */
void virtio_net_rx_trim(struct virtio_net *net);

/* Takes back all buffers of the device. Only after a reset. */
void virtio_net_rx_take_back(struct virtio_net *net);

/* virtio_net_rx_limit.c: how many buffers the device may have. */

/*
 * Sets the limit and its range from the options. places: how many buffers the queue can hold.
 * Before that, rx_maximum is what the options or the default say, and rx_buffers_max is set.
 */
void virtio_net_rx_limit_open(struct virtio_net *net, const struct virtio_net_options *options,
                              unsigned places);

/*
 * Adapts the limit to the rx_taken buffers of this round. Returns true if a reset of the queue has
 * just started, to withdraw buffers above the limit: the device may complete it at once.
 */
bool virtio_net_rx_limit_adapt(struct virtio_net *net);

/*
 * withdrawn: true if that reset has completed, so that no more buffers will be used.
 * end_withdrawal: when all used ones have been taken, takes the others back and restarts the queue.
 */
bool virtio_net_rx_limit_withdrawn(struct virtio_net *net);
void virtio_net_rx_limit_end_withdrawal(struct virtio_net *net);

/*
 * Refills at the end of a pass, and raises the limit if the device had run out. empty: the pass
 * found no more used buffers.
 */
void virtio_net_rx_limit_end_pass(struct virtio_net *net, bool empty);

/* Passes up to `budget` frames to the client, then refills. Returns the number of frames. */
unsigned virtio_net_rx_poll(struct virtio_net *net, unsigned budget);

#endif

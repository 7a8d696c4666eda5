/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splits a received frame of several UDP datagrams of the same size, which the card has joined
 * (GUEST_USO4, GUEST_USO6; virtio 1.3 §5.1.6.4 Processing of Incoming Packets). Each datagram gets
 * its own headers and refers to its payload in the card's buffers:
 *
 *     if (uso_rx_begin(&uso, frame, length, offload)) {
 *         while (uso_rx_left(&uso)) {
 *             p = uso_rx_next(&uso);
 *             ...
 *         }
 *     }
 *
 * A buffer of the frame returns to the card when the last datagram that refers to it is freed.
 */
#ifndef USO_RX_H
#define USO_RX_H

#include "lwip/pbuf.h"
#include "net/lwip_port/offload.h"
#include "net/nic.h"

enum { USO_RX_MAX = 128 }; /* most datagrams per frame, as in Linux */

/* A frame being split; private. */
struct uso_rx {
    struct pbuf *first;  /* the buffer with the headers */
    struct pbuf *buffer; /* the buffer where the next datagram's payload begins */
    uint32_t offset;     /* of that payload in the buffer */
    uint32_t left;       /* bytes of payload */
    struct offload_headers headers;
    uint16_t header_length; /* bytes up to the payload */
    uint16_t segment_size;  /* payload bytes of each datagram but the last */
    uint16_t count;         /* datagrams so far */
};

/*
 * Starts. frame: its buffers; their tot_len is not used. length: total bytes. Returns true and
 * takes the frame, which is freed by and by. Returns false, without effect, if the frame
 * contradicts the card's description: its checksum is not verified, its lengths are inconsistent,
 * or it has more than USO_RX_MAX datagrams.
 */
bool uso_rx_begin(struct uso_rx *uso, struct pbuf *frame, uint32_t length,
                  const struct virtio_net_offload *offload);

bool uso_rx_left(const struct uso_rx *uso);

/*
 * Returns the next datagram as a frame, to be freed by the caller, or NULL if there was no memory
 * for it. Call it until none is left. The UDP checksum of the result must not be checked.
 */
struct pbuf *uso_rx_next(struct uso_rx *uso);

#endif

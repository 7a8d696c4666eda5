/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splits a received frame of several UDP datagrams of the same size, which the card has joined
 * (GUEST_USO4, GUEST_USO6; virtio 1.3 §5.1.6.4 Processing of Incoming Packets). Each datagram gets
 * its own headers and refers to its payload in the card's buffers:
 *
 *     if (datagrams_begin(&datagrams, frame, length, offload)) {
 *         while (datagrams_left(&datagrams)) {
 *             p = datagrams_next(&datagrams);
 *             ...
 *         }
 *     }
 *
 * A buffer of the frame returns to the card when the last datagram that refers to it is freed.
 */
#ifndef DATAGRAMS_H
#define DATAGRAMS_H

#include "lwip/pbuf.h"
#include "net/lwip_port/offload.h"
#include "net/nic.h"

enum { DATAGRAMS_MAX = 128 }; /* most datagrams per frame, as in Linux */

/* A frame being split; private. */
struct datagrams {
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
 * or it has more than DATAGRAMS_MAX datagrams.
 */
bool datagrams_begin(struct datagrams *datagrams, struct pbuf *frame, uint32_t length,
                     const struct virtio_net_offload *offload);

bool datagrams_left(const struct datagrams *datagrams);

/*
 * Returns the next datagram as a frame, to be freed by the caller, or NULL if there was no memory
 * for it. Call it until none is left. The UDP checksum of the result must not be checked.
 */
struct pbuf *datagrams_next(struct datagrams *datagrams);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A received frame of several UDP datagrams of one size, which the card has joined (GUEST_USO4,
 * GUEST_USO6; virtio 1.3 §5.1.6.4 Processing of Incoming Packets), is cut into these again. Each
 * gets headers of its own, and refers to its payload where the card has put it:
 *
 *     if (datagrams_begin(&datagrams, frame, length, offload)) {
 *         while (datagrams_left(&datagrams)) {
 *             p = datagrams_next(&datagrams);
 *             ...
 *         }
 *     }
 *
 * A buffer of the frame goes back to the card when the last datagram that refers to it is freed.
 */
#ifndef DATAGRAMS_H
#define DATAGRAMS_H

#include "lwip/pbuf.h"
#include "net/lwip_port/offload.h"
#include "net/nic.h"

enum { DATAGRAMS_MAX = 128 }; /* of a frame: as many as Linux joins at the most */

/* A frame being cut; private. */
struct datagrams {
    struct pbuf *first;  /* where the headers are */
    struct pbuf *buffer; /* where the next datagram's payload begins, or ends the one before */
    uint32_t offset;     /* of that in the buffer */
    uint32_t left;       /* bytes of payload */
    struct offload_headers headers;
    uint16_t header_length; /* bytes up to the payload */
    uint16_t segment_size;  /* bytes of payload of each but the last */
    uint16_t count;         /* datagrams so far */
};

/*
 * Begins. frame: its buffers, whose tot_len does not matter; length: bytes of all. Returns true, and
 * the frame is freed on the way; or false, with nothing done, where it cannot be what the card says:
 * nobody vouches for the checksum, lengths contradict each other, there would be more than
 * DATAGRAMS_MAX.
 */
bool datagrams_begin(struct datagrams *datagrams, struct pbuf *frame, uint32_t length,
                     const struct virtio_net_offload *offload);

bool datagrams_left(const struct datagrams *datagrams);

/* The next datagram as a frame, for the caller to free; NULL: there was no memory for it. To be
 * called until none is left, and only then not any more. Its UDP checksum is not to be checked. */
struct pbuf *datagrams_next(struct datagrams *datagrams);

#endif

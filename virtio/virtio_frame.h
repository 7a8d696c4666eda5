/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame on its way: its pieces, and the work on it that a device does. */
#ifndef VTNET_VIRTIO_FRAME_H
#define VTNET_VIRTIO_FRAME_H

#include <stdint.h>

#include "virtio/virtio_spec.h"

/* A part of a buffer. Memory that lies as it is until the device has used the buffer. */
struct virtqueue_part {
    const void *data; /* the device writes to it where it is an "in" part */
    uint32_t length;  /* bytes, not 0 */
};

/*
 * What is left to do with a frame (virtio 1.3 §5.1.6.2 Packet Transmission), or was (§5.1.6.4 Processing of
 * Incoming Packets). Offsets are bytes from the Ethernet header's start.
 */
struct virtio_net_offload {
    uint8_t flags;    /* VIRTIO_NET_HDR_F_... */
    uint8_t gso_type; /* VIRTIO_NET_HDR_GSO_...; received: one that was agreed */
    /*
     * NEEDS_CSUM: the sum from csum_start to the end belongs at csum_start + csum_offset, where the
     * sum of the pseudo-header stands. Sent: the device does it. Received: nobody has done it, and
     * nobody need to, as the frame is known to be good. DATA_VALID: the checksum has been checked.
     */
    uint16_t csum_start, csum_offset;
    uint16_t gso_size; /* with a gso_type: payload bytes of each segment */
    uint16_t hdr_len;  /* with a gso_type: bytes of all headers, exactly; received: a hint only */
};

#endif

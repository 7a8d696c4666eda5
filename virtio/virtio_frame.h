/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a frame, and the offloads that a device performs on it. */
#ifndef VTNET_VIRTIO_FRAME_H
#define VTNET_VIRTIO_FRAME_H

#include <stdint.h>

#include "virtio/virtio_spec.h"

/* A part of a buffer. Its memory must not change until the device has used the buffer. */
struct virtqueue_part {
    const void *data; /* the device writes to it if it is an "in" part */
    uint32_t length;  /* bytes, not 0 */
};

/*
 * What the device still has to do with a transmitted frame (virtio 1.3 §5.1.6.2 Packet
 * Transmission), or has done with a received one (§5.1.6.4 Processing of Incoming Packets). Offsets
 * are in bytes from the start of the Ethernet header.
 */
struct virtio_net_offload {
    uint8_t flags;    /* VIRTIO_NET_HDR_F_... */
    uint8_t gso_type; /* VIRTIO_NET_HDR_GSO_...; received: a negotiated one */
    /*
     * NEEDS_CSUM: the checksum from csum_start to the end belongs at csum_start + csum_offset,
     * where the checksum of the pseudo-header is now. Transmitted: the device computes it.
     * Received: it was not computed, and need not be, as the frame is known to be good. DATA_VALID:
     * the checksum was verified.
     */
    uint16_t csum_start, csum_offset;
    uint16_t gso_size; /* with a gso_type: payload bytes per segment */
    uint16_t hdr_len;  /* with a gso_type: total length of the headers, exact; received: only a
                        * hint */
};

#endif

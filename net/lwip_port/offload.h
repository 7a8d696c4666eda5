/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Determines which work on a frame the card can do, and its parameters. Frames are read as bytes.
 */
#ifndef OFFLOAD_H
#define OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/nic.h"

enum {
    OFFLOAD_TCP = 6, /* IP protocol numbers */
    OFFLOAD_UDP = 17,
};

/* Positions of a frame's headers, in bytes from its start. */
struct offload_headers {
    uint16_t network;   /* the IP header, after VLAN tags */
    uint16_t transport; /* the header after the IP header and its extension headers */
    uint8_t protocol;   /* of the transport header; 0: unknown */
    bool ipv6;
    bool fragment; /* the frame is a fragment of an IP packet */
};

/*
 * Finds the headers of an Ethernet frame of which the first `length` bytes are available. Returns
 * false if it is not IP or its headers are incomplete.
 */
bool offload_parse(const void *frame, size_t length, struct offload_headers *headers);

/*
 * Makes the card compute a checksum: writes the checksum of the pseudo-header into the TCP or UDP
 * header, for the `length` bytes from there to the frame's end, and sets the position in `offload`
 * (virtio 1.3 §5.1.6.2 Packet Transmission). Returns false, without effect, for other protocols,
 * for fragments, and if the first `available` bytes of the frame do not contain that header.
 */
bool offload_checksum(void *frame, size_t available, const struct offload_headers *headers,
                      uint32_t length, struct virtio_net_offload *offload);

/*
 * True if the transport checksum of a received frame was verified. Never for a fragment, since the
 * checksum covers all fragments.
 */
bool offload_is_checked(const void *frame, size_t length, const struct virtio_net_offload *offload);

#endif

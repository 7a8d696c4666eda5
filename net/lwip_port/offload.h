/* SPDX-License-Identifier: BSD-2-Clause */
/* Which work on a frame the card can do, and what it must be told for it: reads frames as bytes. */
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

/* Where the headers of a frame are: bytes from its start. */
struct offload_headers {
    uint16_t network;   /* the IP header, behind VLAN tags */
    uint16_t transport; /* what follows it and its extension headers */
    uint8_t protocol;   /* of that; 0: none that is known here */
    bool ipv6;
    bool fragment; /* one of several that are an IP packet together */
};

/*
 * Finds the headers of an Ethernet frame of which `length` bytes are at hand. Returns false where it
 * is not IP, or its headers are not all there.
 */
bool offload_parse(const void *frame, size_t length, struct offload_headers *headers);

/*
 * Leaves a checksum to the card: writes the sum of the pseudo-header into a TCP or UDP header, for
 * `length` bytes from there to the frame's end, and tells the card where it is (virtio 1.3
 * §5.1.6.2 Packet Transmission). Returns false, with nothing done, for what has no such checksum or
 * is a fragment, and where fewer than `available` bytes of the frame hold that header.
 */
bool offload_checksum(void *frame, size_t available, const struct offload_headers *headers,
                      uint32_t length, struct virtio_net_offload *offload);

/* Whether the transport checksum of a received frame has been seen to: one of a fragment cannot
 * have been, as it covers all of them. */
bool offload_is_checked(const void *frame, size_t length, const struct virtio_net_offload *offload);

#endif

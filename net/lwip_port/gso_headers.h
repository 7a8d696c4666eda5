/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The headers of segments that gso.c joins: which segments continue a joined frame, and the headers
 * of the frame. All headers of a segment are in its first pbuf: gso_payload_offset() checks that.
 */
#ifndef GSO_HEADERS_H
#define GSO_HEADERS_H

#include "lwip/pbuf.h"
#include "net/lwip_port/offload.h"
#include "net/nic.h"

enum {
    GSO_HEADERS_MAX = 14 + 4 + 60 + 60, /* bytes: Ethernet, VLAN tag, IP, TCP */
    GSO_PLAIN_PAYLOAD = 14 + 20 + 20,   /* offset of the payload in plain TCP, see gso_is_plain() */
};

/* What the headers of a joined frame's segments have in common. */
struct gso_flow {
    const uint8_t *first; /* the first segment's headers */
    struct offload_headers headers;
    uint16_t length;        /* bytes up to the payload */
    uint32_t next_sequence; /* of TCP */
};

/*
 * The payload's offset in bytes if a segment may be joined with others: it has a payload, and its
 * first pbuf contains all headers. Otherwise 0. offloads: the card's, of net/nic.h.
 */
unsigned gso_payload_offset(uint32_t offloads, const struct pbuf *p,
                            const struct offload_headers *headers);

/*
 * True if a segment's headers continue the joined frame. offset: of its payload. The length fields
 * are not compared.
 */
bool gso_continues(const struct gso_flow *flow, const uint8_t *frame,
                   const struct offload_headers *headers, unsigned offset);

/* True if the joined frame is plain TCP: over IPv4, without VLAN tag and options. */
bool gso_is_plain(const struct gso_flow *flow);

/*
 * For a joined frame of plain TCP only: checks of a segment what parsing would tell and
 * gso_continues() does not compare, i.e. no options, only usual flags, a payload.
 */
bool gso_may_be_plain(const struct pbuf *p);

/* Notes that this segment, with so many bytes of payload, is the last of the joined frame now. */
void gso_advance(struct gso_flow *flow, const uint8_t *frame, uint32_t payload);

/*
 * Copies to the joined frame's TCP header what a later segment reports: acknowledgement, window,
 * PSH.
 */
void gso_update_headers(const struct gso_flow *flow, uint8_t *joined, const uint8_t *frame);

/* Sets the lengths and IPv4's checksum of the whole packet. payload: bytes of all segments. */
void gso_finish_headers(const struct gso_flow *flow, uint8_t *joined, uint32_t payload);

#endif

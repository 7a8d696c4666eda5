/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bursts: consecutive segments of a TCP connection, or UDP datagrams of the same size from one port
 * to another, which lwIP sends one by one, leave as one frame that the card cuts into these again
 * (virtio 1.3 §5.1.6.2 Packet Transmission). The frame has the headers of the first, in memory of
 * its own, and the payload of all where it lies. A datagram is a segment in what follows.
 *
 *     burst_take(bursts, p, &headers);        for each frame, in the order in which they leave
 *     p = burst_flush(bursts, &headers);      before any other frame, and at the end of a pass
 *     burst_release(bursts, cookie);          when the card is done with a frame
 *
 * lwIP does not touch a TCP segment as long as somebody else has a reference to it, and so neither
 * changes its header nor sends it again while it is in a burst. Who sends a datagram must leave it
 * alone until the card is done with it, in a burst or not.
 */
#ifndef BURST_H
#define BURST_H

#include "lwip/pbuf.h"
#include "net/lwip_port/offload.h"
#include "net/nic.h"

struct bursts;

/*
 * Memory for the bursts of a card, some 12 KiB, or NULL: there is none, or the card does not cut
 * segments. offloads: what the card does. reserve: places in its ring to be left free by
 * TCP.
 */
struct bursts *burst_open(const struct nic *nic, uint32_t offloads, unsigned reserve);

/*
 * Takes a frame into the burst under way, or begins a new one with it if none is. headers: the
 * frame's. BURST_TAKEN: there is a reference to it now, and room for it in the card's ring.
 * BURST_OTHER: it does not belong to that burst: flush, and try again. BURST_FULL: there is no room
 * in the ring. BURST_ALONE: it belongs to no burst: flush, and send it by itself.
 */
enum burst_result { BURST_TAKEN, BURST_OTHER, BURST_FULL, BURST_ALONE };
enum burst_result burst_take(struct bursts *bursts, struct pbuf *p,
                             const struct offload_headers *headers);

/* The parts of the burst under way, which has no place in the ring yet. */
unsigned burst_parts(const struct bursts *bursts);

/* Ends the burst under way, if any, and queues it with the card. Where it is one segment only, that
 * is returned as it came, with its headers, for the caller to send and free. */
struct pbuf *burst_flush(struct bursts *bursts, struct offload_headers *headers);

/* Whether a cookie that the card gave back was that of a burst; then its segments are freed. */
bool burst_release(struct bursts *bursts, void *cookie);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bursts. lwIP sends consecutive segments of a TCP connection, or UDP datagrams of the same size
 * from one port to another, one by one. Here they are joined to one frame, which the card splits
 * into the same segments again (virtio 1.3 §5.1.6.2 Packet Transmission). The frame consists of the
 * headers of the first, in memory of its own, and the payload of all, which is not copied. In the
 * following, a datagram is a segment too.
 *
 *     burst_take(bursts, p, &headers);        for each frame, in the order of sending
 *     p = burst_flush(bursts, &headers);      before any other frame, and at the end of a pass
 *     burst_release(bursts, cookie);          when the card is done with a frame
 *
 * lwIP does not modify or retransmit a TCP segment while somebody else has a reference to it, i.e.
 * while it is in a burst. The sender of a datagram must not modify it until the card is done with
 * it, in a burst or not.
 */
#ifndef BURST_H
#define BURST_H

#include "lwip/pbuf.h"
#include "net/lwip_port/offload.h"
#include "net/nic.h"

struct bursts;

/*
 * Allocates the bursts of a card, some 12 KiB. Returns NULL if there is no memory or the card does
 * not split frames. offloads: those of the card. reserve: places in its ring that TCP must leave
 * free.
 */
struct bursts *burst_open(const struct nic *nic, uint32_t offloads, unsigned reserve);

/*
 * Adds a frame to the current burst, or starts one if there is none. headers: those of the frame.
 * BURST_TAKEN: added, with a reference; the card's ring has room for it. BURST_OTHER: it does not
 * belong to this burst: flush and try again. BURST_FULL: the ring has no room. BURST_ALONE: it
 * cannot be part of any burst: flush and send it separately.
 */
enum burst_result { BURST_TAKEN, BURST_OTHER, BURST_FULL, BURST_ALONE };
enum burst_result burst_take(struct bursts *bursts, struct pbuf *p,
                             const struct offload_headers *headers);

/* The number of parts of the current burst, which has no place in the ring yet. */
unsigned burst_parts(const struct bursts *bursts);

/*
 * Ends the current burst, if there is one, and queues it. A burst of a single segment is not queued
 * but returned unchanged, with its headers, for the caller to send and free.
 */
struct pbuf *burst_flush(struct bursts *bursts, struct offload_headers *headers);

/* Returns true if a cookie from the card is that of a burst, and frees the burst's segments. */
bool burst_release(struct bursts *bursts, void *cookie);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segmentation left to the card (TSO, USO). lwIP sends consecutive segments of a TCP connection, or
 * UDP datagrams of the same size from one port to another, one by one. Here they are joined to one
 * frame, which the card splits into the same segments again (virtio 1.3 §5.1.6.2 Packet
 * Transmission). The joined frame consists of the headers of the first, in memory of its own, and
 * the payload of all, which is not copied. In the following, a datagram is a segment too.
 *
 *     gso_take(gso, p, &headers);        for each frame, in the order of sending
 *     p = gso_flush(gso, &headers);      before any other frame, and at the end of a pass
 *     gso_release(gso, cookie);          when the card is done with a frame
 *
 * lwIP does not modify or retransmit a TCP segment while somebody else has a reference to it, i.e.
 * while it is in a joined frame. The sender of a datagram must not modify it until the card is done
 * with it, joined or not.
 */
#ifndef GSO_H
#define GSO_H

#include "lwip/pbuf.h"
#include "net/lwip_port/offload.h"
#include "net/nic.h"

struct gso;

/*
 * Allocates the joined frames of a card, some 12 KiB. Returns NULL if there is no memory or the
 * card does not split frames. offloads: those of the card. reserve: places in its ring that TCP
 * must leave free.
 */
struct gso *gso_open(const struct nic *nic, uint32_t offloads, unsigned reserve);

/*
 * Adds a segment to the current joined frame, or starts one if there is none. headers: those of the
 * segment. GSO_TAKEN: added, with a reference; the card's ring has room for it, as long as no other
 * frame is queued before the flush. GSO_OTHER: it does
 * not belong to this joined frame: flush and try again. GSO_FULL: the ring has no room. GSO_ALONE:
 * it cannot be joined with any other: flush and send it separately.
 */
enum gso_result { GSO_TAKEN, GSO_OTHER, GSO_FULL, GSO_ALONE };
enum gso_result gso_take(struct gso *gso, struct pbuf *p, const struct offload_headers *headers);

/*
 * The same for the usual next segment, TCP over IPv4 without options, whose headers need not be
 * parsed for it. Returns true if it was added to the current joined frame; otherwise use gso_take().
 */
bool gso_take_next(struct gso *gso, struct pbuf *p);

/* The number of parts of the current joined frame, which has no place in the ring yet. */
unsigned gso_parts(const struct gso *gso);

/*
 * Ends the current joined frame, if there is one, and queues it. A lone segment is not queued but
 * returned unchanged, with its headers, for the caller to send and free.
 */
struct pbuf *gso_flush(struct gso *gso, struct offload_headers *headers);

/* Returns true if a cookie from the card is that of a joined frame, and frees its segments. */
bool gso_release(struct gso *gso, void *cookie);

#endif

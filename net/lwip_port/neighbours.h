/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which neighbour lwIP gives up when its table is full (RFC 6583 §7.1). By itself it gives up one
 * that said where it is before one that never did, so answers to made-up senders would displace all
 * real stations.
 *
 *     neighbours_offer(&offer, neighbour);       before lwIP may need a place for it
 *     neighbours_offer_for(&offer, to);          before it sends a packet there
 *     ...                                        lwIP
 *     neighbours_take_back(&offer);
 */
#ifndef NEIGHBOURS_H
#define NEIGHBOURS_H

#include <stdbool.h>

#include "lwip/ip6_addr.h"

/* All zero: nothing is offered. */
struct neighbours_offer {
    bool made;
    ip6_addr_t address; /* of the neighbour whose place is offered */
};

/*
 * If lwIP's table is full and `neighbour` is not in it, offers one that has not answered: the one
 * with the most packets waiting for it. lwIP then takes its place before any other, and frees them.
 */
void neighbours_offer(struct neighbours_offer *offer, const ip6_addr_t *neighbour);

/* The same for the next hop to a destination, which may be elsewhere after a redirect. */
void neighbours_offer_for(struct neighbours_offer *offer, const ip6_addr_t *to);

/* If lwIP did not take the place, the neighbour is as it was. */
void neighbours_take_back(const struct neighbours_offer *offer);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which neighbour lwIP gives up when its table is full (RFC 6583 §7.1). By itself it prefers one that
 * answered to one that never did, so answers to made-up senders would displace all real stations.
 *
 *     neighbours_offer(&offer, to);      before lwIP may need a place for `to`
 *     ...                                lwIP
 *     neighbours_take_back(&offer);
 */
#ifndef NEIGHBOURS_H
#define NEIGHBOURS_H

#include "lwip/ip6_addr.h"

struct nd6_neighbor_cache_entry;

struct neighbours_offer {
    struct nd6_neighbor_cache_entry *entry; /* NULL: none */
    ip6_addr_t address;
};

/*
 * If lwIP's table is full and `to` is not in it, offers a neighbour that has not answered: the one
 * with the most packets waiting for it. lwIP then takes its place before any other, and frees them.
 */
void neighbours_offer(struct neighbours_offer *offer, const ip6_addr_t *to);

/* If lwIP did not take the place, the neighbour is as it was. */
void neighbours_take_back(const struct neighbours_offer *offer);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/neighbours.h"

#include <stdbool.h>
#include <stddef.h>

#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"

static unsigned waiting_for(const struct nd6_neighbor_cache_entry *entry)
{
    unsigned count = 0;

    for (const struct nd6_q_entry *q = entry->q; q != NULL; q = q->next) {
        count++;
    }
    return count;
}

static bool is_full(void)
{
    for (unsigned i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
        if (neighbor_cache[i].state == ND6_NO_ENTRY) {
            return false;
        }
    }
    return true;
}

static bool has_a_place(const ip6_addr_t *neighbour)
{
    for (unsigned i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
        if (ip6_addr_eq(&neighbor_cache[i].next_hop_address, neighbour)) {
            return true;
        }
    }
    return false;
}

/* The one with the most packets, of several the oldest; NULL: all have said where they are. */
static struct nd6_neighbor_cache_entry *find_silent(void)
{
    struct nd6_neighbor_cache_entry *found = NULL;
    unsigned most = 0;

    for (unsigned i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
        struct nd6_neighbor_cache_entry *entry = &neighbor_cache[i];
        unsigned count = waiting_for(entry);

        if (entry->state == ND6_INCOMPLETE && !entry->isrouter &&
            (found == NULL || count > most ||
             (count == most && entry->counter.probes_sent > found->counter.probes_sent))) {
            found = entry;
            most = count;
        }
    }
    return found;
}

/* lwIP looks for a place among the stale neighbours first, and takes the first of them. */
static struct nd6_neighbor_cache_entry *put_before_stale(struct nd6_neighbor_cache_entry *entry)
{
    for (struct nd6_neighbor_cache_entry *other = neighbor_cache; other < entry; other++) {
        if (other->state == ND6_STALE && !other->isrouter) {
            struct nd6_neighbor_cache_entry moved = *other;

            *other = *entry;
            *entry = moved;
            return other;
        }
    }
    return entry;
}

void neighbours_offer(struct neighbours_offer *offer, const ip6_addr_t *neighbour)
{
    struct nd6_neighbor_cache_entry *silent =
        is_full() && !has_a_place(neighbour) ? find_silent() : NULL;

    offer->made = silent != NULL;
    if (silent != NULL) {
        ip6_addr_copy(offer->address, silent->next_hop_address);
        put_before_stale(silent)->state = ND6_STALE;
    }
}

static const ip6_addr_t *next_hop(const ip6_addr_t *to)
{
    for (unsigned i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++) {
        if (ip6_addr_eq(&destination_cache[i].destination_addr, to)) {
            return &destination_cache[i].next_hop_addr;
        }
    }
    return to; /* or a router, whose place is never offered */
}

void neighbours_offer_for(struct neighbours_offer *offer, const ip6_addr_t *to)
{
    offer->made = false;
    if (is_full() && !ip6_addr_ismulticast(to)) {
        neighbours_offer(offer, next_hop(to));
    }
}

/* Looked for anew, as a further offer meanwhile may have moved it. */
void neighbours_take_back(const struct neighbours_offer *offer)
{
    for (unsigned i = 0; offer->made && i < LWIP_ND6_NUM_NEIGHBORS; i++) {
        struct nd6_neighbor_cache_entry *entry = &neighbor_cache[i];

        if (entry->state == ND6_STALE && ip6_addr_eq(&entry->next_hop_address, &offer->address)) {
            entry->state = ND6_INCOMPLETE;
        }
    }
}

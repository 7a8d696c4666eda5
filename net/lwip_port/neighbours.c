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

/* True if `to` needs a place in the table, and there is none. */
static bool needs_a_place(const ip6_addr_t *to)
{
    if (ip6_addr_ismulticast(to)) {
        return false;
    }
    for (unsigned i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
        if (neighbor_cache[i].state == ND6_NO_ENTRY ||
            ip6_addr_eq(&neighbor_cache[i].next_hop_address, to)) {
            return false;
        }
    }
    return true;
}

/* The one with the most packets, of several the oldest; NULL: all have answered. */
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

void neighbours_offer(struct neighbours_offer *offer, const ip6_addr_t *to)
{
    offer->entry = needs_a_place(to) ? find_silent() : NULL;
    if (offer->entry != NULL) {
        offer->entry = put_before_stale(offer->entry);
        offer->entry->state = ND6_STALE;
        ip6_addr_copy(offer->address, offer->entry->next_hop_address);
    }
}

/* Delayed: lwIP sent to it, as the next hop that a redirect told. There is no MAC address yet. */
void neighbours_take_back(const struct neighbours_offer *offer)
{
    struct nd6_neighbor_cache_entry *entry = offer->entry;

    if (entry != NULL && (entry->state == ND6_STALE || entry->state == ND6_DELAY) &&
        ip6_addr_eq(&entry->next_hop_address, &offer->address)) {
        entry->state = ND6_INCOMPLETE;
    }
}

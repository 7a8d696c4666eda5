/* SPDX-License-Identifier: BSD-2-Clause */
/* Which neighbour is offered to lwIP, by its table and its rule for giving one up. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#undef BYTE_ORDER /* lwIP defines its own */
#include "net/lwip_port/neighbours.c"

enum { PLACES = LWIP_ND6_NUM_NEIGHBORS, WAITING_MAX = 48 };

struct nd6_neighbor_cache_entry neighbor_cache[PLACES];
struct nd6_destination_cache_entry destination_cache[LWIP_ND6_NUM_DESTINATIONS];
static struct nd6_q_entry waiting[PLACES][WAITING_MAX];

static ip6_addr_t address_of(unsigned number)
{
    return (ip6_addr_t){.addr = {PP_HTONL(0xfd000000), 0, 0, PP_HTONL(number)}};
}

static void set(unsigned i, unsigned state, unsigned packets)
{
    struct nd6_neighbor_cache_entry *entry = &neighbor_cache[i];

    *entry =
        (struct nd6_neighbor_cache_entry){.next_hop_address = address_of(i), .state = (u8_t)state};
    entry->lladdr[5] = (u8_t)(i + 1);
    entry->counter.probes_sent = 1;
    for (unsigned k = 0; k < packets; k++) {
        waiting[i][k].next = entry->q;
        entry->q = &waiting[i][k];
    }
}

/* All places taken by neighbours in this state. */
static void fill(unsigned state)
{
    for (unsigned i = 0; i < PLACES; i++) {
        set(i, state, 0);
    }
}

static struct neighbours_offer offer_for(unsigned number)
{
    struct neighbours_offer offer;
    ip6_addr_t neighbour = address_of(number);

    neighbours_offer(&offer, &neighbour);
    return offer;
}

/* The place that lwIP takes: nd6_new_neighbor_cache_entry() up to the reachable neighbours. */
static int taken_by_lwip(void)
{
    static const u8_t order[] = {ND6_NO_ENTRY, ND6_STALE, ND6_PROBE, ND6_DELAY};

    for (unsigned k = 0; k < sizeof order; k++) {
        for (int i = 0; i < PLACES; i++) {
            if (neighbor_cache[i].state == order[k] && !neighbor_cache[i].isrouter) {
                return i;
            }
        }
    }
    return -1;
}

static void assert_neighbour(unsigned place, unsigned number, unsigned state)
{
    ip6_addr_t expected = address_of(number);

    assert_true(ip6_addr_eq(&neighbor_cache[place].next_hop_address, &expected));
    assert_int_equal(neighbor_cache[place].lladdr[5], number + 1);
    assert_int_equal(neighbor_cache[place].state, state);
}

static void test_nothing_is_offered(void **state)
{
    ip6_addr_t group = {.addr = {PP_HTONL(0xff020000), 0, 0, PP_HTONL(1)}};
    struct neighbours_offer offer;

    (void)state;
    fill(ND6_INCOMPLETE);
    assert_false(offer_for(3).made); /* it has a place */
    neighbours_offer_for(&offer, &group);
    assert_false(offer.made);
    neighbor_cache[PLACES - 1].state = ND6_NO_ENTRY;
    assert_false(offer_for(100).made); /* there is a place */
    for (unsigned s = ND6_REACHABLE; s <= ND6_PROBE; s++) {
        fill(s);
        offer = offer_for(100);
        assert_false(offer.made); /* all have said where they are */
        neighbours_take_back(&offer);
        assert_neighbour(0, 0, s);
    }
    fill(ND6_INCOMPLETE);
    for (unsigned i = 0; i < PLACES; i++) {
        neighbor_cache[i].isrouter = 1;
    }
    assert_false(offer_for(100).made);
}

/* Whatever the others are, lwIP takes the place of the only one that has not answered. */
static void test_one_that_is_silent(void **state)
{
    (void)state;
    for (unsigned s = ND6_REACHABLE; s <= ND6_PROBE; s++) {
        for (unsigned silent = 0; silent < PLACES; silent++) {
            struct neighbours_offer offer;
            unsigned place;

            fill(s);
            set(silent, ND6_INCOMPLETE, 2);
            offer = offer_for(100);
            assert_true(offer.made);
            place = (unsigned)taken_by_lwip();
            assert_neighbour(place, silent, ND6_STALE);
            neighbours_take_back(&offer); /* it was not taken */
            assert_neighbour(place, silent, ND6_INCOMPLETE);
            assert_int_equal(waiting_for(&neighbor_cache[place]), 2);
            assert_int_equal(neighbor_cache[place].counter.probes_sent, 1);
            if (place != silent) {
                assert_neighbour(silent, place, s); /* they have changed places */
            }
        }
    }
}

static void test_a_place_that_was_taken(void **state)
{
    (void)state;
    for (unsigned s = ND6_INCOMPLETE; s <= ND6_PROBE; s++) {
        struct neighbours_offer offer;

        fill(ND6_REACHABLE);
        set(4, ND6_INCOMPLETE, 0);
        offer = offer_for(100);
        neighbor_cache[4].next_hop_address = address_of(100);
        neighbor_cache[4].state = (u8_t)s;
        neighbours_take_back(&offer);
        assert_int_equal(neighbor_cache[4].state, s);
    }
}

/* A message and the answer to it: the second offer moves the first one's neighbour. */
static void test_offers_within_each_other(void **state)
{
    struct neighbours_offer outer, inner;

    (void)state;
    fill(ND6_STALE);
    set(5, ND6_INCOMPLETE, 1);
    set(8, ND6_INCOMPLETE, 0);
    outer = offer_for(100);
    inner = offer_for(101);
    assert_true(outer.made && inner.made);
    assert_neighbour(0, 8, ND6_STALE);
    neighbours_take_back(&inner);
    neighbours_take_back(&outer);
    assert_neighbour(0, 8, ND6_INCOMPLETE);
    assert_neighbour(8, 5, ND6_INCOMPLETE);
    assert_neighbour(5, 0, ND6_STALE);
}

/* After a redirect the next hop is what needs a place, and it is not to be offered itself. */
static void test_next_hop(void **state)
{
    struct neighbours_offer offer;
    ip6_addr_t far = address_of(200);

    (void)state;
    fill(ND6_INCOMPLETE);
    set(7, ND6_INCOMPLETE, 40);
    destination_cache[3].destination_addr = far;
    destination_cache[3].next_hop_addr = address_of(7);
    neighbours_offer_for(&offer, &far);
    assert_false(offer.made);
    destination_cache[3].next_hop_addr = address_of(100);
    neighbours_offer_for(&offer, &far);
    assert_true(offer.made);
    assert_neighbour(7, 7, ND6_STALE);
    neighbours_take_back(&offer);
    destination_cache[3].destination_addr = address_of(201);
    neighbours_offer_for(&offer, &far);
    assert_true(offer.made);
}

static void assert_offered(unsigned number)
{
    struct neighbours_offer offer = offer_for(100);
    ip6_addr_t expected = address_of(number);

    assert_true(offer.made && ip6_addr_eq(&offer.address, &expected));
    neighbours_take_back(&offer);
}

/* Most packets, then the oldest; never a router. */
static void test_which_of_several(void **state)
{
    (void)state;
    fill(ND6_INCOMPLETE);
    assert_offered(0);
    neighbor_cache[6].counter.probes_sent = 2;
    assert_offered(6);
    set(7, ND6_INCOMPLETE, 1);
    set(8, ND6_INCOMPLETE, 30);
    set(9, ND6_INCOMPLETE, 2);
    neighbor_cache[9].counter.probes_sent = 3; /* older, with fewer packets */
    assert_offered(8);
    neighbor_cache[8].isrouter = 1;
    assert_offered(9);
    fill(ND6_STALE);
    neighbor_cache[0].isrouter = 1; /* pointers lead to a router's place: it is not moved */
    set(8, ND6_INCOMPLETE, 0);
    assert_offered(8);
    assert_neighbour(0, 0, ND6_STALE);
    assert_neighbour(1, 8, ND6_INCOMPLETE);
    assert_neighbour(8, 1, ND6_STALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_offered),
        cmocka_unit_test(test_one_that_is_silent),
        cmocka_unit_test(test_a_place_that_was_taken),
        cmocka_unit_test(test_offers_within_each_other),
        cmocka_unit_test(test_next_hop),
        cmocka_unit_test(test_which_of_several),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue by itself: the transmit queue of a device, without the network driver. */
#include <stdlib.h>
#include <string.h>

#include "fake_card.h"

enum { Q = VIRTIO_NET_QUEUE_TX, PARTS = 20 };

static struct virtqueue vq;
static uint8_t *memory; /* PARTS parts of 64 bytes */

/* Brings the device up with one queue of this size. */
static void start(unsigned interface, uint64_t features, uint16_t size, uint16_t tables)
{
    struct virtio_device *dev = &card.vp.dev;
    bool weak = fake_platform.weak_barrier;

    card_create_as(interface, features);
    fake_platform.weak_barrier = weak;
    card.dev.queue[Q].size = size;
    assert_int_equal(card_attach(), 0);
    dev->weak_barrier = weak;
    assert_int_equal(virtio_device_begin(dev), 0);
    assert_int_equal(virtio_device_negotiate(dev, features), 0);
    assert_int_equal(virtqueue_create(&vq, dev, Q, size, tables, tables ? 16 : 0), 0);
    virtio_device_ready(dev);
    memory = virtio_platform_alloc(PARTS * 64, 1);
    for (unsigned i = 0; i < PARTS * 64; i++) {
        memory[i] = (uint8_t)(i * 7);
    }
}

static void stop(void)
{
    assert_int_equal(virtio_device_reset(&card.vp.dev), 0);
    virtqueue_destroy(&vq);
    virtio_platform_free(memory);
    assert_int_equal(fake_platform.live, 0);
}

static int add(unsigned out, unsigned in, uintptr_t cookie)
{
    struct virtqueue_part parts[PARTS];

    for (unsigned i = 0; i < out + in; i++) {
        parts[i] = (struct virtqueue_part){memory + 64 * i, 10 + i};
    }
    return virtqueue_add(&vq, parts, out, in, (void *)cookie);
}

static uintptr_t get(void)
{
    uint32_t length;

    return (uintptr_t)virtqueue_get(&vq, &length);
}

/* The device takes the next chain and uses it up. */
static void take_and_use(void)
{
    struct fake_chain chain;

    assert_true(fake_take(&card.dev, Q, &chain));
    fake_use(&card.dev, Q, chain.head, 0);
}

static void check_chain(const struct fake_chain *chain, unsigned out, unsigned in)
{
    assert_int_equal(chain->count, out + in);
    for (unsigned i = 0; i < out + in; i++) {
        assert_int_equal(chain->part[i].length, 10 + i);
        assert_int_equal(chain->part[i].write, i >= out);
        assert_ptr_equal(fake_dma(chain->part[i].address, 1), memory + 64 * i);
    }
}

static void chains_arrive_part_by_part(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        for (unsigned indirect = 0; indirect < 2; indirect++) {
            struct fake_chain chain;

            start(i, virtio_bit(VIRTIO_F_INDIRECT_DESC), 64, indirect ? 4 : 0);
            for (unsigned out = 0; out <= 3; out++) {
                for (unsigned in = out == 0; in <= 13; in++) {
                    assert_int_equal(add(out, in, 1), 0);
                    assert_true(fake_take(&card.dev, Q, &chain));
                    check_chain(&chain, out, in);
                    /* One part is not worth a table. */
                    assert_int_equal(chain.indirect, indirect && out + in > 1);
                    fake_use(&card.dev, Q, chain.head, 0);
                    assert_int_equal(get(), 1);
                }
            }
            stop();
        }
    }
}

static void indirect_is_not_used_where_it_was_not_agreed(void **state)
{
    struct fake_chain chain;

    (void)state;
    start(3, 0, 16, 4);
    assert_int_equal(add(5, 0, 1), 0);
    assert_true(fake_take(&card.dev, Q, &chain));
    assert_false(chain.indirect);
    assert_int_equal(chain.descriptors, 5);
    stop();
}

static void exhausted_tables_fall_back_to_the_ring(void **state)
{
    struct fake_chain chain;

    (void)state;
    start(3, virtio_bit(VIRTIO_F_INDIRECT_DESC), 16, 2);
    for (uintptr_t i = 1; i <= 5; i++) {
        assert_int_equal(add(4, 0, i), 0); /* 2 tables, then 4 + 4 + 4 descriptors */
    }
    assert_false(virtqueue_has_room(&vq, 3)); /* 14 of 16 are taken */
    assert_true(virtqueue_has_room(&vq, 2));
    assert_int_equal(add(4, 0, 6), VIRTIO_ERROR_FULL);
    for (unsigned i = 1; i <= 5; i++) {
        assert_true(fake_take(&card.dev, Q, &chain));
        assert_int_equal(chain.indirect, i <= 2);
        assert_int_equal(chain.descriptors, i <= 2 ? 1 : 4);
        check_chain(&chain, 4, 0);
        fake_use(&card.dev, Q, chain.head, 0);
        assert_int_equal(get(), i);
    }
    assert_int_equal(add(4, 0, 7), 0); /* and they come back */
    assert_true(fake_take(&card.dev, Q, &chain));
    assert_true(chain.indirect);
    stop();
}

static void chains_beyond_a_table_use_the_ring(void **state)
{
    struct fake_chain chain;

    (void)state;
    start(3, virtio_bit(VIRTIO_F_INDIRECT_DESC), 32, 2);
    assert_int_equal(add(VIRTQUEUE_PARTS_MAX, 0, 1), 0);
    assert_int_equal(add(VIRTQUEUE_PARTS_MAX + 1, 0, 2), 0);
    assert_true(fake_take(&card.dev, Q, &chain));
    assert_true(chain.indirect);
    assert_true(fake_take(&card.dev, Q, &chain));
    assert_int_equal(chain.descriptors, VIRTQUEUE_PARTS_MAX + 1);
    stop();
    start(3, virtio_bit(VIRTIO_F_INDIRECT_DESC), 8, 2); /* §2.7.5.3.1: never more than the ring */
    assert_int_equal(add(9, 0, 1), VIRTIO_ERROR_TOOBIG);
    assert_int_equal(add(8, 0, 1), 0);
    stop();
}

/* Nothing is lost, nothing in flight overwritten, whatever order the device works in. */
static void full_ring_refuses_and_recovers(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        struct fake_chain chain[16];
        bool back[17] = {false};

        start(round ? 3 : 0, 0, 16, 0);
        for (unsigned i = 0; i < 16; i++) {
            assert_int_equal(add(1, 0, i + 1), 0);
        }
        assert_int_equal(add(1, 0, 99), VIRTIO_ERROR_FULL);
        assert_int_equal(vq.counters.full, 1);
        for (unsigned i = 0; i < 16; i++) {
            assert_true(fake_take(&card.dev, Q, &chain[i]));
            for (unsigned j = 0; j < i; j++) {
                assert_int_not_equal(chain[i].head, chain[j].head);
            }
        }
        assert_false(fake_take(&card.dev, Q, &(struct fake_chain){0}));
        for (unsigned i = 0; i < 16; i++) {
            uintptr_t cookie;

            fake_use(&card.dev, Q, chain[(i * 5 + 3) % 16].head, 0);
            cookie = get();
            assert_in_range(cookie, 1, 16);
            assert_int_equal(cookie, (i * 5 + 3) % 16 + 1); /* the buffer of that chain */
            assert_false(back[cookie]);
            back[cookie] = true;
            assert_int_equal(add(1, 0, 100), 0);
            assert_int_equal(add(1, 0, 100), VIRTIO_ERROR_FULL);
        }
        stop();
    }
}

static uint32_t seed;

static unsigned random_below(unsigned limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

/* Chains of all lengths, used in any order: each cookie comes back once, no descriptor is lost. */
static void cookies_come_back_once_in_any_order(void **state)
{
    struct fake_chain flying[32];
    uintptr_t cookie[32];
    unsigned count = 0;

    (void)state;
    seed = 1;
    start(3, virtio_bit(VIRTIO_F_INDIRECT_DESC), 32, 3);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned which;

        if (random_below(2) && add(1 + random_below(4), random_below(3), i + 1) == 0) {
            assert_true(fake_take(&card.dev, Q, &flying[count]));
            cookie[count++] = i + 1;
        } else if (count > 0) {
            which = random_below(count);
            fake_use(&card.dev, Q, flying[which].head, 0);
            assert_int_equal(get(), cookie[which]);
            flying[which] = flying[--count];
            cookie[which] = cookie[count];
        }
    }
    while (count > 0) {
        fake_use(&card.dev, Q, flying[--count].head, 0);
        assert_int_equal(get(), cookie[count]);
    }
    assert_int_equal(vq.counters.bad_id, 0);
    for (unsigned i = 0; i < 32; i++) {
        assert_int_equal(add(1, 0, 1), 0);
    }
    stop();
}

/* §2.7.10: a notification is due if one of the entries old to new - 1 is the event. */
static bool reference(uint16_t event, uint64_t old, uint64_t new)
{
    for (uint64_t i = old; i < new; i++) {
        if ((uint16_t)i == event) {
            return true;
        }
    }
    return false;
}

/* Every decision of more than 66,000 buffers, with events all over the ring's reach and beyond. */
static void every_kick_decision_is_that_of_the_specification(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i += 3) {
        uint64_t added = 0, kicked = 0, decisions[2] = {0};

        seed = 7;
        start(i, virtio_bit(VIRTIO_F_EVENT_IDX), 64, 0);
        while (added < 140000) {
            unsigned batch = random_below(20);
            unsigned doorbells = card.dev.queue[Q].doorbells;
            uint64_t old;
            bool wanted;

            while (batch-- > 0) {
                assert_int_equal(add(1, 0, 1), 0);
                added++;
            }
            fake_set_avail_event(&card.dev, Q, (uint16_t)(added - 80 + random_below(100)));
            old = added - kicked > 64 ? added - 64 : kicked; /* what a ring can hold */
            wanted = reference(fake_get_avail_event(&card.dev, Q), old, added);
            assert_int_equal(virtqueue_kick(&vq), wanted);
            assert_int_equal(card.dev.queue[Q].doorbells - doorbells, wanted);
            assert_int_equal(fake_avail_idx(&card.dev, Q), (uint16_t)added);
            kicked = wanted ? added : kicked;
            decisions[wanted]++;
            while (card.dev.queue[Q].last_avail != (uint16_t)added) {
                take_and_use();
                assert_int_equal(get(), 1);
            }
        }
        assert_true(decisions[0] > 1000 && decisions[1] > 1000);
        stop();
    }
}

/* Takes the ring to this index without a kick. */
static void advance(uint64_t buffers)
{
    for (uint64_t i = 0; i < buffers; i++) {
        assert_int_equal(add(1, 0, 1), 0);
        take_and_use();
        assert_int_equal(get(), 1);
        fake_want_kick(&card.dev, Q, false);
        assert_false(virtqueue_kick(&vq));
    }
}

static void kick_is_sent_right_over_the_wrap(void **state)
{
    (void)state;
    for (unsigned event_idx = 0; event_idx < 2; event_idx++) {
        start(3, event_idx ? virtio_bit(VIRTIO_F_EVENT_IDX) : 0, 16, 0);
        advance(65530);
        for (unsigned i = 0; i < 12; i++) { /* 65,530 to 5 */
            fake_want_kick(&card.dev, Q, true);
            assert_int_equal(add(1, 0, 1), 0);
            assert_true(virtqueue_kick(&vq));
            assert_false(virtqueue_kick(&vq)); /* there is nothing new */
            take_and_use();
            assert_int_equal(get(), 1);
        }
        stop();
    }
}

/* The device polled for 65,535 buffers and wants the next one: index and last kick are equal. */
static void kick_is_not_lost_65536_buffers_after_the_last(void **state)
{
    (void)state;
    for (unsigned event_idx = 0; event_idx < 2; event_idx++) {
        for (unsigned extra = 0; extra < 3; extra++) {
            start(3, event_idx ? virtio_bit(VIRTIO_F_EVENT_IDX) : 0, 16, 0);
            advance(65534 + extra);
            fake_want_kick(&card.dev, Q, true);
            assert_int_equal(add(1, 0, 1), 0);
            assert_true(virtqueue_kick(&vq));
            assert_int_equal(card.dev.queue[Q].doorbells, 1);
            stop();
        }
    }
}

static void flags_suppress_kicks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        start(i, 0, 16, 0);
        fake_set_used_flags(&card.dev, Q, VIRTQ_USED_F_NO_NOTIFY);
        assert_int_equal(add(1, 0, 1), 0);
        assert_false(virtqueue_kick(&vq));
        assert_int_equal(card.dev.queue[Q].doorbells, 0);
        fake_set_used_flags(&card.dev, Q, 0);
        assert_true(virtqueue_kick(&vq)); /* a later call finds it wanted */
        assert_false(virtqueue_kick(&vq));
        assert_int_equal(card.dev.queue[Q].doorbells, 1);
        stop();
    }
}

/* With EVENT_IDX the flags mean nothing, without it the event does (§2.7.10.1). */
static void only_the_agreed_way_of_suppression_counts(void **state)
{
    (void)state;
    start(3, virtio_bit(VIRTIO_F_EVENT_IDX), 16, 0);
    fake_set_used_flags(&card.dev, Q, VIRTQ_USED_F_NO_NOTIFY);
    fake_set_avail_event(&card.dev, Q, 0);
    assert_int_equal(add(1, 0, 1), 0);
    assert_true(virtqueue_kick(&vq));
    stop();
    start(3, 0, 16, 0);
    fake_set_avail_event(&card.dev, Q, 1000);
    assert_int_equal(add(1, 0, 1), 0);
    assert_true(virtqueue_kick(&vq));
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_arrive_part_by_part),
        cmocka_unit_test(indirect_is_not_used_where_it_was_not_agreed),
        cmocka_unit_test(exhausted_tables_fall_back_to_the_ring),
        cmocka_unit_test(chains_beyond_a_table_use_the_ring),
        cmocka_unit_test(full_ring_refuses_and_recovers),
        cmocka_unit_test(cookies_come_back_once_in_any_order),
        cmocka_unit_test(every_kick_decision_is_that_of_the_specification),
        cmocka_unit_test(kick_is_sent_right_over_the_wrap),
        cmocka_unit_test(kick_is_not_lost_65536_buffers_after_the_last),
        cmocka_unit_test(flags_suppress_kicks),
        cmocka_unit_test(only_the_agreed_way_of_suppression_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

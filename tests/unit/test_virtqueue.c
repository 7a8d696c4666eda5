/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtqueue without a network device, split and packed: chains, room, and notifications of the
 * split ring.
 */
#include "fake_vq.h"

/* The rings on a modern device. */
static const unsigned rings[] = {3, CARD_PACKED};

static void chains_arrive_part_by_part(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        for (unsigned indirect = 0; indirect < 2; indirect++) {
            struct fake_chain chain;

            vq_start(i, virtio_bit(VIRTIO_F_INDIRECT_DESC), 64, indirect ? 4 : 0);
            for (unsigned out = 0; out <= 3; out++) {
                for (unsigned in = out == 0; in <= 13; in++) {
                    assert_int_equal(vq_add(out, in, 1), 0);
                    assert_true(fake_take(&card.dev, VQ, &chain));
                    vq_check_chain(&chain, out, in);
                    /* A single part does not use a table. */
                    assert_int_equal(chain.indirect, indirect && out + in > 1);
                    fake_use(&card.dev, VQ, chain.head, 0);
                    assert_int_equal(vq_get(), 1);
                }
            }
            vq_stop();
        }
    }
}

static void indirect_is_not_used_where_it_was_not_agreed(void **state)
{
    struct fake_chain chain;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        vq_start(rings[i], 0, 16, 4);
        assert_int_equal(vq_add(5, 0, 1), 0);
        assert_true(fake_take(&card.dev, VQ, &chain));
        assert_false(chain.indirect);
        assert_int_equal(chain.descriptors, 5);
        vq_stop();
    }
}

static void exhausted_tables_fall_back_to_the_ring(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        struct fake_chain chain;

        vq_start(rings[r], virtio_bit(VIRTIO_F_INDIRECT_DESC), 16, 2);
        for (uintptr_t i = 1; i <= 5; i++) {
            assert_int_equal(vq_add(4, 0, i), 0); /* 2 tables, then 4 + 4 + 4 descriptors */
        }
        assert_false(virtqueue_has_room(&vq, 3)); /* 14 of 16 descriptors are in use */
        assert_true(virtqueue_has_room(&vq, 2));
        assert_int_equal(vq_add(4, 0, 6), VIRTIO_ERROR_FULL);
        for (unsigned i = 1; i <= 5; i++) {
            assert_true(fake_take(&card.dev, VQ, &chain));
            assert_int_equal(chain.indirect, i <= 2);
            assert_int_equal(chain.descriptors, i <= 2 ? 1 : 4);
            vq_check_chain(&chain, 4, 0);
            fake_use(&card.dev, VQ, chain.head, 0);
            assert_int_equal(vq_get(), i);
        }
        assert_int_equal(vq_add(4, 0, 7), 0); /* they are free again */
        assert_true(fake_take(&card.dev, VQ, &chain));
        assert_true(chain.indirect);
        vq_stop();
    }
}

/* A chain in a table takes one descriptor while tables are free. */
static void descriptors_of_chains_are_counted(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        vq_start(rings[r], virtio_bit(VIRTIO_F_INDIRECT_DESC), 16, 2);
        for (unsigned round = 0; round < 3; round++) {
            assert_int_equal(virtqueue_descriptors(&vq, 2, 4), 2);
            assert_int_equal(virtqueue_descriptors(&vq, 3, 4), 2 + 4);
            assert_int_equal(virtqueue_descriptors(&vq, 3, 1), 3);
            assert_int_equal(virtqueue_descriptors(&vq, 2, 17), 34); /* longer than a table */
            assert_int_equal(vq_add(4, 0, 1), 0);
            assert_int_equal(virtqueue_descriptors(&vq, 2, 4), 1 + 4);
            vq_take_and_use();
            assert_int_equal(vq_get(), 1);
        }
        vq_stop();
    }
}

/* vq_start() makes tables of 16 parts. */
static void chains_beyond_a_table_use_the_ring(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        struct fake_chain chain;

        vq_start(rings[r], virtio_bit(VIRTIO_F_INDIRECT_DESC), 32, 2);
        assert_int_equal(vq_add(16, 0, 1), 0);
        assert_int_equal(vq_add(17, 0, 2), 0);
        assert_true(fake_take(&card.dev, VQ, &chain));
        assert_true(chain.indirect);
        vq_check_chain(&chain, 16, 0);
        assert_true(fake_take(&card.dev, VQ, &chain));
        assert_int_equal(chain.descriptors, 17);
        vq_stop();
        /* §2.7.5.3.1, §2.8.17: never more than the ring */
        vq_start(rings[r], virtio_bit(VIRTIO_F_INDIRECT_DESC), 8, 2);
        assert_int_equal(vq_add(9, 0, 1), VIRTIO_ERROR_TOOBIG);
        assert_int_equal(vq_add(8, 0, 1), 0);
        vq_stop();
    }
}

static void tables_hold_as_many_parts_as_asked_for(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        struct virtqueue_part parts[VIRTQUEUE_PARTS_MAX];
        struct fake_chain chain;

        vq_start(rings[r], virtio_bit(VIRTIO_F_INDIRECT_DESC), 64, 0);
        memset(card.dev.queue[VQ].holds, 0,
               sizeof card.dev.queue[VQ].holds); /* allowed, as no reset is
                                                                               * involved */
        virtqueue_destroy(&vq);
        card.dev.status &= (uint8_t)~VIRTIO_STATUS_DRIVER_OK;
        card.dev.queue[VQ].enabled = false;
        assert_int_equal(virtqueue_create(&vq, &card.vp.dev, VQ, 64, 3, VIRTQUEUE_PARTS_MAX), 0);
        virtio_device_ready(&card.vp.dev);
        for (unsigned i = 0; i < VIRTQUEUE_PARTS_MAX; i++) {
            parts[i] = (struct virtqueue_part){vq_memory + (size_t)64 * i, 10 + i};
        }
        for (unsigned i = 0; i < 3; i++) { /* adjacent tables do not overlap */
            assert_int_equal(virtqueue_add(&vq, parts, 1, VIRTQUEUE_PARTS_MAX - 1, &vq), 0);
        }
        for (unsigned i = 0; i < 3; i++) {
            assert_true(fake_take(&card.dev, VQ, &chain));
            assert_true(chain.indirect);
            vq_check_chain(&chain, 1, VIRTQUEUE_PARTS_MAX - 1);
        }
        vq_stop();
    }
}

/* No buffer is lost and none in flight is overwritten, in whatever order the device uses them. */
static void full_ring_refuses_and_recovers(void **state)
{
    static const unsigned which[] = {0, 3, CARD_PACKED};

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        struct fake_chain chain[16];
        bool back[17] = {false};

        vq_start(which[round], 0, 16, 0);
        for (unsigned i = 0; i < 16; i++) {
            assert_int_equal(vq_add(1, 0, i + 1), 0);
        }
        assert_int_equal(vq_add(1, 0, 99), VIRTIO_ERROR_FULL);
        assert_int_equal(vq.counters.full, 1);
        for (unsigned i = 0; i < 16; i++) {
            assert_true(fake_take(&card.dev, VQ, &chain[i]));
            for (unsigned j = 0; j < i; j++) {
                assert_int_not_equal(chain[i].head, chain[j].head);
            }
        }
        assert_false(fake_take(&card.dev, VQ, &(struct fake_chain){0}));
        for (unsigned i = 0; i < 16; i++) {
            uintptr_t cookie;

            fake_use(&card.dev, VQ, chain[(i * 5 + 3) % 16].head, 0);
            cookie = vq_get();
            assert_in_range(cookie, 1, 16);
            assert_int_equal(cookie, (i * 5 + 3) % 16 + 1); /* the cookie of that chain */
            assert_false(back[cookie]);
            back[cookie] = true;
            assert_int_equal(vq_add(1, 0, 100), 0);
            assert_int_equal(vq_add(1, 0, 100), VIRTIO_ERROR_FULL);
        }
        assert_int_equal(vq.counters.buffers, 16);
        vq_stop();
    }
}

/*
 * Chains of all lengths, used in any order: each cookie comes back once and no descriptor is lost.
 */
static void cookies_come_back_once_in_any_order(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        struct fake_chain flying[32];
        uintptr_t cookie[32];
        unsigned count = 0;

        vq_start(rings[r], virtio_bit(VIRTIO_F_INDIRECT_DESC), 32, 3);
        for (unsigned i = 0; i < 20000; i++) {
            unsigned which;

            if (vq_random(2) && vq_add(1 + vq_random(4), vq_random(3), i + 1) == 0) {
                assert_true(fake_take(&card.dev, VQ, &flying[count]));
                cookie[count++] = i + 1;
            } else if (count > 0) {
                which = vq_random(count);
                fake_use(&card.dev, VQ, flying[which].head, 0);
                assert_int_equal(vq_get(), cookie[which]);
                flying[which] = flying[--count];
                cookie[which] = cookie[count];
            }
        }
        while (count > 0) {
            fake_use(&card.dev, VQ, flying[--count].head, 0);
            assert_int_equal(vq_get(), cookie[count]);
        }
        assert_int_equal(vq.counters.bad_id, 0);
        for (unsigned i = 0; i < 32; i++) {
            assert_int_equal(vq_add(1, 0, 1), 0);
        }
        vq_stop();
    }
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

/*
 * Compares the decision for more than 66,000 buffers, with events inside and outside of the ring's
 * range.
 */
static void every_kick_decision_is_that_of_the_specification(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i += 3) {
        uint64_t added = 0, kicked = 0, decisions[2] = {0};

        vq_start(i, virtio_bit(VIRTIO_F_EVENT_IDX), 64, 0);
        while (added < 140000) {
            unsigned batch = vq_random(20);
            unsigned doorbells = card.dev.queue[VQ].doorbells;
            uint64_t old;
            bool wanted;

            while (batch-- > 0) {
                assert_int_equal(vq_add(1, 0, 1), 0);
                added++;
            }
            fake_set_avail_event(&card.dev, VQ, (uint16_t)(added - 80 + vq_random(100)));
            old = added - kicked > 64 ? added - 64 : kicked; /* what a ring can hold */
            wanted = reference(fake_get_avail_event(&card.dev, VQ), old, added);
            assert_int_equal(virtqueue_kick(&vq), wanted);
            assert_int_equal(card.dev.queue[VQ].doorbells - doorbells, wanted);
            assert_int_equal(fake_avail_idx(&card.dev, VQ), (uint16_t)added);
            kicked = wanted ? added : kicked;
            decisions[wanted]++;
            while (card.dev.queue[VQ].last_avail != (uint16_t)added) {
                vq_take_and_use();
                assert_int_equal(vq_get(), 1);
            }
        }
        assert_true(decisions[0] > 1000 && decisions[1] > 1000);
        vq_stop();
    }
}

/* Advances the ring to this index without a notification. */
static void advance(uint64_t buffers)
{
    for (uint64_t i = 0; i < buffers; i++) {
        assert_int_equal(vq_add(1, 0, 1), 0);
        vq_take_and_use();
        assert_int_equal(vq_get(), 1);
        fake_want_kick(&card.dev, VQ, false);
        assert_false(virtqueue_kick(&vq));
    }
}

static void kick_is_sent_right_over_the_wrap(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 4; mode++) {
        vq_start(rings[mode / 2], mode % 2 ? virtio_bit(VIRTIO_F_EVENT_IDX) : 0, 16, 0);
        advance(65530);
        for (unsigned i = 0; i < 12; i++) { /* 65,530 to 5 */
            fake_want_kick(&card.dev, VQ, true);
            assert_int_equal(vq_add(1, 0, 1), 0);
            assert_true(virtqueue_kick(&vq));
            assert_false(virtqueue_kick(&vq)); /* no new buffer */
            vq_take_and_use();
            assert_int_equal(vq_get(), 1);
        }
        vq_stop();
    }
}

/*
 * The device polled for 65,535 buffers and asks for the next one: index and last notification are
 * equal.
 */
static void kick_is_not_lost_65536_buffers_after_the_last(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 4; mode++) {
        for (unsigned extra = 0; extra < 3; extra++) {
            vq_start(rings[mode / 2], mode % 2 ? virtio_bit(VIRTIO_F_EVENT_IDX) : 0, 16, 0);
            advance(65534 + extra);
            fake_want_kick(&card.dev, VQ, true);
            assert_int_equal(vq_add(1, 0, 1), 0);
            assert_true(virtqueue_kick(&vq));
            assert_int_equal(card.dev.queue[VQ].doorbells, 1);
            vq_stop();
        }
    }
}

static void flags_suppress_kicks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        vq_start(i, 0, 16, 0);
        fake_want_kick(&card.dev, VQ, false);
        assert_int_equal(vq_add(1, 0, 1), 0);
        assert_false(virtqueue_kick(&vq));
        assert_int_equal(card.dev.queue[VQ].doorbells, 0);
        fake_want_kick(&card.dev, VQ, true);
        assert_true(virtqueue_kick(&vq)); /* a later call is due */
        assert_false(virtqueue_kick(&vq));
        assert_int_equal(card.dev.queue[VQ].doorbells, 1);
        vq_stop();
    }
}

/* The queue reports whether the device waits for the very next buffer. */
static void wanted_is_what_the_device_asks_for(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * CARD_RINGS; i++) {
        vq_start(i / 2, i % 2 ? virtio_bit(VIRTIO_F_EVENT_IDX) : 0, 16, 0);
        for (unsigned n = 0; n < 40; n++) {
            fake_want_kick(&card.dev, VQ, true);
            assert_true(virtqueue_wanted(&vq));
            fake_want_kick(&card.dev, VQ, false);
            assert_false(virtqueue_wanted(&vq));
            fake_want_kick(&card.dev, VQ, true);
            assert_int_equal(vq_add(1, 0, 1), 0);
            /* The request is used up. Without the event index the device wants every buffer. */
            assert_int_equal(virtqueue_wanted(&vq), i % 2 == 0);
            vq_take_and_use();
            assert_int_equal(vq_get(), 1);
        }
        vq_stop();
    }
}

/* With EVENT_IDX the flags are ignored; without it the event is (§2.7.10.1). */
static void only_the_agreed_way_of_suppression_counts(void **state)
{
    (void)state;
    vq_start(3, virtio_bit(VIRTIO_F_EVENT_IDX), 16, 0);
    fake_set_used_flags(&card.dev, VQ, VIRTQ_USED_F_NO_NOTIFY);
    fake_set_avail_event(&card.dev, VQ, 0);
    assert_int_equal(vq_add(1, 0, 1), 0);
    assert_true(virtqueue_kick(&vq));
    vq_stop();
    vq_start(3, 0, 16, 0);
    fake_set_avail_event(&card.dev, VQ, 1000);
    assert_int_equal(vq_add(1, 0, 1), 0);
    assert_true(virtqueue_kick(&vq));
    vq_stop();
}

/*
 * The device may write any length there (§2.7.8.1, §2.8.4). It is not counted as a lie, and the
 * result is 0.
 */
static void length_of_what_the_device_only_reads_is_zero(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2 * CARD_RINGS; n++) {
        struct fake_chain chain;

        vq_start(n / 2, 0, 16, 0);
        assert_int_equal(vq_add(1 + n % 2, 0, 1), 0);
        assert_true(fake_take(&card.dev, VQ, &chain));
        fake_use(&card.dev, VQ, chain.head, 77);
        assert_int_equal(vq_get(), 1);
        assert_int_equal(vq_length, 0);
        assert_int_equal(vq.counters.bad_length, 0);
        vq_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_arrive_part_by_part),
        cmocka_unit_test(indirect_is_not_used_where_it_was_not_agreed),
        cmocka_unit_test(exhausted_tables_fall_back_to_the_ring),
        cmocka_unit_test(descriptors_of_chains_are_counted),
        cmocka_unit_test(chains_beyond_a_table_use_the_ring),
        cmocka_unit_test(tables_hold_as_many_parts_as_asked_for),
        cmocka_unit_test(full_ring_refuses_and_recovers),
        cmocka_unit_test(cookies_come_back_once_in_any_order),
        cmocka_unit_test(every_kick_decision_is_that_of_the_specification),
        cmocka_unit_test(kick_is_sent_right_over_the_wrap),
        cmocka_unit_test(kick_is_not_lost_65536_buffers_after_the_last),
        cmocka_unit_test(flags_suppress_kicks),
        cmocka_unit_test(wanted_is_what_the_device_asks_for),
        cmocka_unit_test(only_the_agreed_way_of_suppression_counts),
        cmocka_unit_test(length_of_what_the_device_only_reads_is_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

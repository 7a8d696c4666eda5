/* SPDX-License-Identifier: BSD-2-Clause */
/* IN_ORDER (virtio 1.3 §2.7.9, §2.8.8) on both rings: one used entry for a batch of buffers. */
#include "fake_vq.h"

enum { BATCH_MAX = 16 };

static const unsigned rings[] = {3, CARD_PACKED};
static const uint64_t IN_ORDER = (uint64_t)1 << VIRTIO_F_IN_ORDER;
static const uint64_t INDIRECT = (uint64_t)1 << VIRTIO_F_INDIRECT_DESC;
static const uint64_t EVENT = (uint64_t)1 << VIRTIO_F_EVENT_IDX;

/*
 * The device takes this many chains. Returns the number of their descriptors; *last: the last one's
 * id.
 */
static unsigned take(unsigned buffers, uint16_t *last)
{
    struct fake_chain chain = {0};
    unsigned descriptors = 0;

    while (buffers-- > 0) {
        assert_true(fake_take(&card.dev, VQ, &chain));
        descriptors += chain.descriptors;
    }
    *last = chain.head;
    return descriptors;
}

/* Marks them used by a single entry with the last one's length. */
static void use_batch(unsigned buffers, uint32_t length)
{
    uint16_t last = 0;
    unsigned descriptors = take(buffers, &last);

    fake_push_batch(&card.dev, VQ, last, length, buffers, descriptors);
    fake_publish(&card.dev, VQ);
}

/*
 * Buffers of 1 to 3 parts in rings of several sizes, in batches of all sizes: each cookie comes
 * back in order. The last of a batch has the device's length, the others are full.
 */
static void batches_come_back_one_by_one_in_order(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 8; round++) {
        uint16_t size = round % 4 == 3 ? 8 : 32;
        unsigned parts[BATCH_MAX] = {0};
        uint64_t added = 0, got = 0, used = 0;

        vq_start(rings[round / 4], IN_ORDER | (round % 2 ? INDIRECT : 0), size, 2);
        while (got < 70000) {
            unsigned batch;
            uint32_t length;

            while (added - got < BATCH_MAX && vq_random(6) != 0) {
                unsigned count = round % 4 < 2 ? 1 + vq_random(3) : 1;

                if (vq_add(0, count, added + 1) != 0) {
                    break;
                }
                parts[added++ % BATCH_MAX] = count;
            }
            if (added == used) {
                continue;
            }
            batch = 1 + vq_random((unsigned)(added - used));
            length = vq_random(11);
            use_batch(batch, length);
            for (used += batch; got < used; got++) {
                unsigned count = parts[got % BATCH_MAX];
                uint32_t full = 0;

                while (count-- > 0) {
                    full += 10 + count;
                }
                assert_int_equal(vq_get(), got + 1);
                assert_int_equal(vq_length, got + 1 == used ? length : full);
            }
            assert_int_equal(vq_get(), 0);
        }
        assert_int_equal(vq.counters.buffers, got);
        assert_int_equal(vq.counters.bad_id + vq.counters.bad_index + vq.counters.bad_length, 0);
        vq_stop();
    }
}

/* The entries of a batch of 3 and a batch of 1 are at the specified positions. */
static void entries_lie_at_the_first_of_their_batch(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        vq_start(rings[r], IN_ORDER, 8, 0);
        for (unsigned i = 1; i <= 4; i++) {
            assert_int_equal(vq_add(2, 0, i), 0);
        }
        use_batch(3, 0);
        use_batch(1, 0);
        for (unsigned i = 1; i <= 4; i++) {
            assert_int_equal(vq_get(), i);
        }
        /* Split: 4 entries. Packed: 8 descriptors, i.e. one lap. */
        assert_int_equal(vq.used_idx, r == 0 ? 4 : 0);
        vq_stop();
    }
}

/*
 * The rest of a half taken batch is pending work, whatever the ring says. Each buffer taken frees
 * room.
 */
static void half_taken_batch_is_pending(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 4; r++) {
        vq_start(rings[r / 2], IN_ORDER | (r % 2 ? EVENT : 0), 4, 0);
        virtqueue_interrupts_off(&vq);
        for (unsigned i = 1; i <= 4; i++) {
            assert_int_equal(vq_add(1, 0, i), 0);
        }
        assert_int_equal(vq_add(1, 0, 5), VIRTIO_ERROR_FULL);
        use_batch(3, 0);
        assert_int_equal(vq_get(), 1);
        assert_true(virtqueue_interrupts_on(&vq, 1));
        assert_int_equal(vq_add(1, 0, 5), 0);
        assert_int_equal(vq_add(1, 0, 6), VIRTIO_ERROR_FULL);
        assert_int_equal(vq_get(), 2);
        assert_int_equal(vq_get(), 3);
        assert_false(virtqueue_interrupts_on(&vq, 1));
        use_batch(2, 0);
        assert_int_equal(card.dev.queue[VQ].interrupts, 1);
        assert_int_equal(vq_get(), 4);
        assert_int_equal(vq_get(), 5);
        vq_stop();
    }
}

/*
 * When an interrupt for several buffers is requested, a batch must not skip the descriptor that
 * interrupts.
 */
static void batches_do_not_leap_over_the_interrupt(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        for (unsigned batch = 1; batch <= 8; batch++) {
            vq_start(rings[r], IN_ORDER | EVENT, 8, 0);
            for (unsigned i = 1; i <= 8; i++) {
                assert_int_equal(vq_add(1, 0, i), 0);
            }
            assert_false(virtqueue_interrupts_on(&vq, 6));
            for (unsigned used = 0; used < 8; used += batch) {
                use_batch(8 - used < batch ? 8 - used : batch, 0);
            }
            assert_int_equal(card.dev.queue[VQ].interrupts, 1);
            vq_stop();
        }
    }
}

static void check_broken(unsigned bad_id, unsigned bad_index)
{
    assert_int_equal(vq_get(), 0);
    assert_int_equal(vq.counters.bad_id, bad_id);
    assert_int_equal(vq.counters.bad_index, bad_index);
    assert_true(vq.broken && fake_platform.lines > 0);
    assert_int_equal(vq_add(1, 0, 1), VIRTIO_ERROR_BROKEN);
    assert_false(virtqueue_interrupts_on(&vq, 1));
}

/*
 * With IN_ORDER a bad id leaves unknown how many buffers it covers: the queue stops and returns
 * all.
 */
static void bad_ids_stop_the_queue(void **state)
{
    static const uint16_t ids[] = {7, 8, 9, 255, 0xffff};

    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        for (unsigned n = 0; n < sizeof ids / sizeof ids[0]; n++) {
            unsigned back = 0;
            uint16_t last;

            vq_start(rings[r], IN_ORDER, 8, 0);
            for (unsigned i = 1; i <= 4; i++) {
                assert_int_equal(vq_add(1, 0, i), 0);
            }
            take(4, &last);
            fake_use(&card.dev, VQ, ids[n], 0);
            check_broken(1, 0);
            assert_int_equal(virtio_device_reset(&card.vp.dev), 0);
            while (virtqueue_detach(&vq) != NULL) {
                back++;
            }
            assert_int_equal(back, 4);
            vq_stop();
        }
    }
}

static void buffers_completed_twice_stop_the_queue(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        uint16_t last;

        vq_start(rings[r], IN_ORDER, 8, 0);
        for (unsigned i = 1; i <= 4; i++) {
            assert_int_equal(vq_add(1, 0, i), 0);
        }
        take(2, &last);
        fake_push_batch(&card.dev, VQ, last, 0, 2, 2);
        fake_push_batch(&card.dev, VQ, last, 0, 1, 1);
        fake_publish(&card.dev, VQ);
        assert_int_equal(vq_get(), 1);
        assert_int_equal(vq_get(), 2);
        check_broken(1, 0);
        vq_stop();
    }
}

/* In a split ring both the id and the index tell how many there are. */
static void id_beyond_the_used_index_stops_the_queue(void **state)
{
    uint16_t last;

    (void)state;
    vq_start(3, IN_ORDER, 8, 0);
    for (unsigned i = 1; i <= 4; i++) {
        assert_int_equal(vq_add(1, 0, i), 0);
    }
    take(4, &last);
    fake_push_batch(&card.dev, VQ, last, 0, 3, 0); /* the id of the fourth */
    fake_publish(&card.dev, VQ);
    check_broken(0, 1);
    vq_stop();
}

static void lengths_beyond_the_buffer_are_cut(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        vq_start(rings[r], IN_ORDER, 8, 0);
        assert_int_equal(vq_add(0, 1, 1), 0);
        assert_int_equal(vq_add(0, 2, 2), 0);
        use_batch(2, 22);
        assert_int_equal(vq_get(), 1);
        assert_int_equal(vq_length, 10);
        assert_int_equal(vq_get(), 2);
        assert_int_equal(vq_length, 21);
        assert_int_equal(vq.counters.bad_length, 1);
        vq_stop();
    }
}

/* The network device with such queues. */
static void frames_pass_in_order(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        card_create_as(rings[r], IN_ORDER | virtio_bit(VIRTIO_NET_F_MRG_RXBUF));
        assert_int_equal(card_open(), 0);
        for (unsigned n = 0; n < 2000; n++) {
            uint8_t *frame = card_frame(60, 0, (uint8_t)n);
            struct virtqueue_part part = {frame, 60};

            assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, frame), 0);
            assert_int_equal(fake_tx_run(&card.dev), 1);
            assert_true(fake_rx(&card.dev, frame, 60));
            assert_int_equal(virtio_net_poll(&card.net, 8), 1);
            assert_memory_equal(card.rx_data, frame, 60);
            assert_int_equal(card.sents, n + 1);
            card_free_frame(frame, 0);
        }
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_back_one_by_one_in_order),
        cmocka_unit_test(entries_lie_at_the_first_of_their_batch),
        cmocka_unit_test(half_taken_batch_is_pending),
        cmocka_unit_test(batches_do_not_leap_over_the_interrupt),
        cmocka_unit_test(bad_ids_stop_the_queue),
        cmocka_unit_test(buffers_completed_twice_stop_the_queue),
        cmocka_unit_test(id_beyond_the_used_index_stops_the_queue),
        cmocka_unit_test(lengths_beyond_the_buffer_are_cut),
        cmocka_unit_test(frames_pass_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

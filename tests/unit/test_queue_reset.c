/* SPDX-License-Identifier: BSD-2-Clause */
/* RING_RESET (virtio 1.3 §2.6.1), and NOTIFICATION_DATA (§2.9) in bytes. */
#include "fake_vq.h"

static const unsigned rings[] = {3, CARD_PACKED};
static const uint64_t RESET = (uint64_t)1 << VIRTIO_F_RING_RESET;
static const uint64_t DATA = (uint64_t)1 << VIRTIO_F_NOTIFICATION_DATA;
static const uint64_t EVENT = (uint64_t)1 << VIRTIO_F_EVENT_IDX;
static const uint64_t INDIRECT = (uint64_t)1 << VIRTIO_F_INDIRECT_DESC;
static const uint64_t IN_ORDER = (uint64_t)1 << VIRTIO_F_IN_ORDER;

static unsigned detach_all(void)
{
    unsigned back = 0;

    while (virtqueue_detach(&vq) != NULL) {
        back++;
    }
    return back;
}

/* Checks that the queue works: each cookie comes back. */
static void check_alive(unsigned rounds)
{
    for (unsigned i = 1; i <= rounds; i++) {
        fake_want_kick(&card.dev, VQ, true);
        assert_int_equal(vq_add(1 + i % 3, i % 2, i), 0);
        assert_true(virtqueue_kick(&vq));
        vq_take_and_use();
        assert_int_equal(vq_get(), i);
    }
    assert_int_equal(vq_get(), 0);
}

/*
 * Some buffers are used, some in flight, some not taken; then all of that again on the same ring.
 */
static void queue_lives_on_after_its_reset(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 8; round++) {
        uint64_t features = RESET |
                            (round % 4 == 1   ? EVENT
                             : round % 4 == 2 ? INDIRECT
                                              : 0) |
                            (round % 4 == 3 ? IN_ORDER : 0);

        vq_start(rings[round / 4], features, 16, 2);
        for (unsigned time = 0; time < 4; time++) {
            unsigned doorbells;

            check_alive(37);
            for (unsigned i = 1; i <= 5; i++) {
                assert_int_equal(vq_add(1 + i % 2, 0, i), 0);
            }
            vq_take_and_use();
            vq_take_and_use();
            assert_true(fake_take(&card.dev, VQ, &(struct fake_chain){0}));
            assert_int_equal(vq_get(), 1);
            card.dev.queue_reset_takes = time;
            assert_int_equal(virtqueue_reset(&vq), 0);

            /*
             * The queue is stopped, and no register is accessed. Buffers used before are still
             * returned.
             */
            doorbells = card.dev.queue[VQ].doorbells;
            assert_int_equal(vq_get(), 2);
            assert_int_equal(vq_get(), 0);
            assert_int_equal(vq_add(1, 0, 1), VIRTIO_ERROR_INVAL);
            assert_false(virtqueue_kick(&vq));
            assert_false(virtqueue_interrupts_on(&vq, 1));
            assert_int_equal(card.dev.queue[VQ].doorbells, doorbells);
            assert_int_equal(virtqueue_restart(&vq), VIRTIO_ERROR_INVAL);
            assert_int_equal(detach_all(), 3);

            assert_int_equal(virtqueue_restart(&vq), 0);
            assert_int_equal(card.dev.queue[VQ].driver_size, 16);
            assert_int_equal(virtqueue_has_room(&vq, 16), 1);
            assert_false(virtqueue_interrupts_on(&vq, 1));
        }
        check_alive(100);
        assert_int_equal(vq.counters.buffers, 4 * 39 + 100);
        assert_int_equal(vq.counters.bad_id + vq.counters.bad_index, 0);
        vq_stop();
    }
}

/* The rest of a half taken batch can be taken or detached. */
static void reset_keeps_a_batch(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        struct fake_chain chain;

        vq_start(rings[n % 2], RESET | IN_ORDER, 16, 0);
        for (unsigned i = 1; i <= 5; i++) {
            assert_int_equal(vq_add(1, 0, i), 0);
        }
        for (unsigned i = 0; i < 3; i++) {
            assert_true(fake_take(&card.dev, VQ, &chain));
        }
        fake_push_batch(&card.dev, VQ, chain.head, 0, 3, 3);
        fake_publish(&card.dev, VQ);
        assert_int_equal(vq_get(), 1);
        assert_int_equal(virtqueue_reset(&vq), 0);
        if (n / 2) {
            assert_int_equal(vq_get(), 2);
            assert_int_equal(vq_get(), 3);
            assert_int_equal(vq_get(), 0);
        }
        assert_int_equal(detach_all(), n / 2 ? 2 : 4);
        assert_int_equal(vq_get(), 0);
        assert_int_equal(vq.in_flight, 0);
        assert_int_equal(virtqueue_restart(&vq), 0);
        check_alive(20);
        vq_stop();
    }
}

/* A reset of the queue repairs it after the device broke it. */
static void broken_queue_is_mended(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 2; r++) {
        vq_start(rings[r], RESET, 16, 0);
        fake_use(&card.dev, VQ, 3, 0);
        assert_int_equal(vq_get(), 0);
        assert_true(vq.broken);
        assert_int_equal(virtqueue_reset(&vq), 0);
        assert_int_equal(detach_all(), 0);
        assert_int_equal(virtqueue_restart(&vq), 0);
        check_alive(40);
        vq_stop();
    }
}

/* §4.1.4.3.2: select, write 1; select, read until 0; then all registers, queue_enable last. */
static void registers_are_written_in_order(void **state)
{
    static const uint32_t expected[] = {22, 58, 22, 22, 24, 32, 36, 40, 44, 48, 52, 28};
    unsigned n = 0;

    (void)state;
    vq_start(3, RESET, 16, 0);
    fake_pci.tracing = true;
    assert_int_equal(virtqueue_reset(&vq), 0);
    assert_int_equal(virtqueue_restart(&vq), 0);
    for (unsigned i = 0; i < fake_pci.traced; i++) {
        const struct fake_access *access = &fake_pci.trace[i];

        if (access->write) {
            assert_true(n < sizeof expected / sizeof expected[0]);
            assert_int_equal(access->address % 0x1000, expected[n]);
            n++;
        }
    }
    assert_int_equal(n, sizeof expected / sizeof expected[0]);
    vq_stop();
}

static void queue_that_never_lets_go_is_an_error(void **state)
{
    (void)state;
    vq_start(3, RESET, 16, 0);
    assert_int_equal(vq_add(1, 0, 1), 0);
    card.dev.queue_reset_takes = UINT32_MAX;
    fake_platform.clock_step = 1000000;
    assert_int_equal(virtqueue_reset(&vq), VIRTIO_ERROR_IO);
    assert_in_range(fake_platform.clock_ns, 1000000000, 1010000000);
    assert_true(fake_platform.lines > 0);
    assert_int_equal(vq_add(1, 0, 1), VIRTIO_ERROR_INVAL);
    vq_stop();
}

static void reset_that_was_not_agreed_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        vq_start(i, 0, 16, 0);
        assert_int_equal(virtqueue_reset(&vq), VIRTIO_ERROR_UNSUPPORTED);
        check_alive(3); /* nothing has changed */
        vq_stop();
    }
}

/* The device's structure ends before queue_reset, so the driver does not accept the feature. */
static void register_out_of_reach_drops_the_feature(void **state)
{
    static const uint32_t lengths[] = {56, 58, 59, 60, 64};

    (void)state;
    for (unsigned n = 0; n < 5; n++) {
        card_create(FAKE_MODERN, RESET | virtio_bit(VIRTIO_F_NOTIF_CONFIG_DATA));
        card.dev.common_length = lengths[n];
        fake_pci_set(card.dev.function, FAKE_CAP_COMMON + 12u, 4, lengths[n]);
        assert_int_equal(card_open(), 0);
        assert_int_equal((card.dev.features & RESET) != 0, lengths[n] >= 60);
        assert_int_equal(virtio_has(card.dev.features, VIRTIO_F_NOTIF_CONFIG_DATA),
                         lengths[n] >= 58);
        card_close();
    }
}

/* After a reset of the whole device the queues can be restarted in their memory. */
static void restart_works_after_a_device_reset(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        struct virtio_device *dev = &card.vp.dev;
        unsigned allocations;

        vq_start(i, INDIRECT, 16, 2);
        check_alive(21);
        assert_int_equal(vq_add(2, 2, 1), 0);
        assert_int_equal(virtio_device_begin(dev), 0); /* resets the device */
        assert_int_equal(virtio_device_negotiate(dev, card.dev.offered), 0);
        assert_int_equal(detach_all(), 1);
        allocations = fake_platform.allocations;
        assert_int_equal(virtqueue_restart(&vq), 0);
        assert_int_equal(fake_platform.allocations, allocations);
        virtio_device_ready(dev);
        check_alive(40);
        vq_stop();
    }
}

/* §2.9: the queue's index, 15 bits of offset, and the wrap counter. */
static void doorbell_says_where_the_driver_is(void **state)
{
    (void)state;
    vq_start(3, DATA, 4, 0);
    for (unsigned n = 1; n < 66000; n++) { /* the split ring's index keeps counting */
        assert_int_equal(vq_add(1, 0, 1), 0);
        assert_true(virtqueue_kick(&vq));
        assert_int_equal(card.dev.queue[VQ].doorbell, (n & 0xffff) << 16 | VQ);
        vq_take_and_use();
        assert_int_equal(vq_get(), 1);
    }
    vq_stop();
    vq_start(CARD_PACKED, DATA, 3, 0);
    for (unsigned n = 1; n < 20; n++) {
        uint32_t offset = 2 * n % 3;
        uint32_t wrap = 2 * n / 3 % 2 == 0;

        assert_int_equal(vq_add(2, 0, 1), 0);
        assert_true(virtqueue_kick(&vq));
        assert_int_equal(card.dev.queue[VQ].doorbell, wrap << 31 | offset << 16 | VQ);
        vq_take_and_use();
        assert_int_equal(vq_get(), 1);
    }
    vq_stop();
}

/* The same as bytes of the register: four, little-endian, at this queue's address. */
static void doorbell_has_four_bytes(void **state)
{
    const struct fake_access *access;

    (void)state;
    vq_start(CARD_PACKED, DATA, 64, 0);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(vq_add(1, 0, 1), 0);
    }
    fake_pci.tracing = true;
    assert_true(virtqueue_kick(&vq));
    access = &fake_pci.trace[fake_pci.traced - 1];
    assert_true(access->write && access->space == FAKE_MEMORY);
    assert_int_equal(access->width, 4);
    assert_int_equal(access->value, 0x80050001);
    assert_int_equal(access->address & (FAKE_BAR_SIZE - 1), FAKE_NOTIFY + 3 * 12);
    vq_stop();
}

/*
 * §4.1.5.2.1: with NOTIF_CONFIG_DATA the value of a register replaces the queue's index. The fake
 * finds the queue by it. The value may change at a reset.
 */
static void doorbell_says_what_the_register_does(void **state)
{
    const uint64_t CONFIG_DATA = virtio_bit(VIRTIO_F_NOTIF_CONFIG_DATA);

    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        vq_start(rings[n / 2], CONFIG_DATA | (n % 2 ? DATA : 0), 4, 0);
        for (unsigned round = 0; round < 2; round++) {
            uint32_t expected = card.dev.queue[VQ].notif_data;

            assert_int_not_equal(expected, VQ);
            assert_int_equal(vq_add(1, 0, 1), 0);
            assert_true(virtqueue_kick(&vq));
            expected |= n % 2 ? (uint32_t)(n / 2 ? 0x8001 : 1) << 16 : 0;
            assert_int_equal(card.dev.queue[VQ].doorbell, expected);
            vq_take_and_use();
            assert_int_equal(vq_get(), 1);
            card.dev.queue[VQ].notif_data = 0x1234;
            assert_int_equal(virtio_device_begin(&card.vp.dev), 0);
            assert_int_equal(virtio_device_negotiate(&card.vp.dev, card.dev.offered), 0);
            assert_int_equal(virtqueue_restart(&vq), 0);
            virtio_device_ready(&card.vp.dev);
        }
        vq_stop();
    }
}

/* §4.1.4.4: the doorbell then needs four bytes. Queue 0's is at 7 * 12. */
static void doorbell_of_four_bytes_must_fit(void **state)
{
    (void)state;
    for (unsigned data = 0; data < 2; data++) {
        for (uint32_t length = 7 * 12 + 1; length <= 7 * 12 + 5; length++) {
            bool fits = length >= 7 * 12 + (data ? 4 : 2);

            card_create(FAKE_MODERN, data ? DATA : 0);
            fake_pci_set(card.dev.function, FAKE_CAP_NOTIFY + 12u, 4, length);
            assert_int_equal(card_open(), fits ? 0 : VIRTIO_ERROR_IO);
            if (fits) {
                card_close();
            }
        }
    }
}

/* Later values of the register of a released queue are ignored. */
static void reset_that_has_ended_is_not_asked_for_again(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        vq_start(n ? CARD_PACKED : 3, virtio_bit(VIRTIO_F_RING_RESET), 16, 0);
        assert_int_equal(vq_add(1, 0, 1), 0);
        assert_int_equal(virtqueue_reset(&vq), 0);
        card.dev.queue[VQ].reset_left = 1;
        assert_true(virtqueue_reset_ended(&vq));
        card.dev.queue[VQ].reset_left = 0;
        assert_ptr_equal(virtqueue_detach(&vq), (void *)1);
        assert_int_equal(virtqueue_restart(&vq), 0);
        vq_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_lives_on_after_its_reset),
        cmocka_unit_test(reset_keeps_a_batch),
        cmocka_unit_test(broken_queue_is_mended),
        cmocka_unit_test(registers_are_written_in_order),
        cmocka_unit_test(queue_that_never_lets_go_is_an_error),
        cmocka_unit_test(reset_that_was_not_agreed_is_refused),
        cmocka_unit_test(register_out_of_reach_drops_the_feature),
        cmocka_unit_test(restart_works_after_a_device_reset),
        cmocka_unit_test(doorbell_says_where_the_driver_is),
        cmocka_unit_test(doorbell_has_four_bytes),
        cmocka_unit_test(doorbell_says_what_the_register_does),
        cmocka_unit_test(doorbell_of_four_bytes_must_fit),
        cmocka_unit_test(reset_that_has_ended_is_not_asked_for_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Notifications and interrupts of the packed ring: when each is due. */
#include "fake_vq.h"

#define EVENT_IDX ((uint64_t)1 << VIRTIO_F_EVENT_IDX)

/*
 * §2.8.10, §2.8.21.2: with DESC, a notification is due if the event's descriptor, in its lap, is
 * among those made available since the last notification. Tests event positions over a lap in both
 * directions.
 */
static void check_kicks(uint16_t size)
{
    uint64_t added = 0, kicked = 0, decisions[2] = {0};

    vq_start(CARD_PACKED, EVENT_IDX, size, 0);
    while (added < 20000) {
        unsigned batch = vq_random(5);
        uint16_t flags = (uint16_t)(vq_random(20) < 17 ? 2 : vq_random(3) == 2 ? 3 : vq_random(2));
        unsigned reach = vq_random(2) && size > 8 ? 8 : size;
        uint64_t event;
        bool wanted = flags != 1 && added != kicked;

        while (batch-- > 0) {
            unsigned parts = 1 + vq_random(3);

            if (vq_add(parts, 0, 1) == 0) {
                added += parts;
                wanted = flags != 1;
            }
        }
        event = added + vq_random(2 * reach);
        event = event < reach ? event : event - reach;
        fake_set_device_event(&card.dev, VQ, fake_place(&card.dev, VQ, event), flags);
        if (flags == 2) {
            wanted = event < added && event >= kicked && added - event <= size;
        }
        assert_int_equal(virtqueue_kick(&vq), wanted);
        kicked = wanted ? added : kicked;
        decisions[wanted]++;
        while (card.dev.queue[VQ].taken != added) {
            vq_take_and_use();
            assert_int_equal(vq_get(), 1);
        }
    }
    assert_true(decisions[0] > 1000 && decisions[1] > 1000);
    vq_stop();
}

static void every_kick_decision_is_that_of_the_specification(void **state)
{
    (void)state;
    check_kicks(3);
    check_kicks(16);
    check_kicks(100);
    check_kicks(300);
}

/*
 * Without EVENT_IDX the device cannot request a single descriptor (§2.8.10): the driver rather
 * notifies once too often.
 */
static void event_that_was_not_agreed_suppresses_nothing(void **state)
{
    (void)state;
    vq_start(CARD_PACKED, 0, 16, 0);
    fake_set_device_event(&card.dev, VQ, 0x8005, 2);
    assert_int_equal(vq_add(1, 0, 1), 0);
    assert_true(virtqueue_wanted(&vq));
    assert_true(virtqueue_kick(&vq));
    vq_stop();
}

/* If chains take several descriptors, the position of a later one depends on the device. */
static void interrupt_with_long_chains_is_for_the_next(void **state)
{
    (void)state;
    vq_start(CARD_PACKED, EVENT_IDX, 16, 0);
    for (unsigned n = 0; n < 100; n++) {
        unsigned before = card.dev.queue[VQ].interrupts;

        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(vq_add(1 + (n + i) % 3, 1, 1), 0);
        }
        assert_false(virtqueue_interrupts_on(&vq, 3));
        vq_take_and_use();
        assert_int_equal(card.dev.queue[VQ].interrupts, before + 1);
        assert_true(virtqueue_interrupts_on(&vq, 3));
        vq_take_and_use();
        vq_take_and_use();
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(vq_get(), 1);
        }
    }
    vq_stop();
}

/* `after` is limited to the ring's size. */
static void after_is_at_most_a_lap(void **state)
{
    (void)state;
    vq_start(CARD_PACKED, EVENT_IDX, 4, 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(vq_add(1, 0, 1), 0);
    }
    assert_false(virtqueue_interrupts_on(&vq, 1000));
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(card.dev.queue[VQ].interrupts, 0);
        vq_take_and_use();
    }
    assert_int_equal(card.dev.queue[VQ].interrupts, 1);
    assert_true(virtqueue_interrupts_on(&vq, 1000));
    assert_true(virtqueue_interrupts_on(&vq, 0));
    vq_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kick_decision_is_that_of_the_specification),
        cmocka_unit_test(event_that_was_not_agreed_suppresses_nothing),
        cmocka_unit_test(interrupt_with_long_chains_is_for_the_next),
        cmocka_unit_test(after_is_at_most_a_lap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

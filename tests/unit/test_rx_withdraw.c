/* SPDX-License-Identifier: BSD-2-Clause */
/* Receive buffers above the limit are withdrawn by a reset of their queue, over several passes. */
#include "fake_card.h"

enum { RX = VIRTIO_NET_QUEUE_RX, RINGS = 2 };

#define MS 1000000u /* ns */

static const unsigned rings[RINGS] = {3, CARD_PACKED};

/* A device with 256 buffers posted; the next pass will halve the limit. */
static void start(unsigned ring, uint64_t features)
{
    card_create_as(rings[ring],
                   features | virtio_bit(VIRTIO_F_RING_RESET) | virtio_bit(VIRTIO_NET_F_MAC));
    card.options.rx_initial = 2;
    card.options.rx_quiet_ms = 500;
    assert_int_equal(card_open(), 0);
    fake_platform.clock_ns = 1000 * MS;
    while (card.net.rx_limit < 256) {
        card_deliver_all();
        virtio_net_poll(&card.net, 1000);
    }
    virtio_net_poll(&card.net, 8);
    fake_platform.clock_ns += 500 * MS;
    assert_int_equal(card.net.rx_posted, 256);
}

static void check_receives(void)
{
    for (unsigned i = 0; i < 10; i++) {
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
    }
    assert_false(card.net.rx.stopped);
}

static unsigned resets(void)
{
    uint64_t queues[256];

    return card_events(FAKE_QUEUE_RESET, queues, 256);
}

/* No pass waits for the device: each checks once. */
static void slow_reset_is_waited_for_over_passes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RINGS; i++) {
        start(i, 0);
        card.dev.queue_reset_takes = 3;
        for (unsigned pass = 0; pass < 3; pass++) {
            virtio_net_poll(&card.net, 8);
            assert_int_equal(card.dev.queue[RX].reset_left, 2 - pass);
            assert_true(virtio_net_interrupts_on(&card.net, false));
            assert_int_equal(resets(), 1);
        }
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.net.rx_posted, 128);
        assert_true(i == 0 ? fake_avail_flags(&card.dev, RX) == VIRTQ_AVAIL_F_NO_INTERRUPT
                           : fake_driver_event_flags(&card.dev, RX) == RING_EVENT_FLAGS_DISABLE);
        assert_false(virtio_net_interrupts_on(&card.net, false));
        virtio_net_interrupts_off(&card.net);
        check_receives();
        assert_int_equal(resets(), 1);
        card_close();
    }
}

/* After a second this is logged once, and the device is reset instead. */
static void reset_that_takes_too_long_means_the_devices(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RINGS; i++) {
        unsigned lines;

        start(i, 0);
        lines = fake_platform.lines;
        card.dev.queue_reset_takes = UINT32_MAX;
        virtio_net_poll(&card.net, 8);
        fake_platform.clock_ns += 1000 * MS;
        virtio_net_poll(&card.net, 8);
        assert_int_equal(fake_platform.lines, lines);
        fake_platform.clock_ns += 1 * MS;
        virtio_net_poll(&card.net, 8);
        virtio_net_poll(&card.net, 8);
        assert_int_equal(fake_platform.lines, lines + 3); /* the reason, the reset, and its
                                                           * success */
        assert_int_equal(card.net.counters.recoveries, 1);
        assert_int_equal(resets(), 1);
        assert_true(card.net.rx_posted >= 2);
        check_receives();
        card_close();
    }
}

/* A transmitted frame may wait in the back end, and the reset must not happen then. */
static void queue_is_not_reset_while_frames_are_out(void **state)
{
    uint8_t *frame;

    (void)state;
    for (unsigned i = 0; i < RINGS; i++) {
        start(i, 0);
        frame = card_frame(60, 0, 1);
        assert_int_equal(
            virtio_net_transmit(&card.net, &(struct virtqueue_part){frame, 60}, 1, 0, NULL, frame),
            0);
        virtio_net_flush(&card.net);
        for (unsigned pass = 0; pass < 4; pass++) {
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 500 * MS;
        }
        assert_int_equal(resets(), 0);
        assert_true(card.net.rx_limit < 256);
        assert_int_equal(card.net.rx_posted, 256);
        assert_int_equal(fake_tx_run(&card.dev), 1);
        virtio_net_poll(&card.net, 8); /* it has come back: now it happens */
        assert_int_equal(resets(), 1);
        assert_int_equal(card.net.rx_posted, card.net.rx_limit);
        check_receives();
        card_free_frame(frame, 0);
        card_close();
    }
}

/* Frames used just before the reset are all received, within the budget, and counted. */
static void frames_before_the_reset_keep_to_the_budget(void **state)
{
    (void)state;
    for (unsigned n = 0; n < RINGS * 4; n++) {
        const uint64_t features[] = {0, virtio_bit(VIRTIO_F_EVENT_IDX),
                                     virtio_bit(VIRTIO_NET_F_MRG_RXBUF),
                                     virtio_bit(VIRTIO_F_IN_ORDER)};
        unsigned budget = n % 3 + 1;
        unsigned before;
        unsigned frames = 0;

        start(n / 4, features[n % 4]);
        fake_want_kick(&card.dev, RX, false);
        before = card.rx_frames;
        for (unsigned i = 0; i < 20; i++) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        }
        while (card.net.rx_posted > card.net.rx_limit || frames < 20) {
            unsigned taken = virtio_net_poll(&card.net, budget);

            assert_true(taken <= budget);
            frames += taken;
        }
        assert_int_equal(frames, 20);
        assert_int_equal(card.rx_frames, before + 20);
        assert_int_equal(resets(), 1);
        check_receives();
        card_close();
    }
}

/*
 * A queue that the device refuses to take again, even after its own reset: this is retried with
 * increasing delays.
 */
static void restart_that_fails_is_tried_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RINGS; i++) {
        uint16_t notify_off;
        unsigned lines;

        start(i, 0);
        notify_off = card.dev.queue[RX].notify_off;
        card.dev.queue[RX].notify_off = 0xfff0; /* outside of the structure */
        virtio_net_poll(&card.net, 8);
        virtio_net_poll(&card.net, 8);
        for (unsigned delay = 1000; delay <= 16000; delay *= 2) {
            assert_int_equal(card.net.recovery_delay_ms, delay);
            assert_false(virtio_net_interrupts_on(&card.net, false)); /* the loop may sleep */
            lines = fake_platform.lines;
            fake_platform.clock_ns += (uint64_t)delay * MS - 1;
            virtio_net_poll(&card.net, 8);
            assert_int_equal(fake_platform.lines, lines);
            fake_platform.clock_ns += 1;
            virtio_net_poll(&card.net, 8);
            assert_int_equal(fake_platform.lines, lines + 1);
        }
        card.dev.queue[RX].notify_off = notify_off;
        fake_platform.clock_ns += 32000ull * MS;
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.net.counters.recoveries, 1);
        check_receives();
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_reset_is_waited_for_over_passes),
        cmocka_unit_test(reset_that_takes_too_long_means_the_devices),
        cmocka_unit_test(queue_is_not_reset_while_frames_are_out),
        cmocka_unit_test(frames_before_the_reset_keep_to_the_budget),
        cmocka_unit_test(restart_that_fails_is_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

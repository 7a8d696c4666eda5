/* SPDX-License-Identifier: BSD-2-Clause */
/* Link changes: frames sent in between, and a queue that the device has miscounted. */
#include "fake_card.h"

enum { TX = VIRTIO_NET_QUEUE_TX, FRAMES = 5 };

#define MS 1000000u /* ns */

static uint8_t *frames[FRAMES];

static void start(unsigned ring, uint64_t features)
{
    card_create_as(ring, features | virtio_bit(VIRTIO_NET_F_STATUS));
    card.dev.link_status = VIRTIO_NET_S_LINK_UP;
    assert_int_equal(card_open(), 0);
    assert_true(card.net.link_up);
    fake_platform.clock_ns = 1000 * MS;
    for (unsigned i = 0; i < FRAMES; i++) {
        frames[i] = card_frame(60, 0, (uint8_t)i);
    }
}

static void stop(void)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        card_free_frame(frames[i], 0);
    }
    card_close();
}

static int send(unsigned i)
{
    return virtio_net_transmit(&card.net, &(struct virtqueue_part){frames[i], 60}, 1, 0, NULL,
                               frames[i]);
}

/* The device's state changes; the loop is told now, or not yet. */
static void set_link(bool up)
{
    card.dev.link_status = up ? VIRTIO_NET_S_LINK_UP : 0;
    fake_virtio_config_changed(&card.dev);
    assert_int_equal(card_interrupts(), 1);
}

static void change_link(bool up)
{
    set_link(up);
    virtio_net_poll(&card.net, 8);
}

/* Checks that a frame is sent and comes back. */
static void check_sends(void)
{
    unsigned sents = card.sents;

    assert_int_equal(send(0), 0);
    fake_want_kick(&card.dev, TX, true);
    virtio_net_flush(&card.net);
    assert_int_equal(fake_tx_run(&card.dev), 1);
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.sents, sents + 1);
}

static void no_frame_is_queued_while_the_link_is_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        start(i, 0);
        change_link(false);
        assert_false(card.link_up);
        assert_int_equal(send(0), VIRTIO_ERROR_DOWN);
        assert_int_equal(card.net.counters.tx_down, 1);
        assert_int_equal(fake_owned(&card.dev, TX), 0);
        change_link(true);
        assert_true(card.link_up);
        check_sends();
        stop();
    }
}

/*
 * Frames are in the ring when the link goes down: each comes back once, and later frames are sent.
 */
static void queue_lives_on_after_the_device_dropped_from_it(void **state)
{
    const uint64_t features[] = {0, virtio_bit(VIRTIO_F_EVENT_IDX), virtio_bit(VIRTIO_F_IN_ORDER)};

    (void)state;
    for (unsigned n = 0; n < 2 * 3 * FRAMES; n++) {
        bool packed = n % 2;
        unsigned count = n / 6 + 1;

        start(packed ? CARD_PACKED : 3, features[n / 2 % 3] | virtio_bit(VIRTIO_F_RING_RESET));
        for (unsigned flap = 1; flap <= 4; flap++) {
            unsigned sents = card.sents;

            for (unsigned i = 0; i < count; i++) {
                assert_int_equal(send(i), 0);
            }
            set_link(false);
            fake_tx_drop(&card.dev);
            virtio_net_poll(&card.net, 8);
            assert_false(card.link_up);
            change_link(true);
            if (packed && count > 1) { /* frames in flight may still be sent */
                assert_false(card.link_up);
                assert_int_equal(send(0), VIRTIO_ERROR_DOWN);
                assert_true(virtio_net_interrupts_on(&card.net, false));
                virtio_net_interrupts_off(&card.net);
                fake_platform.clock_ns += 100 * MS;
                virtio_net_poll(&card.net, 8);
            }
            assert_true(card.link_up);
            assert_int_equal(card.sents, sents + count);
            assert_int_equal(card.net.counters.tx_lost, packed ? flap * (count - 1) : 0);
            check_sends();
        }
        stop();
    }
}

/*
 * The link went down and up before anybody looked: a configuration change without a difference
 * means that.
 */
static void flap_that_nobody_saw_is_one_all_the_same(void **state)
{
    (void)state;
    start(CARD_PACKED, virtio_bit(VIRTIO_F_RING_RESET));
    assert_int_equal(send(0), 0);
    set_link(false);
    fake_tx_drop(&card.dev);
    change_link(true);
    assert_true(card.net.link_up);
    check_sends();
    stop();
}

/* A change caused by an announcement request is not a link change: the queue is not renewed. */
static void announcement_is_no_flap(void **state)
{
    uint64_t queues[8];

    (void)state;
    start(CARD_PACKED, virtio_bit(VIRTIO_F_RING_RESET) | virtio_bit(VIRTIO_NET_F_CTRL_VQ) |
                           virtio_bit(VIRTIO_NET_F_GUEST_ANNOUNCE));
    assert_int_equal(send(0), 0);
    card.dev.link_status = VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE;
    fake_virtio_config_changed(&card.dev);
    assert_int_equal(card_interrupts(), 1);
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.announces, 1);
    assert_int_equal(card_events(FAKE_QUEUE_RESET, queues, 8), 0);
    assert_true(card.net.link_up);
    assert_int_equal(fake_tx_run(&card.dev), 1);
    virtio_net_poll(&card.net, 8);
    check_sends();
    stop();
}

/* Frames that come back in time are waited for; the reset must not happen before. */
static void frames_that_are_out_come_back_before_the_reset(void **state)
{
    uint64_t queues[8];

    (void)state;
    start(CARD_PACKED, virtio_bit(VIRTIO_F_RING_RESET));
    assert_int_equal(send(0), 0);
    assert_int_equal(send(1), 0);
    change_link(false);
    change_link(true);
    assert_int_equal(card_events(FAKE_QUEUE_RESET, queues, 8), 0);
    assert_int_equal(fake_tx_run(&card.dev), 2);
    virtio_net_poll(&card.net, 8); /* reclaims them */
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card_events(FAKE_QUEUE_RESET, queues, 8), 1);
    assert_int_equal(card.net.counters.tx_lost, 0);
    assert_int_equal(fake_driver_event_flags(&card.dev, TX), RING_EVENT_FLAGS_DISABLE);
    assert_true(card.link_up);
    check_sends();
    stop();
}

/* No pass waits for a slow reset. After a second the device is reset instead. */
static void slow_reset_keeps_the_link_down(void **state)
{
    (void)state;
    start(CARD_PACKED, virtio_bit(VIRTIO_F_RING_RESET));
    change_link(false);
    card.dev.queue_reset_takes = UINT32_MAX;
    change_link(true);
    for (unsigned pass = 0; pass < 3; pass++) {
        assert_false(card.link_up);
        assert_true(virtio_net_interrupts_on(&card.net, false));
        virtio_net_interrupts_off(&card.net);
        assert_int_equal(send(0), VIRTIO_ERROR_DOWN);
        virtio_net_poll(&card.net, 8);
    }
    fake_platform.clock_ns += 1001 * MS;
    virtio_net_poll(&card.net, 8);
    assert_int_equal(send(0), VIRTIO_ERROR_DOWN);
    virtio_net_poll(&card.net, 8); /* after a device reset the queue's own reset does not matter */
    assert_int_equal(card.net.counters.recoveries, 1);
    assert_true(card.link_up);
    fake_interrupt(&card.dev, VIRTIO_ISR_CONFIG, 0); /* without a change nothing is repaired */
    assert_int_equal(card_interrupts(), 1);
    virtio_net_poll(&card.net, 8);
    assert_true(card.link_up);
    check_sends();
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_frame_is_queued_while_the_link_is_down),
        cmocka_unit_test(queue_lives_on_after_the_device_dropped_from_it),
        cmocka_unit_test(flap_that_nobody_saw_is_one_all_the_same),
        cmocka_unit_test(announcement_is_no_flap),
        cmocka_unit_test(frames_that_are_out_come_back_before_the_reset),
        cmocka_unit_test(slow_reset_keeps_the_link_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

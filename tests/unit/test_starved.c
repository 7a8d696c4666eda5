/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A loop without a clock: it sleeps when virtio_net_interrupts_on() returns false, until an
 * interrupt. When receive buffers are missing, something must wake it for those that come back.
 */
#include "fake_card.h"

enum { RX = VIRTIO_NET_QUEUE_RX, TX = VIRTIO_NET_QUEUE_TX, FEW = 6 };

static void release(void *context, void *cookie)
{
    (void)context;
    virtio_net_release(&card.net, cookie);
}

/* The documented loop: polls while there is work. Returns the state in which it sleeps. */
static void run_until_asleep(void)
{
    for (unsigned pass = 0; pass < 100; pass++) {
        unsigned frames = virtio_net_poll(&card.net, 64);

        virtio_net_flush(&card.net);
        if (frames == 0 && !virtio_net_interrupts_on(&card.net, false)) {
            return;
        }
        virtio_net_interrupts_off(&card.net);
    }
    fail_msg("it does not come to rest");
}

/* All buffers are in the transmit ring. The device sends them, and nothing else happens. */
static void buffers_that_are_being_sent_wake_the_loop(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2 * CARD_RINGS; n++) {
        card_create_as(n / 2, n % 2 ? virtio_bit(VIRTIO_F_EVENT_IDX) : 0);
        card.options.rx_memory = FEW * 1700;
        card.client.receive = card_send_back;
        card.client.transmitted = release;
        assert_int_equal(card_open(), 0);
        for (unsigned round = 0; round < 20; round++) {
            assert_int_equal(card_deliver_all(), FEW);
            run_until_asleep();
            assert_int_equal(card.net.rx_posted, 0);
            assert_true(fake_tx_take(&card.dev)); /* a single one: the peer may wait for its
                                                   * answer */
            fake_use(&card.dev, TX, card.dev.tx_chain.head, 0);
            assert_true(card_interrupts() > 0);
            run_until_asleep();
            assert_int_equal(card_posted(), 1);
            assert_int_equal(fake_tx_run(&card.dev), FEW - 1);
            assert_true(card_interrupts() > 0);
            run_until_asleep();
            assert_int_equal(card_posted(), FEW);
        }
        card_close();
    }
}

/* Some buffers are posted, but a merged frame needs more: the device waits without interrupting. */
static void missing_buffers_wake_the_loop_though_some_are_posted(void **state)
{
    static uint8_t frame[60000];

    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        card_create_as(n ? CARD_PACKED : 3,
                       virtio_bit(VIRTIO_NET_F_MRG_RXBUF) | virtio_bit(VIRTIO_F_EVENT_IDX));
        card.options.rx_initial = 48;
        card.options.rx_maximum = 48;
        card.options.rx_memory = 48 * 1600;
        assert_int_equal(card_open(), 0);
        assert_int_equal(card_posted(), 48);
        card.client.receive = card_send_back;
        card.client.transmitted = release;
        for (unsigned i = 0; i < 20; i++) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        }
        run_until_asleep();
        assert_int_equal(card_posted(), 28);
        assert_false(fake_rx(&card.dev, frame, sizeof frame));
        assert_int_equal(fake_tx_run(&card.dev), 20);
        assert_true(card_interrupts() > 0);
        run_until_asleep();
        assert_int_equal(card_posted(), 48);
        card.client.receive = card_send_back;
        card_close();
    }
}

/* With the usual number of buffers posted, transmitted frames do not wake the loop. */
static void loop_sleeps_over_sent_frames_otherwise(void **state)
{
    uint8_t *frame;
    struct virtqueue_part part;

    (void)state;
    for (unsigned n = 0; n < 2 * CARD_RINGS; n++) {
        card_create_as(n / 2, n % 2 ? virtio_bit(VIRTIO_F_EVENT_IDX) : 0);
        assert_int_equal(card_open(), 0);
        frame = card_frame(60, 0, 1);
        part = (struct virtqueue_part){frame, 60};
        assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, frame), 0);
        run_until_asleep();
        assert_int_equal(fake_tx_run(&card.dev), 1);
        assert_int_equal(card_interrupts(), 0);
        card_free_frame(frame, 0);
        card_close();
    }
}

/* There is no memory for a single buffer: nothing would wake a sleeping loop. */
static void loop_looks_for_memory_while_there_is_no_buffer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, virtio_bit(VIRTIO_F_EVENT_IDX));
        assert_int_equal(card_attach(), 0);
        assert_int_equal(virtio_net_open(&card.net, &card.vp.dev, &card.options, &card.client), 0);
        fake_platform.fail_all = true;
        virtio_net_start(&card.net);
        assert_int_equal(card.net.rx_buffers, 0);
        for (unsigned pass = 0; pass < 3; pass++) {
            virtio_net_poll(&card.net, 8);
            assert_true(virtio_net_interrupts_on(&card.net, false));
        }
        fake_platform.fail_all = false;
        run_until_asleep();
        assert_int_equal(card_posted(), VIRTIO_NET_RX_INITIAL);
        card_close();
    }
}

/* Memory for a missing buffer has become available. */
static void who_is_about_to_sleep_looks_for_memory_first(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, 0);
        assert_int_equal(card_open(), 0);
        card.holds = true;
        fake_platform.fail_all = true;
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_int_equal(card_posted(), VIRTIO_NET_RX_INITIAL - 1);
        fake_platform.fail_all = false;
        assert_false(virtio_net_interrupts_on(&card.net, false));
        assert_int_equal(card_posted(), VIRTIO_NET_RX_INITIAL);
        card.holds = false;
        card_release_all();
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_that_are_being_sent_wake_the_loop),
        cmocka_unit_test(missing_buffers_wake_the_loop_though_some_are_posted),
        cmocka_unit_test(loop_sleeps_over_sent_frames_otherwise),
        cmocka_unit_test(loop_looks_for_memory_while_there_is_no_buffer),
        cmocka_unit_test(who_is_about_to_sleep_looks_for_memory_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

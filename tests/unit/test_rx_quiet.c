/* SPDX-License-Identifier: BSD-2-Clause */
/* The number of posted receive buffers falls when traffic is low, and only then. */
#include "fake_card.h"

enum { RX = VIRTIO_NET_QUEUE_RX };

#define MS 1000000u /* ns */

/* Raises the limit to its maximum and returns all buffers. */
static void grow(void)
{
    unsigned before;

    do {
        before = card.net.rx_limit;
        card_deliver_all();
        virtio_net_poll(&card.net, 1000);
    } while (card.net.rx_limit != before);
}

static void limit_comes_down_when_it_is_quiet(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        uint16_t maximum, limit;

        card_create_as(i, virtio_bit(VIRTIO_F_EVENT_IDX));
        card.options.rx_initial = 4;
        card.options.rx_quiet_ms = 500;
        assert_int_equal(card_open(), 0);
        fake_platform.clock_ns = 1000 * MS;
        grow();
        maximum = limit = card.net.rx_limit;
        assert_int_equal(card.net.rx_limit_peak, maximum);
        assert_true(maximum >= 128 && card.net.counters.rx_ups >= 5);
        virtio_net_poll(&card.net, 8); /* low traffic from here on */
        fake_platform.clock_ns += 500 * MS - 1;
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.net.rx_limit, maximum);
        fake_platform.clock_ns += 1;
        while (limit > 4) {
            virtio_net_poll(&card.net, 1000);
            limit = limit / 2 > 4 ? limit / 2 : 4;
            assert_int_equal(card.net.rx_limit, limit);
            assert_true(card.net.rx_kept_count <= limit);
            /*
             * Traffic up to a quarter of the limit does not prevent the reduction, and uses up the
             * excess buffers.
             */
            for (unsigned frames = limit / 4; frames > 0; frames--) {
                assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
            }
            fake_platform.clock_ns += 500 * MS;
        }
        assert_int_equal(card.net.counters.rx_downs, i < 2 ? 5 : 6);
        fake_platform.clock_ns += 5000 * MS;
        virtio_net_poll(&card.net, 8);
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.net.rx_limit, 4);
        assert_int_equal(card.net.rx_limit_peak, maximum);
        /* Used buffers are not posted again. */
        while (card_posted() > 4) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
            virtio_net_poll(&card.net, 8);
        }
        assert_true(card.net.rx_buffers <= 4 + 4);
        grow();
        assert_int_equal(card.net.rx_limit, maximum);
        card_close();
    }
}

/*
 * The device drops frames without a buffer and never asks for more: a burst of 32 frames must find
 * buffers, at the start and after any time of low traffic.
 */
static void burst_of_32_finds_buffers_after_any_quiet_time(void **state)
{
    const uint64_t features[] = {0, virtio_bit(VIRTIO_F_EVENT_IDX),
                                 virtio_bit(VIRTIO_NET_F_MRG_RXBUF),
                                 virtio_bit(VIRTIO_F_RING_RESET)};

    (void)state;
    for (unsigned n = 0; n < 4 * CARD_RINGS; n++) {
        unsigned kept = VIRTIO_NET_RX_INITIAL;

        card_create_as(n / 4, features[n % 4]);
        assert_int_equal(card_open(), 0);
        fake_platform.clock_ns = 1000 * MS;
        for (unsigned round = 0; round < 3; round++) {
            for (unsigned quiet = 0; quiet < 20; quiet++) {
                fake_want_kick(&card.dev, RX, false);
                virtio_net_poll(&card.net, 64);
                fake_platform.clock_ns += 1000 * MS;
                assert_true(card_posted() >= VIRTIO_NET_RX_INITIAL);
            }
            for (unsigned i = 0; i < 32; i++) {
                assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
            }
            assert_int_equal(virtio_net_poll(&card.net, 64), 32);
            grow();
        }
        for (unsigned quiet = 0; quiet < 20; quiet++) {
            fake_want_kick(&card.dev, RX, false);
            virtio_net_poll(&card.net, 64);
            fake_platform.clock_ns += 1000 * MS;
        }
        assert_true(card.net.rx_limit == kept ||
                    (n % 4 == 2 && card.net.rx_limit == VIRTIO_NET_RX_MERGED));
        card_close();
    }
}

/* With RING_RESET the excess buffers are withdrawn at once, without traffic. */
static void buffers_are_withdrawn_when_it_is_quiet(void **state)
{
    const uint64_t features[] = {
        virtio_bit(VIRTIO_F_EVENT_IDX) | virtio_bit(VIRTIO_F_RING_RESET),
        virtio_bit(VIRTIO_F_RING_PACKED) | virtio_bit(VIRTIO_F_RING_RESET),
    };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        card_create_as(3, features[i]);
        card.options.rx_initial = 2;
        assert_int_equal(card_open(), 0);
        fake_platform.clock_ns = 1000 * MS;
        grow();
        assert_int_equal(card.net.rx_posted, 256);
        for (unsigned second = 0; second < 9; second++) {
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 1000 * MS;
            assert_true(card.net.rx_posted <= card.net.rx_limit);
        }
        assert_int_equal(card.net.rx_posted, 2);
        assert_true(card.net.rx_buffers <= 4);
        /* The queue continues to work, also for the device. */
        assert_int_equal(card_deliver_all(), 2);
        assert_int_equal(virtio_net_poll(&card.net, 8), 2);
        grow();
        assert_int_equal(card.net.rx_posted, 256);
        card_close();
    }
}

static void load_keeps_the_limit_up(void **state)
{
    (void)state;
    card_create_as(3, virtio_bit(VIRTIO_F_EVENT_IDX));
    assert_int_equal(card_open(), 0);
    grow();
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i <= 256 / 4; i++) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        }
        virtio_net_poll(&card.net, 1000);
        virtio_net_poll(&card.net, 1000);
        fake_platform.clock_ns += 900 * MS;
    }
    assert_int_equal(card.net.rx_limit, 256);
    assert_int_equal(card.net.counters.rx_downs, 0);
    card_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_comes_down_when_it_is_quiet),
        cmocka_unit_test(burst_of_32_finds_buffers_after_any_quiet_time),
        cmocka_unit_test(buffers_are_withdrawn_when_it_is_quiet),
        cmocka_unit_test(load_keeps_the_limit_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

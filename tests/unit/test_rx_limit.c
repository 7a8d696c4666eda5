/* SPDX-License-Identifier: BSD-2-Clause */
/* The number of posted receive buffers: it rises under load, up to a maximum. */
#include "fake_card.h"

enum { RX = VIRTIO_NET_QUEUE_RX };

#define MS 1000000u /* ns */

/* The setting of the paper. */
static void buffers_begin_at_2_and_grow_to_the_maximum(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        unsigned maximum = i < 2 ? 128 : 256; /* a legacy device needs two of 256 descriptors for
                                               * each */
        unsigned last = 2;

        card_create_as(i, 0);
        card.options.rx_initial = 2;
        assert_int_equal(card_open(), 0);
        assert_int_equal(card_posted(), 2);
        for (unsigned round = 0; round < 30; round++) {
            unsigned frames = card_deliver_all();

            assert_int_equal(frames, last);
            assert_int_equal(virtio_net_poll(&card.net, 1000), frames);
            assert_true(card_posted() >= last && card_posted() <= maximum);
            last = card_posted();
        }
        assert_int_equal(last, maximum);
        assert_int_equal(card.net.rx_peak, maximum);
        card_close();
    }
}

static void buffers_do_not_grow_without_load(void **state)
{
    (void)state;
    card_create_as(3, 0);
    card.options.rx_initial = 8;
    assert_int_equal(card_open(), 0);
    for (unsigned round = 0; round < 1000; round++) {
        for (unsigned i = 0; i < 7; i++) { /* one fewer than posted */
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        }
        assert_int_equal(virtio_net_poll(&card.net, 1000), 7);
        assert_int_equal(card_posted(), 8);
    }
    card_close();
}

/*
 * The device drops frames without a buffer, and the client's polls take at most 64 frames. Several
 * polls in a row count as one burst.
 */
static void short_polls_count_a_burst_as_a_whole(void **state)
{
    (void)state;
    card_create_as(3, 0);
    assert_int_equal(card_open(), 0);
    for (unsigned round = 0; round < 30; round++) {
        card_deliver_all();
        while (virtio_net_poll(&card.net, 64) != 0) {
        }
    }
    assert_int_equal(card.net.rx_limit, 256);
    /* More than a quarter of the limit per second is not low traffic. */
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i <= 256 / 4; i++) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        }
        while (virtio_net_poll(&card.net, 64) != 0) {
        }
        fake_platform.clock_ns += 900 * MS;
    }
    assert_int_equal(card.net.rx_limit, 256);
    /* A poll that finds the ring empty ends the count. */
    for (unsigned round = 0; round < 10; round++) {
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        assert_int_equal(virtio_net_poll(&card.net, 64), 1);
        fake_platform.clock_ns += 2000 * MS;
    }
    assert_true(card.net.rx_limit < 64);
    card_close();
}

/* With one buffer, a release within receive() posts it again at once. It still counts as taken. */
static void one_buffer_grows_like_others(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, 0);
        card.options.rx_initial = 1;
        assert_int_equal(card_open(), 0);
        for (unsigned limit = 1; limit < 128; limit *= 2) {
            assert_int_equal(card.net.rx_limit, limit);
            assert_int_equal(card_deliver_all(), limit);
            assert_int_equal(virtio_net_poll(&card.net, 1000), limit);
        }
        card_close();
    }
}

/*
 * Buffers posted during the handling of a frame do not change the count: a single frame that brings
 * memory back does not raise a limit of four.
 */
static void buffers_posted_meanwhile_do_not_count(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, 0);
        card.options.rx_initial = 4;
        card.holds = true;
        assert_int_equal(card_open(), 0);
        fake_platform.fail_all = true;
        for (unsigned taken = 0; taken < 3; taken++) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
            assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        }
        assert_int_equal(card.net.rx_posted, 1);
        fake_platform.fail_all = false;
        card.releases_all = true; /* all are released with the fourth frame */
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_int_equal(card.net.rx_limit, 4);
        assert_int_equal(card.net.rx_posted, 4);
        card_close();
    }
}

/* On a split ring an old event index appears valid again every 65,536 buffers. */
static void limit_stays_when_an_old_event_index_comes_by(void **state)
{
    (void)state;
    card_create_as(3, virtio_bit(VIRTIO_F_EVENT_IDX) | virtio_bit(VIRTIO_NET_F_MRG_RXBUF));
    card.options.rx_initial = 8;
    assert_int_equal(card_open(), 0);
    for (unsigned buffers = 0; buffers < 5 * 0x10000; buffers += 7) {
        for (unsigned i = 0; i < 7; i++) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        }
        fake_set_avail_event(&card.dev, RX, 0);
        assert_int_equal(virtio_net_poll(&card.net, 1000), 7);
        assert_int_equal(card_posted(), 8);
    }
    card_close();
}

static void maximum_holds_whatever_is_asked_for(void **state)
{
    static const struct {
        uint16_t initial, maximum, queue, first, last;
    } cases[] = {
        {5, 16, 256, 5, 16},  {1, 1, 256, 1, 1},    {4, 16, 256, 4, 16},  {64, 16, 256, 16, 16},
        {0, 64, 256, 32, 64}, {0, 16, 256, 16, 16}, {500, 0, 64, 64, 64}, {3, 64, 16, 3, 16},
    };

    (void)state;
    /* A legacy device's ring must be larger to hold the maximum. */
    for (unsigned n = 0; n < 2 * sizeof cases / sizeof cases[0]; n++) {
        unsigned i = n / 2;

        card_create_as(n % 2 ? 3 : 0,
                       virtio_bit(VIRTIO_NET_F_MRG_RXBUF) |
                           virtio_bit(VIRTIO_F_ANY_LAYOUT)); /* one descriptor each */
        card.options.rx_initial = cases[i].initial;
        card.options.rx_maximum = cases[i].maximum;
        card.dev.queue[RX].size = cases[i].queue;
        assert_int_equal(card_open(), 0);
        assert_int_equal(card_posted(), cases[i].first);
        for (unsigned round = 0; round < 20; round++) {
            assert_true(card_deliver_all() <= cases[i].last);
            virtio_net_poll(&card.net, 1000);
        }
        assert_int_equal(card_posted(), cases[i].last);
        card_close();
    }
}

/* If a device was receiving and asks for more buffers, it ran out, however few it used. */
static void shortage_raises_the_limit(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        bool asks = n & 1;
        bool event_idx = n & 2;

        card_create_as(3, event_idx ? virtio_bit(VIRTIO_F_EVENT_IDX) : 0);
        card.options.rx_initial = 16;
        assert_int_equal(card_open(), 0);
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        fake_want_kick(&card.dev, RX, false);
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_int_equal(card_posted(), 16);
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        if (asks && event_idx) {
            fake_set_avail_event(&card.dev, RX, fake_avail_idx(&card.dev, RX));
        } else if (asks) {
            fake_set_used_flags(&card.dev, RX, 0);
        }
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_int_equal(card_posted(), asks && event_idx ? 32 : 16);
        card_close();
    }
}

/*
 * Without the event index, the flags ask for notifications from the start. This must not look like
 * a permanent shortage.
 */
static void limit_rests_without_event_index(void **state)
{
    (void)state;
    card_create_as(3, virtio_bit(VIRTIO_NET_F_MRG_RXBUF));
    assert_int_equal(card_open(), 0);
    fake_platform.clock_ns = 1000 * MS;
    for (unsigned round = 0; round < 100; round++) {
        virtio_net_poll(&card.net, 8);
        fake_platform.clock_ns += 1000 * MS;
    }
    assert_int_equal(card.net.rx_limit, VIRTIO_NET_RX_MERGED);
    assert_true(card.net.counters.rx_ups < 10);
    assert_int_equal(card.net.counters.rx_downs, 0);
    card_close();
}

static void fixed_number_of_buffers_stays(void **state)
{
    (void)state;
    card_create_as(3, virtio_bit(VIRTIO_F_EVENT_IDX));
    card.options.rx_fixed = true;
    card.options.rx_maximum = 64;
    assert_int_equal(card_open(), 0);
    assert_int_equal(card_posted(), 64);
    for (unsigned round = 0; round < 20; round++) {
        card_deliver_all();
        virtio_net_poll(&card.net, 1000);
        assert_int_equal(card_posted(), 64);
        virtio_net_poll(&card.net, 8);
        fake_platform.clock_ns += 5000 * MS;
    }
    assert_int_equal(card.net.counters.rx_ups + card.net.counters.rx_downs, 0);
    assert_int_equal(card.net.rx_peak, 64);
    card_close();
}

/*
 * With fewer buffers than the largest frame needs, a device that merges buffers could wait forever.
 */
static void few_buffers_are_not_merged(void **state)
{
    (void)state;
    for (uint16_t maximum = VIRTIO_NET_RX_MERGED - 1; maximum <= VIRTIO_NET_RX_MERGED; maximum++) {
        bool enough = maximum == VIRTIO_NET_RX_MERGED;

        card_create_as(3, UINT64_MAX);
        card.options.rx_maximum = maximum;
        assert_int_equal(card_open(), 0);
        assert_int_equal(virtio_has(card.dev.features, VIRTIO_NET_F_MRG_RXBUF), enough);
        card_close();
    }
}

/* The same if the device's queue is too small. */
static void small_queue_is_not_merged(void **state)
{
    const struct {
        unsigned interface;
        uint64_t features;
        uint16_t size;
        bool enough;
    } cases[] = {
        {3, 0, 32, false},
        {3, 0, 64, true},
        {0, virtio_bit(VIRTIO_F_ANY_LAYOUT), 32, false},
        {0, virtio_bit(VIRTIO_F_ANY_LAYOUT), 64, true},
        {0, 0, 64, false}, /* two descriptors each */
        {0, 0, 128, true},
        {CARD_PACKED, 0, VIRTIO_NET_RX_MERGED - 1, false},
        {CARD_PACKED, 0, VIRTIO_NET_RX_MERGED, true},
    };

    (void)state;
    for (unsigned n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        card_create_as(cases[n].interface, cases[n].features | virtio_bit(VIRTIO_NET_F_MRG_RXBUF) |
                                               virtio_bit(VIRTIO_NET_F_GUEST_CSUM) |
                                               virtio_bit(VIRTIO_NET_F_GUEST_TSO4));
        card.dev.queue[RX].size = cases[n].size;
        assert_int_equal(card_open(), 0);
        assert_int_equal(virtio_has(card.dev.features, VIRTIO_NET_F_MRG_RXBUF), cases[n].enough);
        assert_int_equal(virtio_has(card.dev.features, VIRTIO_NET_F_GUEST_TSO4), cases[n].enough);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_begin_at_2_and_grow_to_the_maximum),
        cmocka_unit_test(buffers_do_not_grow_without_load),
        cmocka_unit_test(short_polls_count_a_burst_as_a_whole),
        cmocka_unit_test(one_buffer_grows_like_others),
        cmocka_unit_test(buffers_posted_meanwhile_do_not_count),
        cmocka_unit_test(limit_stays_when_an_old_event_index_comes_by),
        cmocka_unit_test(maximum_holds_whatever_is_asked_for),
        cmocka_unit_test(shortage_raises_the_limit),
        cmocka_unit_test(limit_rests_without_event_index),
        cmocka_unit_test(fixed_number_of_buffers_stays),
        cmocka_unit_test(few_buffers_are_not_merged),
        cmocka_unit_test(small_queue_is_not_merged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

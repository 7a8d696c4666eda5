/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device's memory and life: receive buffers, opening and closing, configuration. */
#include <string.h>

#include "fake_card.h"

enum { TX = VIRTIO_NET_QUEUE_TX, RX = VIRTIO_NET_QUEUE_RX };

#define MAC virtio_bit(VIRTIO_NET_F_MAC)
#define STATUS virtio_bit(VIRTIO_NET_F_STATUS)

/* Receive buffers that the device has. */
static unsigned posted(void)
{
    return fake_owned(&card.dev, RX);
}

/* Delivers until there are no buffers left; returns how many frames that were. */
static unsigned deliver_all(void)
{
    unsigned frames = 0;

    while (fake_rx(&card.dev, "fourteen bytes", 14)) {
        frames++;
    }
    return frames;
}

static void buffers_begin_at_2_and_grow_to_the_maximum(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        unsigned maximum = i < 2 ? 128 : 256; /* a legacy one takes two descriptors of 256 */
        unsigned last = 2;

        card_create_as(i, 0);
        assert_int_equal(card_open(), 0);
        assert_int_equal(posted(), 2);
        for (unsigned round = 0; round < 30; round++) {
            unsigned frames = deliver_all();

            assert_int_equal(frames, last);
            assert_int_equal(virtio_net_poll(&card.net, 1000), frames);
            assert_true(posted() >= last && posted() <= maximum);
            last = posted();
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
        for (unsigned i = 0; i < 7; i++) { /* one fewer than there are */
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        }
        assert_int_equal(virtio_net_poll(&card.net, 1000), 7);
        assert_int_equal(posted(), 8);
    }
    card_close();
}

static void maximum_holds_whatever_is_asked_for(void **state)
{
    static const struct {
        uint16_t initial, maximum, queue, first, last;
    } cases[] = {
        {5, 16, 256, 5, 16}, {1, 1, 256, 1, 1},    {4, 16, 256, 4, 16}, {64, 16, 256, 16, 16},
        {0, 32, 256, 2, 32}, {500, 0, 64, 64, 64}, {3, 64, 16, 3, 16},
    };

    (void)state;
    /* On a legacy device the ring does not hold the maximum: it is larger. */
    for (unsigned n = 0; n < 2 * sizeof cases / sizeof cases[0]; n++) {
        unsigned i = n / 2;

        card_create_as(n % 2 ? 3 : 0, virtio_bit(VIRTIO_NET_F_MRG_RXBUF));
        card.options.rx_initial = cases[i].initial;
        card.options.rx_maximum = cases[i].maximum;
        card.dev.queue[RX].size = cases[i].queue;
        assert_int_equal(card_open(), 0);
        assert_int_equal(posted(), cases[i].first);
        for (unsigned round = 0; round < 20; round++) {
            assert_true(deliver_all() <= cases[i].last);
            virtio_net_poll(&card.net, 1000);
        }
        assert_int_equal(posted(), cases[i].last);
        card_close();
    }
}

#define MS 1000000u

/* Raises the limit as far as it goes, and gives all buffers back. */
static void grow(void)
{
    unsigned before;

    do {
        before = card.net.rx_limit;
        deliver_all();
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
        virtio_net_poll(&card.net, 8); /* quiet from now on */
        fake_platform.clock_ns += 500 * MS - 1;
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.net.rx_limit, maximum);
        fake_platform.clock_ns += 1;
        while (limit > 4) {
            virtio_net_poll(&card.net, 1000);
            limit = limit / 2 > 4 ? limit / 2 : 4;
            assert_int_equal(card.net.rx_limit, limit);
            assert_true(card.net.rx_kept_count <= limit);
            /* Some traffic, up to a quarter of the limit, does not stop it; it uses up what is
             * posted too much. */
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
        /* What was posted is not posted again. */
        while (posted() > 4) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
            virtio_net_poll(&card.net, 8);
        }
        assert_true(card.net.rx_buffers <= 4 + 4);
        grow();
        assert_int_equal(card.net.rx_limit, maximum);
        card_close();
    }
}

/* With RING_RESET what is posted too much comes back at once, without a frame. */
static void buffers_are_withdrawn_when_it_is_quiet(void **state)
{
    const uint64_t features[] = {
        virtio_bit(VIRTIO_F_EVENT_IDX) | virtio_bit(VIRTIO_F_RING_RESET),
        virtio_bit(VIRTIO_F_RING_PACKED) | virtio_bit(VIRTIO_F_RING_RESET),
    };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        card_create_as(3, features[i]);
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
        /* It is the same queue as before, to the device too. */
        assert_int_equal(deliver_all(), 2);
        assert_int_equal(virtio_net_poll(&card.net, 8), 2);
        grow();
        assert_int_equal(card.net.rx_posted, 256);
        card_close();
    }
}

/* A device that was receiving and asks for more had run out, however few it had used. */
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
        assert_int_equal(posted(), 16);
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        if (asks && event_idx) {
            fake_set_avail_event(&card.dev, RX, fake_avail_idx(&card.dev, RX));
        } else if (asks) {
            fake_set_used_flags(&card.dev, RX, 0);
        }
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_int_equal(posted(), asks && event_idx ? 32 : 16);
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

/* Flags say "notify me" from the start; that must not look like a frame too large for ever. */
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
    assert_int_equal(posted(), 64);
    for (unsigned round = 0; round < 20; round++) {
        deliver_all();
        virtio_net_poll(&card.net, 1000);
        assert_int_equal(posted(), 64);
        virtio_net_poll(&card.net, 8);
        fake_platform.clock_ns += 5000 * MS;
    }
    assert_int_equal(card.net.counters.rx_ups + card.net.counters.rx_downs, 0);
    assert_int_equal(card.net.rx_peak, 64);
    card_close();
}

/* However much the client keeps, no more bytes exist; and what it gives back goes to work. */
static void memory_has_a_ceiling(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        uint32_t most;

        card_create_as(i, 0);
        card.options.rx_memory = 100000;
        assert_int_equal(card_open(), 0);
        most = 100000 / card.net.rx_buffer_size;
        assert_false(virtio_net_scarce(&card.net));
        card.holds = true;
        while (deliver_all() != 0) {
            virtio_net_poll(&card.net, 1000);
            assert_true(card.net.rx_buffers <= most);
            assert_int_equal(virtio_net_scarce(&card.net),
                             card.net.rx_buffers == most && posted() < most / 4);
        }
        assert_int_equal(card.net.rx_buffers, most);
        assert_int_equal(posted(), 0);
        assert_true(card.net.counters.rx_at_ceiling > 0);
        assert_true(virtio_net_scarce(&card.net));
        /* One that comes back is posted at once, without waiting for a poll. */
        fake_want_kick(&card.dev, RX, true);
        virtio_net_release(&card.net, card.held[--card.helds]);
        assert_int_equal(posted(), 1);
        card_release_all();
        card.holds = false;
        virtio_net_poll(&card.net, 8);
        assert_true(deliver_all() > 1);
        virtio_net_poll(&card.net, 1000);
        assert_true(card.net.rx_peak <= most);
        card_close();
    }
}

static void ceiling_below_one_buffer_is_refused(void **state)
{
    (void)state;
    card_create_as(3, 0);
    card.options.rx_memory = 100;
    assert_int_equal(card_open(), VIRTIO_ERROR_NOMEM);
    assert_true(strstr(fake_platform.log, "not one receive buffer") != NULL);
    assert_int_equal(fake_platform.live, 0);
}

static void budget_is_kept(void **state)
{
    (void)state;
    card_create_as(3, 0);
    card.options.rx_initial = 20;
    assert_int_equal(card_open(), 0);
    assert_int_equal(deliver_all(), 20);
    assert_int_equal(virtio_net_poll(&card.net, 0), 0);
    assert_int_equal(virtio_net_poll(&card.net, 7), 7);
    assert_int_equal(card.rx_frames, 7);
    assert_int_equal(virtio_net_poll(&card.net, 7), 7);
    assert_int_equal(virtio_net_poll(&card.net, 7), 6);
    assert_int_equal(virtio_net_poll(&card.net, 7), 0);
    card_close();
}

/* Buffers that the client keeps are replaced, and taken back when it is done. */
static void client_may_keep_buffers(void **state)
{
    unsigned allocations;

    (void)state;
    card_create_as(3, 0);
    card.options.rx_initial = card.options.rx_maximum = 16;
    assert_int_equal(card_open(), 0);
    card.holds = true;
    assert_int_equal(deliver_all(), 16);
    assert_int_equal(virtio_net_poll(&card.net, 100), 16);
    assert_int_equal(posted(), 16);
    for (unsigned i = 0; i < card.helds; i++) {
        for (unsigned j = 0; j < i; j++) {
            assert_ptr_not_equal(card.held[i], card.held[j]);
        }
    }
    card_release_all();
    card.holds = false;
    allocations = fake_platform.allocations;
    assert_int_equal(deliver_all(), 16);
    assert_int_equal(virtio_net_poll(&card.net, 100), 16);
    assert_int_equal(fake_platform.allocations, allocations);
    card_close();
}

static void starved_receiver_recovers_with_the_next_poll(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        unsigned doorbells;

        card_create_as(i, 0);
        assert_int_equal(card_open(), 0);
        fake_platform.fail_all = true;
        card.holds = true; /* and nothing comes back */
        assert_int_equal(deliver_all(), 2);
        assert_int_equal(virtio_net_poll(&card.net, 100), 2);
        assert_int_equal(posted(), 0);
        assert_true(card.net.counters.rx_no_memory > 0);
        fake_platform.fail_all = false;
        doorbells = card.dev.queue[RX].doorbells;
        fake_want_kick(&card.dev, RX, true);
        assert_int_equal(virtio_net_poll(&card.net, 100), 0);
        assert_true(posted() >= 2);
        assert_int_equal(card.dev.queue[RX].doorbells, doorbells + 1); /* and the device knows */
        assert_true(deliver_all() >= 2);
        assert_true(virtio_net_poll(&card.net, 100) >= 2);
        card_close();
    }
}

/* Every allocation in turn finds no memory. What is not needed at once may be missing. */
static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        unsigned opened = 0;

        for (unsigned nth = 1; opened < 3; nth++) {
            int error;

            assert_true(nth < 50);
            card_create_as(i, UINT64_MAX);
            assert_int_equal(card_attach(), 0);
            fake_platform.fail_nth = nth;
            error = card_open_net();
            if (error != 0) {
                assert_int_equal(opened, 0);
                assert_int_equal(error, VIRTIO_ERROR_NOMEM);
                assert_true(card.dev.status & VIRTIO_STATUS_FAILED);
                assert_false(card.dev.status & VIRTIO_STATUS_DRIVER_OK);
                assert_int_equal(fake_platform.live, 0);
                assert_true(fake_platform.lines > 0);
                continue;
            }
            opened++; /* a buffer was missing: the next poll makes up for it */
            virtio_net_poll(&card.net, 8);
            assert_int_equal(posted(), 2);
            card_close();
        }
    }
}

static void device_can_be_opened_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, UINT64_MAX);
        assert_int_equal(card_attach(), 0);
        for (unsigned round = 0; round < 5; round++) {
            assert_int_equal(card_open_net(), 0);
            assert_int_equal(deliver_all(), 2);
            assert_int_equal(virtio_net_poll(&card.net, 8), 2);
            card_close();
        }
    }
}

/* With fewer buffers than the largest frame takes, a device that merges could wait for ever. */
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

static void mac_address_is_the_devices(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, MAC);
        assert_int_equal(card_open(), 0);
        assert_memory_equal(card.net.mac, card.dev.mac, 6);
        card_close();
    }
}

/* Without the feature the field means nothing; a group's address is nobody's own. */
static void mac_address_is_made_up_where_there_is_none(void **state)
{
    static const uint8_t group[6] = {0x53, 0x54, 0, 1, 2, 3}, zero[6];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        card_create_as(3, i == 0 ? 0 : MAC);
        memcpy(card.dev.mac, i == 1 ? group : i == 2 ? zero : card.dev.mac, 6);
        fake_platform.clock_ns = 12345;
        assert_int_equal(card_open(), 0);
        assert_memory_not_equal(card.net.mac, card.dev.mac, 6);
        assert_int_equal(card.net.mac[0] & 3, 2); /* local, one station */
        card_close();
    }
}

static void mac_address_can_be_chosen(void **state)
{
    static const uint8_t mine[6] = {0x02, 1, 2, 3, 4, 5};

    (void)state;
    card_create_as(3, MAC);
    card.options.mac = mine;
    assert_int_equal(card_open(), 0);
    assert_memory_equal(card.net.mac, mine, 6);
    card_close();
}

static void link_follows_the_device(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, STATUS);
        card.dev.link_status = 0x0100; /* not the bit, in either byte order */
        assert_int_equal(card_open(), 0);
        assert_false(card.net.link_up);
        card.dev.link_status = VIRTIO_NET_S_LINK_UP;
        virtio_net_poll(&card.net, 1);
        assert_int_equal(card.links, 0); /* it was not told */
        fake_virtio_config_changed(&card.dev);
        assert_true(virtio_net_interrupt(&card.net));
        virtio_net_poll(&card.net, 1);
        assert_true(card.links == 1 && card.link_up);
        fake_virtio_config_changed(&card.dev); /* something else changed */
        assert_true(virtio_net_interrupt(&card.net));
        virtio_net_poll(&card.net, 1);
        assert_int_equal(card.links, 1);
        card_close();
        card_create_as(i, 0); /* without the feature it is always up */
        card.dev.link_status = 0;
        assert_int_equal(card_open(), 0);
        assert_true(card.net.link_up);
        card_close();
    }
}

static unsigned torn;

/* The address changes between its bytes, `torn` times. */
static void change_mac_within(struct fake_virtio *dev, unsigned offset)
{
    if (offset == 2 && torn > 0) {
        torn--;
        for (unsigned i = 0; i < 6; i++) {
            dev->mac[i] = (uint8_t)(dev->mac[i] ^ 0x44);
        }
        dev->generation++;
    }
}

static void torn_configuration_is_read_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        for (unsigned changes = 1; changes < 5; changes++) {
            card_create_as(i, MAC);
            torn = changes;
            card.dev.on_config_read = change_mac_within;
            assert_int_equal(card_open(), 0);
            assert_int_equal(torn, 0);
            assert_memory_equal(card.net.mac, card.dev.mac, 6);
            card_close();
        }
    }
}

static void configuration_that_never_holds_still_is_given_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, MAC);
        torn = UINT32_MAX;
        card.dev.on_config_read = change_mac_within;
        assert_int_equal(card_open(), VIRTIO_ERROR_IO);
        assert_true(card.dev.status & VIRTIO_STATUS_FAILED);
        assert_int_equal(fake_platform.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_begin_at_2_and_grow_to_the_maximum),
        cmocka_unit_test(buffers_do_not_grow_without_load),
        cmocka_unit_test(maximum_holds_whatever_is_asked_for),
        cmocka_unit_test(limit_comes_down_when_it_is_quiet),
        cmocka_unit_test(buffers_are_withdrawn_when_it_is_quiet),
        cmocka_unit_test(shortage_raises_the_limit),
        cmocka_unit_test(load_keeps_the_limit_up),
        cmocka_unit_test(limit_rests_without_event_index),
        cmocka_unit_test(fixed_number_of_buffers_stays),
        cmocka_unit_test(memory_has_a_ceiling),
        cmocka_unit_test(ceiling_below_one_buffer_is_refused),
        cmocka_unit_test(budget_is_kept),
        cmocka_unit_test(client_may_keep_buffers),
        cmocka_unit_test(starved_receiver_recovers_with_the_next_poll),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(few_buffers_are_not_merged),
        cmocka_unit_test(device_can_be_opened_again),
        cmocka_unit_test(mac_address_is_the_devices),
        cmocka_unit_test(mac_address_is_made_up_where_there_is_none),
        cmocka_unit_test(mac_address_can_be_chosen),
        cmocka_unit_test(link_follows_the_device),
        cmocka_unit_test(torn_configuration_is_read_again),
        cmocka_unit_test(configuration_that_never_holds_still_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

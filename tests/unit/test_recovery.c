/* SPDX-License-Identifier: BSD-2-Clause */
/* A device in trouble is reset and restored. Frames in flight come back once and are counted. */
#include <string.h>

#include "fake_card.h"

enum { RX = VIRTIO_NET_QUEUE_RX, TX = VIRTIO_NET_QUEUE_TX, OUT = 5, SENT = 2 };

#define MS 1000000u /* ns */
#define BIT(feature) ((uint64_t)1 << VIRTIO_NET_F_##feature)

static const uint64_t features = BIT(MAC) | BIT(STATUS) | BIT(CTRL_VQ) | BIT(CTRL_RX) |
                                 BIT(CTRL_VLAN) | BIT(CTRL_MAC_ADDR) | BIT(GUEST_CSUM) |
                                 BIT(CTRL_GUEST_OFFLOADS);
static uint8_t *frames[OUT];

static void start(unsigned ring, uint16_t vectors, uint64_t more)
{
    card_create_as(ring, features | more);
    card.vectors = vectors;
    if (vectors != 0) {
        fake_virtio_add_msix(&card.dev, 3);
    }
    card.dev.link_status = VIRTIO_NET_S_LINK_UP;
    assert_int_equal(card_open(), 0);
    fake_platform.clock_ns = 1000ull * MS;
    for (unsigned i = 0; i < OUT; i++) {
        frames[i] = card_frame(60, 0, (uint8_t)i);
    }
}

static void stop(void)
{
    for (unsigned i = 0; i < OUT; i++) {
        card_free_frame(frames[i], 0);
    }
    card_close();
}

static int send(unsigned i)
{
    return virtio_net_transmit(&card.net, &(struct virtqueue_part){frames[i], 60}, 1, 0, NULL,
                               frames[i]);
}

static void poll_until_well(void)
{
    for (unsigned pass = 0; pass < 10; pass++) {
        virtio_net_poll(&card.net, 8);
    }
    assert_int_equal(card.net.recovery, VIRTIO_NET_WELL);
}

/* Checks that frames pass in both directions, with interrupts. */
static void check_works(void)
{
    unsigned sents = card.sents;
    unsigned received = card.rx_frames;

    assert_true(card.net.link_up && (card.link_up || card.links == 0));
    assert_int_equal(send(0), 0);
    fake_want_kick(&card.dev, TX, true);
    virtio_net_flush(&card.net);
    assert_false(virtio_net_interrupts_on(&card.net, true));
    assert_true(card.dev.queue[TX].doorbells > 0);
    assert_int_equal(fake_tx_run(&card.dev), 1);
    assert_true(card_interrupts() > 0);
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.sents, sents + 1);
    assert_false(virtio_net_interrupts_on(&card.net, false));
    assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
    assert_true(card_interrupts() > 0);
    assert_int_equal(virtio_net_poll(&card.net, 8), 1);
    assert_int_equal(card.rx_frames, received + 1);
}

enum cause {
    ASKS,
    ASKS_UNHEARD,
    BREAKS_RX,
    BREAKS_TX,
    SENDS_NOTHING,
    PROGRAM_WANTS_IT,
    IS_SILENT,
    CAUSES
};

static void bring_about(enum cause cause)
{
    static const uint8_t group[1][6] = {{1, 0, 0x5e, 0, 0, 9}};

    switch (cause) {
    case ASKS: /* §2.1.2 */
        card.dev.status |= VIRTIO_STATUS_DEVICE_NEEDS_RESET;
        fake_virtio_config_changed(&card.dev);
        assert_true(card_interrupts() > 0);
        break;
    case ASKS_UNHEARD: /* the interrupt was lost: checked when frames do not come back */
        card.dev.status |= VIRTIO_STATUS_DEVICE_NEEDS_RESET;
        for (unsigned pass = 0; pass < 60; pass++) {
            assert_int_equal(card.net.counters.recoveries, 0);
            virtio_net_poll(&card.net, 8);
        }
        break;
    case BREAKS_RX:
        if (fake_packed(&card.dev)) {
            fake_push_batch(&card.dev, RX, 0x7777, 14, 1, 1);
            card.net.rx
                .free_count--; /* not only single descriptors: then the position of the next one
                                * is unknown */
        } else {
            card.dev.queue[RX].used_idx = (uint16_t)(card.dev.queue[RX].used_idx + 1000);
        }
        fake_show(&card.dev, RX);
        break;
    case BREAKS_TX:
        if (fake_packed(&card.dev)) {
            fake_push_batch(&card.dev, TX, 0x7777, 0, 1, 1);
            card.net.tx.free_count--;
        } else {
            card.dev.queue[TX].used_idx = (uint16_t)(card.dev.queue[TX].used_idx + 1000);
        }
        fake_show(&card.dev, TX);
        break;
    case SENDS_NOTHING:
        card.dev.ignores_commands = true;
        fake_platform.clock_step = MS / 10;
        for (unsigned pass = 0; pass < 256; pass++) {
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 40 * MS;
        }
        fake_platform.clock_step = 0;
        card.dev.ignores_commands = false;
        break;
    case PROGRAM_WANTS_IT:
        virtio_net_reset(&card.net);
        virtio_net_reset(&card.net); /* once */
        break;
    default:
        card.dev.ignores_commands = true;
        fake_platform.clock_step = MS;
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, group, 1), VIRTIO_ERROR_IO);
        fake_platform.clock_step = 0;
        fake_platform.clock_ns += 5001ull * MS;
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, group, 1), VIRTIO_ERROR_IO);
        card.dev.ignores_commands = false;
    }
}

static void device_goes_on_after_any_trouble(void **state)
{
    (void)state;
    for (unsigned n = 0; n < CAUSES * CARD_RINGS * 2; n++) {
        enum cause cause = n % CAUSES;
        unsigned ring = n / CAUSES % CARD_RINGS;
        uint16_t vectors = n / CAUSES / CARD_RINGS ? 3 : 0;

        if (ring < 2 && (cause == ASKS || cause == ASKS_UNHEARD)) {
            continue; /* a legacy device cannot ask */
        }
        start(ring, vectors, 0);
        check_works();
        card.sents = 0;
        for (unsigned i = 0; i < OUT; i++) {
            assert_int_equal(send(i), 0);
        }
        if (cause != BREAKS_TX && cause != SENDS_NOTHING && cause != ASKS_UNHEARD) {
            for (unsigned i = 0; i < SENT; i++) { /* not reported yet */
                assert_true(fake_tx_take(&card.dev));
                fake_push(&card.dev, TX, card.dev.tx_chain.head, 0);
            }
            fake_show(&card.dev, TX);
        } else {
            for (unsigned i = 0; i < SENT && cause != BREAKS_TX; i++) {
                assert_true(fake_tx_take(&card.dev));
            }
        }
        bring_about(cause);
        poll_until_well();
        assert_int_equal(card.net.counters.recoveries, 1);
        assert_int_equal(card.sents, OUT);
        for (unsigned i = 0; i < OUT; i++) { /* each one once */
            unsigned times = 0;

            for (unsigned k = 0; k < OUT; k++) {
                times += card.sent[k] == frames[i];
            }
            assert_int_equal(times, 1);
        }
        assert_in_range(card.net.counters.tx_lost, OUT - SENT, OUT);
        assert_int_equal(card.links, 2); /* one change to down, one to up */
        assert_true(card.net.rx_posted == card.net.rx_limit);
        assert_int_equal(card.vp.dev.vectors, vectors);
        check_works();
        stop();
    }
}

/*
 * Everything set by commands is set again, including what the client requested during the recovery.
 */
static void filters_are_set_again(void **state)
{
    static const uint8_t mac[6] = {2, 1, 2, 3, 4, 5};
    static const uint8_t table[3][6] = {{2, 9}, {1, 0, 0x5e, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}};

    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        assert_int_equal(virtio_net_set_mac(&card.net, mac), 0);
        assert_int_equal(virtio_net_set_rx_mode(&card.net, VIRTIO_NET_RX_ALLMULTI), 0);
        assert_int_equal(virtio_net_set_mac_table(&card.net, table, 1, table + 1, 2), 0);
        assert_int_equal(virtio_net_set_vlan(&card.net, 0, true), 0);
        assert_int_equal(virtio_net_set_vlan(&card.net, 5, true), 0);
        assert_int_equal(virtio_net_set_vlan(&card.net, 6, true), 0);
        assert_int_equal(virtio_net_set_vlan(&card.net, 5, false), 0);
        assert_int_equal(virtio_net_set_guest_offloads(&card.net, BIT(GUEST_CSUM)), 0);
        bring_about(BREAKS_RX);
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.net.recovery, VIRTIO_NET_WAITS);
        assert_int_equal(virtio_net_set_vlan(&card.net, 4094, true), VIRTIO_ERROR_IO);
        assert_int_equal(virtio_net_set_mac(&card.net, mac), VIRTIO_ERROR_IO);
        poll_until_well();
        assert_memory_equal(card.net.mac, mac, 6);
        assert_true(fake_hears(&card.dev, mac));
        assert_int_equal(card.dev.rx_mode, 2);
        assert_int_equal(card.dev.unicasts, 1);
        assert_int_equal(card.dev.multicasts, 2);
        assert_int_equal(card.dev.guest_offloads, BIT(GUEST_CSUM));
        check_works();
        stop();
    }
}

/*
 * After repeated trouble the driver waits longer and longer, up to a minute. After a minute without
 * trouble it starts anew.
 */
static void repeated_trouble_backs_off(void **state)
{
    unsigned expected = 0;

    (void)state;
    start(3, 0, 0);
    for (unsigned time = 0; time < 10; time++) {
        bring_about(BREAKS_RX);
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.net.recovery_delay_ms, expected);
        if (expected != 0) {
            assert_false(virtio_net_interrupts_on(&card.net, false)); /* the loop may sleep */
            fake_platform.clock_ns += (uint64_t)expected * MS - 1;
            virtio_net_poll(&card.net, 8);
            assert_int_equal(card.net.counters.recoveries, time);
            fake_platform.clock_ns += 1;
        }
        poll_until_well();
        assert_int_equal(card.net.counters.recoveries, time + 1);
        expected = expected == 0 ? 1000 : expected < 30000 ? 2 * expected : 60000;
        check_works();
    }
    fake_platform.clock_ns += 60000ull * MS;
    bring_about(BREAKS_RX);
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.net.recovery_delay_ms, 0);
    poll_until_well();
    stop();
}

/*
 * A reset that is slow or never ends, or a device that offers fewer features than before: no pass
 * waits, the driver retries, and closing still works.
 */
static void device_that_does_not_come_back_is_tried_again(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2 * CARD_RINGS; n++) {
        start(n / 2, 0, 0);
        for (unsigned i = 0; i < OUT; i++) {
            assert_int_equal(send(i), 0);
        }
        bring_about(BREAKS_RX);
        if (n % 2) {
            card.dev.reset_takes = UINT32_MAX;
        } else {
            card.dev.offered &= ~BIT(CTRL_VQ);
        }
        for (unsigned second = 0; second < 100; second++) {
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 1000ull * MS;
        }
        assert_int_equal(card.net.recovery, VIRTIO_NET_WAITS);
        assert_true(fake_platform.lines < 20);
        assert_int_equal(card.sents, n % 2 ? 0 : OUT); /* the device may still read them */
        assert_int_equal(send(0), VIRTIO_ERROR_DOWN);
        card.dev.reset_takes = card.dev.reset_left = 0;
        card.dev.offered |= BIT(CTRL_VQ);
        fake_platform.clock_ns += 60000ull * MS;
        poll_until_well();
        assert_int_equal(card.sents, OUT);
        check_works();
        stop();
    }
}

/*
 * A device that offers less is used with fewer features, which is reported. The remaining filters
 * are set again.
 */
static void fewer_features_are_agreed_to(void **state)
{
    static const uint8_t mac[6] = {2, 1, 2, 3, 4, 5};
    const uint64_t more = BIT(GUEST_HDRLEN) | virtio_bit(VIRTIO_F_ORDER_PLATFORM) |
                          virtio_bit(VIRTIO_F_NOTIF_CONFIG_DATA);
    const uint64_t gone = BIT(CTRL_VLAN) | BIT(GUEST_CSUM) | BIT(STATUS) | more;

    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, more);
        assert_int_equal(virtio_net_set_mac(&card.net, mac), 0);
        assert_int_equal(virtio_net_set_vlan(&card.net, 5, true), 0);
        assert_int_equal(virtio_net_set_guest_offloads(&card.net, BIT(GUEST_CSUM)), 0);
        card.dev.offered &= ~gone;
        bring_about(BREAKS_RX);
        poll_until_well();
        assert_int_equal(card.net.dev->features & gone, 0);
        assert_non_null(strstr(fake_platform.log, "does not offer guest_csum any more"));
        assert_non_null(strstr(fake_platform.log, "does not offer status any more"));
        assert_non_null(strstr(fake_platform.log, "does not offer ctrl_vlan any more"));
        assert_null(strstr(fake_platform.log, "filters"));
        assert_true(fake_hears(&card.dev, mac));
        assert_int_equal(card.dev.guest_offloads, 0);
        assert_int_equal(virtio_net_set_vlan(&card.net, 5, true), VIRTIO_ERROR_UNSUPPORTED);
        check_works();
        card.dev.offered |= gone; /* not negotiated again */
        fake_platform.clock_ns += 60001ull * MS;
        bring_about(BREAKS_TX);
        poll_until_well();
        assert_int_equal(card.net.dev->features & gone, 0);
        stop();
    }
}

/* Closing during a recovery loses nothing. */
static void device_in_trouble_can_be_closed(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        assert_int_equal(send(0), 0);
        bring_about(BREAKS_RX);
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.net.recovery, VIRTIO_NET_WAITS);
        stop();
        assert_int_equal(card.sents, 1);
    }
}

/*
 * A vector that is refused during the recovery causes another attempt, not a fallback to the line:
 * the line has no handler.
 */
static void refused_vector_means_another_try(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 3, 0);
        card.dev.refuses_vector = RX + 1;
        card.dev.refuses_but = -1;
        bring_about(BREAKS_RX);
        for (unsigned pass = 0; pass < 5; pass++) {
            virtio_net_poll(&card.net, 8);
        }
        assert_int_equal(card.net.recovery, VIRTIO_NET_WAITS);
        assert_int_equal(card.vp.dev.vectors, 3);
        card.dev.refuses_vector = -1;
        fake_platform.clock_ns += 60000ull * MS;
        poll_until_well();
        check_works();
        stop();
    }
}

/*
 * Traffic that completes in time is not trouble, however long it lasts; nor is a link that is down.
 */
static void slow_device_is_left_alone(void **state)
{
    (void)state;
    start(3, 0, 0);
    for (unsigned second = 0; second < 60; second++) {
        assert_int_equal(send(0), 0);
        for (unsigned pass = 0; pass < 400; pass++) {
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 10 * MS;
        }
        assert_int_equal(fake_tx_run(&card.dev), 1);
        virtio_net_poll(&card.net, 8);
    }
    assert_int_equal(send(0), 0);
    card.dev.link_status = 0;
    fake_virtio_config_changed(&card.dev);
    assert_int_equal(card_interrupts(), 1);
    for (unsigned pass = 0; pass < 4000; pass++) {
        virtio_net_poll(&card.net, 8);
        fake_platform.clock_ns += 10 * MS;
    }
    assert_int_equal(card.net.counters.recoveries, 0);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_goes_on_after_any_trouble),
        cmocka_unit_test(filters_are_set_again),
        cmocka_unit_test(repeated_trouble_backs_off),
        cmocka_unit_test(device_that_does_not_come_back_is_tried_again),
        cmocka_unit_test(fewer_features_are_agreed_to),
        cmocka_unit_test(device_in_trouble_can_be_closed),
        cmocka_unit_test(refused_vector_means_another_try),
        cmocka_unit_test(slow_device_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

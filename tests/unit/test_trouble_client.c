/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trouble in the middle of other activity: in the client's functions, with buffers held by the
 * client, during queue resets, with interrupts at any time.
 */
#include "trouble_card.h"

/* The client's functions do what is allowed during a recovery. */
static void busy_link(void *context, bool up)
{
    static const uint8_t group[1][6] = {{1, 0, 0x5e, 0, 0, 9}};
    int expected = up ? 0 : VIRTIO_ERROR_IO;

    (void)context;
    card.links++;
    card.link_up = up;
    assert_int_equal(virtio_net_close(&card.net), VIRTIO_ERROR_INVAL);
    assert_int_equal(virtio_net_poll(&card.net, 8), 0);
    assert_int_equal(send(), up ? 0 : VIRTIO_ERROR_DOWN);
    virtio_net_flush(&card.net);
    card_release_all();
    assert_int_equal(virtio_net_set_vlan(&card.net, 7, true), expected);
    assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, group, 1), expected);
    assert_int_equal(virtio_net_set_rx_mode(&card.net, VIRTIO_NET_RX_ALLMULTI), expected);
    assert_int_equal(virtio_net_set_mac(&card.net, (const uint8_t[6]){2, 0, 0, 0, 0, 7}), expected);
    assert_int_equal(virtio_net_set_guest_offloads(&card.net, 0), expected);
    (void)virtio_net_interrupts_on(&card.net, true);
    virtio_net_interrupts_off(&card.net);
    assert_true(virtio_net_has_room(&card.net, 1, 1, 0) == up);
}

static void busy_transmitted(void *context, void *cookie)
{
    (void)context;
    card.sent[card.sents++ % FAKE_COOKIES] = cookie;
    assert_int_equal(virtio_net_close(&card.net), VIRTIO_ERROR_INVAL);
    assert_int_equal(virtio_net_poll(&card.net, 8), 0);
    (void)send();
    virtio_net_flush(&card.net);
    card_release_all();
    (void)virtio_net_set_vlan(&card.net, 8, true);
}

static void client_may_do_anything(void **state)
{
    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * 3 * 2; n++) {
        unsigned ring = n % CARD_RINGS;
        static const uint16_t vectors[] = {0, 1, 3};

        start(ring, vectors[n / CARD_RINGS % 3],
              n / CARD_RINGS / 3 ? virtio_bit(VIRTIO_F_IN_ORDER) : 0);
        card.holds = true;
        for (unsigned i = 0; i < 20; i++) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        }
        polls(5);
        assert_int_equal(card.helds, 20);
        for (unsigned i = 0; i < 9; i++) {
            assert_int_equal(send(), 0);
        }
        card.client.link = busy_link;
        card.client.transmitted = busy_transmitted;
        break_queue(n & 1 ? RX : TX);
        polls(4);
        assert_int_equal(card.net.counters.recoveries, 1);
        assert_int_equal(card.sents, 9);
        assert_int_equal(card.links, 2);
        assert_int_equal(card.net.rx_posted, card.net.rx_limit);
        assert_int_equal(card.net.rx_buffers,
                         card.net.rx_posted + card.net.rx_kept_count + card.helds);
        card.client = usual;
        card.holds = false;
        fake_tx_run(&card.dev);
        polls(1);
        card_release_all();
        check_works();
        stop();
    }
}

/* Buffers that the client holds over the recovery, released during it or later. */
static void held_buffers_come_back_when_they_like(void **state)
{
    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * 3; n++) {
        unsigned ring = n % CARD_RINGS;
        unsigned held;

        start(ring, 0, 0);
        card.holds = true;
        held = card_deliver_all();
        polls(20);
        held = card.helds;
        assert_true(held >= 32);
        break_queue(RX);
        polls(1);
        assert_int_equal(card.net.recovery, VIRTIO_NET_WAITS);
        if (n / CARD_RINGS == 0) {
            card_release_all();
        }
        polls(1);
        if (n / CARD_RINGS == 1) {
            card_release_all();
        }
        polls(2);
        assert_int_equal(card.net.rx_posted, card.net.rx_limit);
        card.holds = false;
        check_works();
        card_release_all();
        check_works();
        assert_true(card.net.rx_kept_count <= card.net.rx_limit);
        assert_int_equal(card.net.rx_buffers,
                         (unsigned)card.net.rx_posted + card.net.rx_kept_count);
        stop();
    }
}

/* The client holds all memory: no buffer is posted until it releases some. */
static void recovery_without_a_buffer(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        prepare(ring, 0, 0);
        card.options.rx_memory = 40 * 2048;
        assert_int_equal(card_open(), 0);
        frame = card_frame(60, 0, 1);
        card.holds = true;
        for (unsigned turn = 0; turn < 5; turn++) {
            card_deliver_all();
            polls(20);
        }
        assert_int_equal(card.net.rx_posted, 0);
        break_queue(RX);
        polls(3);
        assert_int_equal(card.net.counters.recoveries, 1);
        assert_int_equal(card.net.rx_posted, 0);
        card.holds = false;
        card_release_all();
        assert_true(card.net.rx_posted != 0);
        check_works();
        stop();
    }
}

/* Closed at each stage of a recovery and opened again: no state is left. */
static void nothing_is_left_after_opening_again(void **state)
{
    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * 5 * 2; n++) {
        unsigned ring = n % CARD_RINGS;
        unsigned stage = n / CARD_RINGS % 5;

        start(ring, n / CARD_RINGS / 5 ? 3 : 0, 0);
        assert_int_equal(send(), 0);
        if (stage != 0) {
            break_queue(TX);
        }
        if (stage == 3) {
            card.dev.reset_takes = 1000;
        } else if (stage == 4) {
            card.dev.offered &= ~BIT(CTRL_VLAN);
        }
        polls(stage);
        assert_int_equal(virtio_net_close(&card.net), 0);
        assert_int_equal(card.sents, 1);
        assert_int_equal(fake_platform.live, 1);
        card.dev.reset_takes = 0;
        polls(3);
        assert_int_equal(send(), VIRTIO_ERROR_INVAL);
        assert_int_equal(card.dev.status, 0);
        assert_int_equal(card_open_net(), 0);
        polls(3);
        assert_int_equal(card.net.counters.recoveries, 0);
        assert_null(card.net.dev->trouble);
        check_works();
        stop();
    }
}

/* During a withdrawal of receive buffers, or a renewal of the transmit queue. */
static void queue_resets_are_given_up(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2 * 2; n++) {
        prepare(n % 2 ? CARD_PACKED : 3, 0, virtio_bit(VIRTIO_F_RING_RESET));
        card.options.rx_initial = 2;
        card.options.rx_quiet_ms = 500;
        assert_int_equal(card_open(), 0);
        frame = card_frame(60, 0, 1);
        for (unsigned turn = 0; turn < 10; turn++) {
            card_deliver_all();
            virtio_net_poll(&card.net, 512);
        }
        assert_int_equal(card.net.rx_posted, 256);
        card.dev.queue_reset_takes = 1000;
        if (n / 2 == 0) {
            for (unsigned pass = 0; pass < 10 && !card.net.rx.stopped; pass++) {
                polls(1);
                fake_platform.clock_ns += 200 * MS;
            }
            assert_true(card.net.rx.stopped);
        } else if (n % 2) {
            card.dev.link_status = 0;
            fake_virtio_config_changed(&card.dev);
            card_interrupts();
            polls(1);
            card.dev.link_status = VIRTIO_NET_S_LINK_UP;
            fake_virtio_config_changed(&card.dev);
            card_interrupts();
            polls(1);
            assert_true(card.net.tx_renewing && card.net.tx.stopped);
        }
        card.dev.status |= VIRTIO_STATUS_DEVICE_NEEDS_RESET;
        fake_virtio_config_changed(&card.dev);
        card_interrupts();
        polls(4);
        assert_int_equal(card.net.counters.recoveries, 1);
        assert_false(card.net.tx_renewing);
        card.dev.queue_reset_takes = 0;
        fake_platform.clock_ns += 2000ull * MS;
        polls(5);
        assert_int_equal(card.net.counters.recoveries, 1);
        check_works();
        stop();
    }
}

/* An interrupt at every access of the recovery. */
static bool within;
static unsigned storms;
static void storm(struct fake_virtio *dev)
{
    (void)dev;
    if (within || card.net.dev == NULL) {
        return;
    }
    within = true;
    storms++;
    if (card.vp.dev.vectors == 0) {
        (void)virtio_net_interrupt(&card.net);
        card.dev.isr = 3;
        (void)virtio_net_interrupt(&card.net);
    }
    for (uint16_t vector = 0; card.vp.dev.vectors != 0 && vector < 3; vector++) {
        virtio_net_interrupt_vector(&card.net, vector);
    }
    within = false;
}

static void interrupts_come_at_any_time(void **state)
{
    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * 3 * 2; n++) {
        static const uint16_t vectors[] = {0, 1, 3};
        unsigned ring = n % CARD_RINGS;

        if (n / CARD_RINGS / 3 && ring < 3) {
            continue;
        }
        prepare(ring, vectors[n / CARD_RINGS % 3], 0);
        if (n / CARD_RINGS / 3) {
            fake_virtio_add_window(&card.dev);
        }
        assert_int_equal(card_open(), 0);
        frame = card_frame(60, 0, 1);
        card.dev.on_status_read = storm;
        storms = 0;
        break_queue(RX);
        polls(5);
        card.dev.on_status_read = NULL;
        assert_true(storms > 3);
        assert_int_equal(card.net.counters.recoveries, 1);
        polls(1);
        assert_int_equal(card.links, 2);
        check_works();
        stop();
    }
}

/* A reset in the middle of an in-order batch. */
static void batches_end_with_the_reset(void **state)
{
    (void)state;
    for (unsigned ring = 3; ring < CARD_RINGS; ring++) {
        start(ring, 0, virtio_bit(VIRTIO_F_IN_ORDER));
        for (unsigned i = 0; i < 8; i++) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        }
        for (unsigned i = 0; i < 5; i++) {
            assert_int_equal(send(), 0);
        }
        virtio_net_poll(&card.net, 2);
        card.dev.status |= VIRTIO_STATUS_DEVICE_NEEDS_RESET;
        fake_virtio_config_changed(&card.dev);
        card_interrupts();
        virtio_net_poll(&card.net, 2);
        polls(3);
        assert_int_equal(card.sents, 5);
        assert_int_equal(card.net.rx_posted, card.net.rx_limit);
        check_works();
        stop();
    }
}

/* A second virtio_net_start() has no effect, even while the device is not live. */
static void starting_again_does_not_end_a_recovery(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        card.dev.reset_takes = 3;
        virtio_net_reset(&card.net);
        polls(1);
        assert_int_equal(card.net.recovery, VIRTIO_NET_WAITS);
        for (unsigned pass = 0; card.net.recovery != VIRTIO_NET_WELL; pass++) {
            assert_true(pass < 10);
            virtio_net_start(&card.net);
            assert_false(card.net.live);
            polls(1);
        }
        check_works();
        assert_int_equal(card.net.counters.recoveries, 1);
        stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_may_do_anything),
        cmocka_unit_test(held_buffers_come_back_when_they_like),
        cmocka_unit_test(recovery_without_a_buffer),
        cmocka_unit_test(nothing_is_left_after_opening_again),
        cmocka_unit_test(queue_resets_are_given_up),
        cmocka_unit_test(interrupts_come_at_any_time),
        cmocka_unit_test(batches_end_with_the_reset),
        cmocka_unit_test(starting_again_does_not_end_a_recovery),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

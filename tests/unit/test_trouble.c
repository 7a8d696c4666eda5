/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trouble at unusual times: before the device is live, between passes, repeatedly; and after
 * rejected commands.
 */
#include "trouble_card.h"

/* A client that sends in its link() callback. */
static void sends_in_link(void *context, bool up)
{
    (void)context;
    card.links++;
    card.link_up = up;
    assert_int_equal(send(), up ? 0 : VIRTIO_ERROR_DOWN);
    virtio_net_flush(&card.net);
}

/* Time counted before the reset does not count towards the next one. */
static void watchdog_begins_anew(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        card.client.link = sends_in_link;
        assert_int_equal(send(), 0);
        card.dev.ignores_commands = true;
        fake_platform.clock_step = MS / 10;
        for (unsigned pass = 0; card.net.recovery == VIRTIO_NET_WELL; pass++) {
            assert_true(pass < 1000);
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 40 * MS;
        }
        fake_platform.clock_step = 0;
        card.dev.ignores_commands = false;
        polls(1);
        assert_int_equal(card.net.counters.recoveries, 1);
        polls(200); /* the device has not reached the frame yet */
        assert_int_equal(card.net.recovery, VIRTIO_NET_WELL);
        assert_int_equal(fake_tx_run(&card.dev), 1);
        card.client = usual;
        check_works();
        assert_int_equal(card.net.counters.recoveries, 1);
        stop();
    }
}

/* The machine was stopped for a minute with a frame in flight: the device gets time to continue. */
static void machine_that_stood_still_is_no_trouble(void **state)
{
    (void)state;
    for (unsigned passes = 1; passes < 200; passes += 9) {
        start(3, 0, 0);
        assert_int_equal(send(), 0);
        polls(passes);
        fake_platform.clock_ns += 60000ull * MS;
        for (unsigned pass = 0; pass < 1000; pass++) {
            polls(1);
            fake_platform.clock_ns += MS / 10;
        }
        assert_int_equal(fake_tx_run(&card.dev), 1);
        check_works();
        assert_int_equal(card.net.counters.recoveries, 0);
        stop();
    }
}

/* A device may wait for a notification that it did not request: it gets one every five seconds. */
static void device_that_waits_for_a_notification_gets_one(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        unsigned before;

        start(ring, 0, 0);
        fake_want_kick(&card.dev, TX, false);
        before = card.dev.queue[TX].doorbells;
        assert_int_equal(send(), 0);
        virtio_net_flush(&card.net);
        assert_int_equal(card.dev.queue[TX].doorbells, before);
        for (unsigned pass = 0; pass < 400; pass++) { /* 16 s */
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 40 * MS;
        }
        assert_in_range(card.dev.queue[TX].doorbells, before + 2, before + 3);
        assert_int_equal(fake_tx_run(&card.dev), 1);
        assert_int_equal(card.net.counters.recoveries, 0);
        stop();
    }
}

/*
 * The device holds one frame back, forever or for `kept_ms`, and sends the later ones. Returns the
 * time until it was reset in ms; 0: not within a minute.
 */
static unsigned overtake(unsigned kept_ms)
{
    uint64_t begun = fake_platform.clock_ns;
    uint64_t kept_since = 0;
    uint16_t head = 0;

    while (fake_platform.clock_ns - begun < 60000ull * MS) {
        if (kept_since == 0) {
            assert_int_equal(send(), 0);
            assert_true(fake_tx_take(&card.dev));
            head = card.dev.tx_chain.head;
            kept_since = fake_platform.clock_ns;
        }
        assert_int_equal(send(), 0);
        assert_int_equal(fake_tx_run(&card.dev), 1);
        if (fake_platform.clock_ns - kept_since >= (uint64_t)kept_ms * MS) {
            fake_use(&card.dev, TX, head, 0);
            kept_since = 0;
        }
        polls(8);
        if (card.net.recovery != VIRTIO_NET_WELL || card.net.counters.recoveries != 0) {
            return (unsigned)((fake_platform.clock_ns - begun) / MS);
        }
        fake_platform.clock_ns += 20 * MS;
    }
    return 0;
}

static void frame_that_is_overtaken_means_a_reset(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        assert_in_range(overtake(UINT32_MAX), 5000, 11000);
        polls(2);
        assert_int_equal(card.net.counters.recoveries, 1);
        assert_int_equal(card.net.counters.tx_lost, 1);
        check_works();
        stop();
        start(ring, 0, 0);
        assert_int_equal(overtake(4000), 0);
        assert_int_equal(card.net.counters.recoveries, 0);
        stop();
    }
}

/* Makes the next used descriptor of a packed ring look unused, but not those after it. */
static void hide_a_completion(unsigned queue)
{
    const struct virtqueue *vq = queue == RX ? &card.net.rx : &card.net.tx;
    uint8_t *descriptor =
        fake_dma(card.dev.queue[queue].desc + 16 * (vq->used_idx & PVIRTQ_OFF), 16);

    descriptor[15] ^= 0x80; /* VIRTQ_DESC_F_USED */
}

static void missing_completion_means_a_reset(void **state)
{
    (void)state;
    for (unsigned queue = RX; queue <= TX; queue++) {
        start(CARD_PACKED, 0, 0);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(send(), 0);
            if (queue == RX) {
                assert_true(fake_rx(&card.dev, "some bytes of a frame", 22));
            }
        }
        assert_int_equal(fake_tx_run(&card.dev), 3);
        hide_a_completion(queue);
        for (unsigned pass = 0; pass < 500 && card.net.counters.recoveries == 0; pass++) {
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 40 * MS;
        }
        assert_int_equal(card.net.counters.recoveries, 1);
        assert_int_equal(card.sents, 3);
        check_works();
        stop();
        /*
         * It was only late, and was checked once in between: the device publishes a batch by its
         * first descriptor.
         */
        start(CARD_PACKED, 0, 0);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(send(), 0);
        }
        assert_int_equal(fake_tx_run(&card.dev), 3);
        hide_a_completion(TX);
        for (unsigned pass = 0; pass < 320; pass++) {
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 30 * MS;
        }
        hide_a_completion(TX);
        for (unsigned pass = 0; pass < 1000; pass++) {
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 40 * MS;
        }
        assert_int_equal(card.sents, 3);
        assert_int_equal(card.net.counters.recoveries, 0);
        stop();
    }
}

/* The network behind the device is blocked for ten minutes: the device is healthy, and receives. */
static void blocked_back_end_is_no_trouble(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        assert_int_equal(send(), 0);
        for (unsigned pass = 0; pass < 15000; pass++) {
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 40 * MS;
        }
        assert_int_equal(card.links, 0);
        assert_int_equal(fake_tx_run(&card.dev), 1);
        check_works();
        assert_int_equal(card.net.counters.recoveries, 0);
        stop();
    }
}

/* §2.1.2: a device that fails before DRIVER_OK does not interrupt for it. */
static unsigned reads_left;
static void breaks_before_driver_ok(struct fake_virtio *dev)
{
    if (dev->status & VIRTIO_STATUS_DRIVER && !(dev->status & VIRTIO_STATUS_DRIVER_OK) &&
        reads_left != 0 && --reads_left == 0) {
        dev->status |= VIRTIO_STATUS_DEVICE_NEEDS_RESET;
    }
}

static void device_that_breaks_before_it_is_live_is_reset(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2 * 2 * 4; n++) {
        unsigned ring = n % 2 ? CARD_PACKED : 3;
        uint16_t vectors = n / 2 % 2 ? 3 : 0;

        reads_left = n / 4 + 1;
        prepare(ring, vectors, 0);
        card.dev.on_status_read = breaks_before_driver_ok;
        assert_int_equal(card_open(), 0);
        frame = card_frame(60, 0, 1);
        polls(4);
        if (reads_left == 0) {
            assert_int_equal(card.net.counters.recoveries, 1);
        }
        fake_platform.clock_ns += 120000ull * MS;
        reads_left = 0;
        check_works();
        /* the same during the recovery */
        reads_left = n / 4 + 1;
        break_queue(RX);
        polls(3);
        if (reads_left == 0) {
            assert_true(virtio_net_interrupts_on(&card.net, false) ||
                        card.net.recovery == VIRTIO_NET_WAITS);
        }
        polls(3);
        fake_platform.clock_ns += 120000ull * MS;
        polls(4);
        assert_int_equal(card.dev.status & VIRTIO_STATUS_DEVICE_NEEDS_RESET, 0);
        check_works();
        stop();
    }
}

/* A rejected command does not undo accepted ones. */
static void refusals_do_not_stop_the_rest(void **state)
{
    static const uint8_t groups[2][6] = {{1, 0, 0x5e, 0, 0, 1}, {1, 0, 0x5e, 0, 0, 2}};

    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        card.dev.refuses_rx_modes = true;
        assert_int_equal(virtio_net_set_rx_mode(&card.net, VIRTIO_NET_RX_ALLMULTI),
                         VIRTIO_ERROR_REFUSED);
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, groups, 2), 0);
        assert_int_equal(virtio_net_set_vlan(&card.net, 5, true), 0);
        assert_int_equal(virtio_net_set_guest_offloads(&card.net, BIT(GUEST_CSUM)), 0);
        card.dev.refuses_commands = true;
        assert_int_equal(virtio_net_set_vlan(&card.net, 5, false), VIRTIO_ERROR_REFUSED);
        assert_int_equal(virtio_net_set_vlan(&card.net, 6, true), VIRTIO_ERROR_REFUSED);
        assert_int_equal(virtio_net_set_guest_offloads(&card.net, 0), VIRTIO_ERROR_REFUSED);
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, groups, 1),
                         VIRTIO_ERROR_REFUSED);
        card.dev.refuses_commands = false;
        break_queue(RX);
        polls(3);
        assert_int_equal(card.net.counters.recoveries, 1);
        assert_int_equal(card.dev.multicasts, 2);
        assert_int_equal(card.dev.vlans, 1);
        assert_int_equal(card.dev.guest_offloads, BIT(GUEST_CSUM));
        check_works();
        stop();
    }
    /* without CTRL_RX */
    prepare(3, 0, 0);
    card.dev.offered &= ~BIT(CTRL_RX);
    assert_int_equal(card_open(), 0);
    frame = card_frame(60, 0, 1);
    assert_int_equal(virtio_net_set_rx_mode(&card.net, VIRTIO_NET_RX_PROMISC),
                     VIRTIO_ERROR_UNSUPPORTED);
    if (virtio_has(card.net.dev->features, VIRTIO_NET_F_CTRL_VLAN)) {
        assert_int_equal(virtio_net_set_vlan(&card.net, 5, true), 0);
        break_queue(RX);
        polls(3);
        assert_int_equal(card.dev.vlans, 1);
    }
    stop();
}

/* Trouble detected outside of a pass keeps the loop from sleeping. */
static void trouble_between_passes_is_work(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        card.dev.ignores_commands = true;
        fake_platform.clock_step = MS;
        assert_int_equal(virtio_net_set_vlan(&card.net, 1, true), VIRTIO_ERROR_IO);
        fake_platform.clock_step = 0;
        fake_platform.clock_ns += 5001ull * MS;
        polls(1);
        assert_false(virtio_net_interrupts_on(&card.net, false));
        assert_int_equal(virtio_net_set_vlan(&card.net, 1, true), VIRTIO_ERROR_IO);
        card.dev.ignores_commands = false;
        assert_true(virtio_net_interrupts_on(&card.net, false));
        polls(3);
        assert_int_equal(card.net.counters.recoveries, 1);
        check_works();
        stop();
    }
    for (unsigned late = 0; late < 2 * CARD_PACKED; late++) { /* the control queue is broken */
        start(late / 2, 0, 0);
        card.dev.ignores_commands = true;
        fake_platform.clock_step = MS;
        if (late % 2) {
            assert_int_equal(virtio_net_set_vlan(&card.net, 1, true), VIRTIO_ERROR_IO);
        }
        card.dev.queue[VIRTIO_NET_QUEUE_CTRL].used_idx += 1000;
        fake_show(&card.dev, VIRTIO_NET_QUEUE_CTRL);
        polls(1);
        assert_int_equal(virtio_net_set_vlan(&card.net, 1, true), VIRTIO_ERROR_IO);
        assert_true(virtio_net_interrupts_on(&card.net, false));
        card.dev.ignores_commands = false;
        polls(3);
        assert_int_equal(card.net.counters.recoveries, 1);
        check_works();
        stop();
    }
}

/* The configuration changes constantly: the device may be broken. */
static void torn(struct fake_virtio *dev, unsigned offset)
{
    (void)offset;
    dev->generation++;
}

static void broken_device_may_change_without_end(void **state)
{
    (void)state;
    start(3, 0, 0);
    card.dev.on_config_read = torn;
    card.dev.status |= VIRTIO_STATUS_DEVICE_NEEDS_RESET;
    fake_virtio_config_changed(&card.dev);
    card_interrupts();
    polls(3);
    card.dev.on_config_read = NULL;
    assert_int_equal(card.net.counters.recoveries, 1);
    check_works();
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watchdog_begins_anew),
        cmocka_unit_test(device_that_waits_for_a_notification_gets_one),
        cmocka_unit_test(frame_that_is_overtaken_means_a_reset),
        cmocka_unit_test(missing_completion_means_a_reset),
        cmocka_unit_test(blocked_back_end_is_no_trouble),
        cmocka_unit_test(machine_that_stood_still_is_no_trouble),
        cmocka_unit_test(device_that_breaks_before_it_is_live_is_reset),
        cmocka_unit_test(refusals_do_not_stop_the_rest),
        cmocka_unit_test(trouble_between_passes_is_work),
        cmocka_unit_test(broken_device_may_change_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

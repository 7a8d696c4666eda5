/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts and notifications, including races: driver and device decide at the same time whether
 * the other one wants to be told.
 */
#include <string.h>

#include "fake_card.h"

enum { TX = VIRTIO_NET_QUEUE_TX, RX = VIRTIO_NET_QUEUE_RX };

static const uint64_t modes[] = {0, (uint64_t)1 << VIRTIO_F_EVENT_IDX};

static void open_card(unsigned interface, uint64_t features, bool weak)
{
    card_create_as(interface, features);
    fake_platform.weak_barrier = weak;
    assert_int_equal(card_open(), 0);
}

static uint8_t *send(void)
{
    uint8_t *frame = card_frame(60, 12, 0);
    struct virtqueue_part part = {frame, 60};

    assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 12, NULL, frame), 0);
    return frame;
}

/* Interrupts are disabled from the start, with both suppression methods and on both queues. */
static void polling_driver_gets_no_interrupts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * CARD_RINGS; i++) {
        open_card(i / 2, modes[i % 2], false);
        for (unsigned n = 0; n < 1000; n++) {
            uint8_t *frame = send();

            assert_int_equal(fake_tx_run(&card.dev), 1);
            assert_true(fake_rx(&card.dev, "frame", 5));
            assert_int_equal(virtio_net_poll(&card.net, 8), 1);
            card_free_frame(frame, 12);
            virtio_net_interrupts_off(&card.net);
        }
        assert_int_equal(card.dev.queue[TX].interrupts + card.dev.queue[RX].interrupts, 0);
        assert_int_equal(card.rx_frames, 1000);
        card_close();
    }
}

static void interrupts_on_asks_for_the_next_frame(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * CARD_RINGS; i++) {
        open_card(i / 2, modes[i % 2], false);
        assert_false(virtio_net_interrupts_on(&card.net, false));
        assert_true(fake_rx(&card.dev, "frame", 5));
        assert_int_equal(card.dev.queue[RX].interrupts, 1);
        assert_int_equal(card.dev.isr, VIRTIO_ISR_QUEUE);
        assert_true(virtio_net_interrupt(&card.net));
        assert_int_equal(card.dev.isr, 0);
        assert_true(fake_rx(&card.dev, "frame", 5)); /* the handler has disabled them */
        assert_int_equal(card.dev.queue[RX].interrupts, 1);
        assert_int_equal(virtio_net_poll(&card.net, 8), 2);
        assert_int_equal(card.net.counters.interrupts_spurious, 0);
        card_close();
    }
}

/*
 * A frame that arrived before interrupts were enabled causes none, so the function must report it.
 */
static void interrupts_on_reports_what_came_before(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * CARD_RINGS; i++) {
        open_card(i / 2, modes[i % 2], false);
        assert_true(fake_rx(&card.dev, "frame", 5));
        assert_true(virtio_net_interrupts_on(&card.net, false));
        assert_int_equal(card.dev.queue[RX].interrupts, 0);
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_false(virtio_net_interrupts_on(&card.net, false));
        fake_virtio_config_changed(&card.dev); /* a link change is work too */
        assert_true(virtio_net_interrupt(&card.net));
        assert_true(virtio_net_interrupts_on(&card.net, false));
        card_close();
    }
}

/* 8 frames in flight, 6 to be used: with the event index the sixth causes the interrupt. */
static void transmit_interrupt_comes_when_much_is_done(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * CARD_RINGS; i++) {
        bool event_idx = i % 2;
        uint8_t *frame[8];

        open_card(i / 2, modes[i % 2], false);
        for (unsigned n = 0; n < 8; n++) {
            frame[n] = send();
        }
        virtio_net_flush(&card.net);
        assert_false(virtio_net_interrupts_on(&card.net, true));
        for (unsigned n = 1; n <= 8; n++) {
            assert_true(fake_tx_take(&card.dev));
            fake_use(&card.dev, TX, card.dev.tx_chain.head, 0);
            assert_int_equal(card.dev.queue[TX].interrupts, event_idx ? n >= 6 : n);
        }
        assert_true(virtio_net_interrupts_on(&card.net, true)); /* all are used */
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.sents, 8);
        assert_false(virtio_net_interrupts_on(&card.net, true)); /* nothing to wait for */
        for (unsigned n = 0; n < 8; n++) {
            card_free_frame(frame[n], 12);
        }
        card_close();
    }
}

static void check_after(unsigned interface)
{
    struct virtqueue *tx = &card.net.tx;

    open_card(interface, modes[1], false);
    for (unsigned n = 0; n < 66000; n++) {
        unsigned flying = n > 65500 && n % 2 ? 3 : 1;
        unsigned before = card.dev.queue[TX].interrupts;
        uint8_t *frame[3];

        for (unsigned i = 0; i < flying; i++) {
            frame[i] = send();
        }
        assert_false(virtqueue_interrupts_on(tx, (uint16_t)flying));
        for (unsigned i = 0; i < flying; i++) {
            assert_int_equal(card.dev.queue[TX].interrupts, before);
            assert_true(fake_tx_take(&card.dev));
            fake_use(&card.dev, TX, card.dev.tx_chain.head, 0);
        }
        assert_int_equal(card.dev.queue[TX].interrupts, before + 1);
        assert_true(virtqueue_interrupts_on(tx, (uint16_t)flying));
        assert_false(virtqueue_interrupts_on(tx, (uint16_t)(flying + 1)));
        virtqueue_interrupts_off(tx);
        virtio_net_poll(&card.net, 1);
        for (unsigned i = 0; i < flying; i++) {
            card_free_frame(frame[i], 12);
        }
    }
    card_close();
}

static void after_counts_over_the_wrap(void **state)
{
    (void)state;
    check_after(3);
    check_after(CARD_PACKED);
}

static void shared_line_is_left_to_its_owner(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        open_card(i, 0, false);
        assert_false(virtio_net_interrupts_on(&card.net, false));
        assert_false(virtio_net_interrupt(&card.net)); /* another device's interrupt */
        assert_int_equal(card.net.counters.interrupts, 0);
        assert_true(fake_rx(&card.dev, "frame", 5)); /* our interrupts are still enabled */
        assert_int_equal(card.dev.queue[RX].interrupts, 1);
        card_close();
    }
}

/* §4.1.5.4: one read of the ISR status returns both bits. */
static void queue_and_configuration_bits_come_together(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        open_card(i, virtio_bit(VIRTIO_NET_F_STATUS), false);
        assert_false(virtio_net_interrupts_on(&card.net, false));
        assert_true(fake_rx(&card.dev, "frame", 5));
        card.dev.link_status = 0;
        fake_virtio_config_changed(&card.dev);
        assert_int_equal(card.dev.isr, VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG);
        assert_true(virtio_net_interrupt(&card.net));
        assert_int_equal(card.dev.isr_reads, 1);
        assert_true(card.net.interrupted && card.net.config_changed);
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_int_equal(card.links, 1);
        assert_false(card.link_up);
        card_close();
    }
}

static unsigned config_reads;

/* The status changes after the driver has read it (twice on the legacy interface). */
static void link_comes_back_behind_the_reader(struct fake_virtio *dev, unsigned offset)
{
    (void)offset;
    if (++config_reads == 2) {
        dev->link_status = VIRTIO_NET_S_LINK_UP;
        fake_virtio_config_changed(dev);
        assert_true(virtio_net_interrupt(&card.net));
    }
}

static void change_during_the_handling_of_another_is_not_lost(void **state)
{
    (void)state;
    open_card(0, virtio_bit(VIRTIO_NET_F_STATUS), false);
    card.dev.link_status = 0;
    fake_virtio_config_changed(&card.dev);
    assert_true(virtio_net_interrupt(&card.net));
    config_reads = 0;
    card.dev.on_config_read = link_comes_back_behind_the_reader;
    virtio_net_poll(&card.net, 8);
    assert_true(card.links == 1 && !card.link_up);
    assert_true(virtio_net_interrupts_on(&card.net, false));
    virtio_net_poll(&card.net, 8);
    assert_true(card.links == 2 && card.link_up);
    card_close();
}

static void interrupt_without_work_is_counted_as_spurious(void **state)
{
    (void)state;
    open_card(3, 0, false);
    card.dev.isr = VIRTIO_ISR_QUEUE;
    assert_true(virtio_net_interrupt(&card.net));
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.net.counters.interrupts_spurious, 1);
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.net.counters.interrupts_spurious, 1);
    card_close();
}

/*
 * Lost notifications. The driver publishes a buffer (store), then reads whether the device wants a
 * notification (load). The device requests a notification (store), then looks for buffers (load).
 * If the driver's barrier does not work, its load can be executed before its store becomes visible:
 * it reads the old "no notification", and the device does not see the buffer. Here the device's two
 * steps run between the two: it requests notifications from its position on and sees the old index.
 */
static void device_goes_to_sleep_on_a_stale_index(struct fake_virtio *dev)
{
    static bool inside;

    if (!inside && dev->status & VIRTIO_STATUS_DRIVER_OK && dev->queue[TX].enabled) {
        inside = true;
        fake_want_kick(dev, TX, true); /* it finds nothing, as it looks too early */
        inside = false;
    }
}

/* True if a frame is sent in spite of this race. */
static bool frame_gets_out(unsigned interface, uint64_t features, bool weak)
{
    unsigned doorbells;
    uint8_t *frame;

    open_card(interface, features, weak);
    fake_want_kick(&card.dev, TX, false); /* the device is running and wants no notifications */
    doorbells = card.dev.queue[TX].doorbells;
    card.dev.on_status_read = device_goes_to_sleep_on_a_stale_index;
    frame = send();
    virtio_net_flush(&card.net);
    device_goes_to_sleep_on_a_stale_index(&card.dev); /* the race happens here at the latest */
    card.dev.on_status_read = NULL;
    doorbells = card.dev.queue[TX].doorbells - doorbells;
    if (doorbells != 0) { /* only then does the device run */
        assert_int_equal(fake_tx_run(&card.dev), 1);
    }
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.sents, doorbells);
    card_free_frame(frame, 12);
    card_close(); /* returns the lost frame */
    assert_int_equal(card.sents, 1);
    return doorbells != 0;
}

static void weak_barrier_does_not_lose_kicks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * CARD_RINGS; i++) {
        assert_true(frame_gets_out(i / 2, modes[i % 2], true));
        assert_false(
            frame_gets_out(i / 2, modes[i % 2], false)); /* the model reproduces the loss */
    }
}

/* The fence costs one register read, and only when no notification would be sent. */
static void fence_is_paid_only_where_it_is_needed(void **state)
{
    (void)state;
    for (unsigned weak = 0; weak < 2; weak++) {
        for (unsigned i = 0; i < 4; i++) {
            bool wanted = i % 2;
            uint8_t *frame;

            open_card(i < 2 ? 3 : CARD_PACKED, 0, weak);
            fake_want_kick(&card.dev, TX, wanted);
            frame = send();
            fake_pci.tracing = true;
            virtio_net_flush(&card.net);
            assert_int_equal(fake_pci.traced, wanted || weak);
            card_free_frame(frame, 12);
            card_close();
        }
    }
}

/*
 * The same race before sleeping: the device uses a buffer and checks for a request while both
 * stores are still invisible.
 */
static void device_uses_without_seeing_the_request(struct fake_virtio *dev)
{
    struct fake_chain chain;

    dev->on_status_read = NULL;
    assert_true(fake_take(dev, RX, &chain));
    fake_scatter(&chain, "0123456789abcdef", 16);
    fake_push(dev, RX, chain.head, 16);
    fake_show(dev, RX);
}

static void weak_barrier_does_not_sleep_on_a_used_buffer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * CARD_RINGS; i++) {
        open_card(i / 2, modes[i % 2], true);
        card.dev.on_status_read = device_uses_without_seeing_the_request;
        assert_true(virtio_net_interrupts_on(&card.net, false));
        assert_null(card.dev.on_status_read);
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        card_close();
    }
}

/* The same position in the previous lap does not count. */
static void wish_of_the_lap_before_is_none(void **state)
{
    const struct virtqueue *tx = &card.net.tx;

    (void)state;
    card_create_as(CARD_PACKED, virtio_bit(VIRTIO_F_EVENT_IDX));
    assert_int_equal(card_open(), 0);
    fake_set_device_event(&card.dev, VIRTIO_NET_QUEUE_TX, tx->avail_idx, RING_EVENT_FLAGS_DESC);
    assert_true(virtqueue_wanted(tx));
    fake_set_device_event(&card.dev, VIRTIO_NET_QUEUE_TX, tx->avail_idx ^ PVIRTQ_WRAP,
                          RING_EVENT_FLAGS_DESC);
    assert_false(virtqueue_wanted(tx));
    card_close();
}

static void interrupt_meanwhile(struct fake_virtio *dev)
{
    dev->isr = VIRTIO_ISR_QUEUE;
    assert_true(virtio_net_interrupt(&card.net));
    assert_false(card.net.rx.interrupted || card.net.tx.interrupted);
}

/* A shared line interrupts while the device is being opened. */
static void interrupt_before_there_are_queues_is_survived(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, 0);
        assert_int_equal(card_attach(), 0);
        card.dev.on_status_read = interrupt_meanwhile;
        assert_int_equal(virtio_net_open(&card.net, &card.vp.dev, &card.options, &card.client), 0);
        card.dev.on_status_read = NULL;
        virtio_net_start(&card.net);
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polling_driver_gets_no_interrupts),
        cmocka_unit_test(interrupts_on_asks_for_the_next_frame),
        cmocka_unit_test(interrupts_on_reports_what_came_before),
        cmocka_unit_test(transmit_interrupt_comes_when_much_is_done),
        cmocka_unit_test(after_counts_over_the_wrap),
        cmocka_unit_test(shared_line_is_left_to_its_owner),
        cmocka_unit_test(queue_and_configuration_bits_come_together),
        cmocka_unit_test(change_during_the_handling_of_another_is_not_lost),
        cmocka_unit_test(interrupt_without_work_is_counted_as_spurious),
        cmocka_unit_test(weak_barrier_does_not_lose_kicks),
        cmocka_unit_test(fence_is_paid_only_where_it_is_needed),
        cmocka_unit_test(weak_barrier_does_not_sleep_on_a_used_buffer),
        cmocka_unit_test(wish_of_the_lap_before_is_none),
        cmocka_unit_test(interrupt_before_there_are_queues_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a later look finds: a notification that the device asked for without being seen, where a
 * barrier is weak (test_notify.c has the race itself); and a used id that the device repeats.
 */
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

static void poll(void)
{
    virtio_net_poll(&card.net, 8);
}

static void reclaim(void)
{
    (void)virtio_net_reclaim(&card.net);
}

static void enable_interrupts(void)
{
    (void)virtio_net_interrupts_on(&card.net, false);
}

/* Sends a frame while the device does not want to be notified; then it does. Returns the frame. */
static uint8_t *send_unseen(void)
{
    unsigned doorbells = card.dev.queue[TX].doorbells;
    uint8_t *frame;

    fake_want_kick(&card.dev, TX, false);
    frame = send();
    virtio_net_flush(&card.net);
    fake_want_kick(&card.dev, TX, true);
    assert_int_equal(card.dev.queue[TX].doorbells, doorbells);
    return frame;
}

static void polling_client_looks_again(void **state)
{
    static void (*const looks[])(void) = {poll, reclaim, enable_interrupts};

    (void)state;
    for (unsigned i = 0; i < 6 * CARD_RINGS; i++) {
        unsigned doorbells;
        uint8_t *frame;

        open_card(i / 6, modes[i / 3 % 2], true);
        poll();
        doorbells = card.dev.queue[TX].doorbells;
        frame = send_unseen();
        looks[i % 3]();
        assert_int_equal(card.dev.queue[TX].doorbells, doorbells + 1);
        assert_int_equal(card.net.tx.counters.kicks_saved, 1);
        assert_int_equal(fake_tx_run(&card.dev), 1);
        looks[i % 3](); /* nothing is left to be seen */
        assert_int_equal(card.dev.queue[TX].doorbells, doorbells + 1);
        poll();
        card_free_frame(frame, 12);
        card_close();
    }
}

/* The register is read only for a client that may sleep now. */
static void second_look_costs_a_polling_client_no_register(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * CARD_RINGS; i++) {
        bool polls = i % 2;
        uint8_t *frame;

        open_card(i / 2, 0, true);
        poll();
        if (!polls) {
            enable_interrupts();
        }
        fake_want_kick(&card.dev, TX, false);
        frame = send();
        fake_pci.tracing = true;
        fake_pci.traced = 0;
        virtio_net_flush(&card.net);
        assert_int_equal(fake_pci.traced, polls ? 0 : 1);
        fake_pci.tracing = false;
        assert_int_equal(fake_tx_run(&card.dev), 1);
        poll();
        card_free_frame(frame, 12);
        card_close();
    }
}

/* While a frame is with the device, its status is read once a millisecond, however short passes are. */
static void status_is_not_read_in_each_pass(void **state)
{
    unsigned reads;
    uint8_t *frame;

    (void)state;
    open_card(3, 0, false);
    frame = send();
    fake_pci.tracing = true;
    for (unsigned i = 0; i < 100000; i++) { /* of a microsecond: 100 ms */
        fake_platform.clock_ns += 1000;
        poll();
    }
    reads = fake_pci.traced;
    fake_pci.tracing = false;
    assert_in_range(reads, 50, 100);
    assert_int_equal(fake_tx_run(&card.dev), 1);
    poll();
    card_free_frame(frame, 12);
    card_close();
}

/*
 * The slots of a buffer rest as long as possible, so the second of two reports of one buffer does
 * not name another one that has been posted since.
 */
static void repeated_id_names_no_buffer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        struct fake_chain chain;

        open_card(i, 0, false);
        assert_true(card.net.rx.free_count > 0);
        assert_true(fake_take(&card.dev, RX, &chain));
        fake_scatter(&chain, "0123456789abcdef", 16);
        fake_use(&card.dev, RX, chain.head, 16);
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_int_equal(card.net.rx_posted, card.net.rx_limit);
        fake_use(&card.dev, RX, chain.head, 16);
        assert_int_equal(virtio_net_poll(&card.net, 8), 0);
        assert_int_equal(card.net.rx.counters.bad_id, 1);
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polling_client_looks_again),
        cmocka_unit_test(second_look_costs_a_polling_client_no_register),
        cmocka_unit_test(status_is_not_read_in_each_pass),
        cmocka_unit_test(repeated_id_names_no_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

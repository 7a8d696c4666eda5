/* SPDX-License-Identifier: BSD-2-Clause */
/* Combinations: events that are handled correctly one by one, while another one is in progress. */
#include <string.h>

#include "fake_card.h"

enum { RX = VIRTIO_NET_QUEUE_RX, TX = VIRTIO_NET_QUEUE_TX };

#define MS 1000000u /* ns */
#define BIT(name) virtio_bit(VIRTIO_NET_F_##name)

static uint8_t *frame;

static unsigned resets(void)
{
    uint64_t queues[256];

    return card_events(FAKE_QUEUE_RESET, queues, 256);
}

static void create(unsigned ring, uint64_t features)
{
    card_create_as(ring, features | BIT(STATUS) | virtio_bit(VIRTIO_F_RING_RESET));
    fake_platform.clock_ns = 1000 * MS;
}

static void start(void)
{
    assert_int_equal(card_open(), 0);
    frame = card_frame(60, 12, 1);
}

static void stop(void)
{
    card_free_frame(frame, 12);
    card_close();
}

static int send(void)
{
    return virtio_net_transmit(&card.net, &(struct virtqueue_part){frame, 60}, 1, 0, NULL, frame);
}

static void change_link(bool up)
{
    card.dev.link_status = up ? VIRTIO_NET_S_LINK_UP : 0;
    fake_virtio_config_changed(&card.dev);
    assert_int_equal(card_interrupts(), 1);
    virtio_net_poll(&card.net, 8);
}

static void receive_some(unsigned count)
{
    while (count-- > 0) {
        virtio_net_interrupts_on(&card.net, false);
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        assert_int_equal(card_interrupts(), 1);
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
    }
}

/*
 * An interrupt of a queue that shares the configuration's vector does not mean a configuration
 * change.
 */
static void shared_vector_does_not_renew_the_transmit_queue(void **state)
{
    (void)state;
    create(CARD_PACKED, 0);
    fake_virtio_add_msix(&card.dev, 1);
    card.vectors = 1;
    start();
    assert_int_equal(send(), 0);
    receive_some(5);
    assert_true(card.net.link_up);
    assert_int_equal(send(), 0);
    assert_int_equal(resets(), 0);
    assert_int_equal(fake_tx_run(&card.dev), 2);
    /* An unseen link flap does. */
    virtio_net_poll(&card.net, 8);
    card.dev.generation++;
    change_link(true);
    assert_int_equal(resets(), 1);
    stop();
}

/* The link goes down during the renewal of the transmit queue that began when it came up. */
static void link_that_goes_during_a_renewal_is_told(void **state)
{
    (void)state;
    create(CARD_PACKED, 0);
    start();
    assert_int_equal(send(), 0);
    change_link(true); /* an unseen link flap */
    assert_false(card.net.link_up);
    change_link(false);
    fake_platform.clock_ns += 200 * MS;
    virtio_net_poll(&card.net, 8);
    assert_int_equal(send(), VIRTIO_ERROR_DOWN);
    assert_true(card.links > 0);
    assert_false(card.link_up);
    change_link(true);
    assert_true(card.link_up);
    assert_int_equal(send(), 0);
    stop();
}

static int again;

static void send_again(void *context, void *cookie)
{
    (void)context, (void)cookie;
    again = send();
    card.sents++;
}

/* Frames that come back while the queue is renewed cannot be sent again yet. */
static void no_frame_is_queued_during_a_renewal(void **state)
{
    (void)state;
    create(CARD_PACKED, 0);
    card.client.transmitted = send_again;
    start();
    again = 1;
    assert_int_equal(send(), 0);
    change_link(false);
    change_link(true);
    fake_platform.clock_ns += 200 * MS;
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.sents, 1);
    assert_int_equal(again, VIRTIO_ERROR_DOWN);
    assert_true(card.link_up);
    /* The same if the renewal takes a single pass. */
    again = 1;
    assert_int_equal(send(), 0);
    assert_int_equal(fake_tx_run(&card.dev), 1);
    card.dev.generation++;
    change_link(true);
    assert_int_equal(card.sents, 2);
    assert_int_equal(again, VIRTIO_ERROR_DOWN);
    card.client.transmitted = send_again;
    stop();
}

/*
 * The device answers the first commands late, and filters from the start: what could not be sent is
 * sent before the next command.
 */
static void late_device_hears_our_address_in_the_end(void **state)
{
    static const uint8_t mine[6] = {2, 1, 2, 3, 4, 5};

    (void)state;
    for (unsigned n = 0; n < 2 * CARD_RINGS; n++) {
        card_create_as(n / 2, BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(MAC) | BIT(MQ) |
                                  (n % 2 ? BIT(CTRL_MAC_ADDR) : 0));
        card.dev.mac_is_fixed = true;
        card.options.mac = mine;
        card.dev.ignores_commands = true;
        fake_platform.clock_step = MS;
        assert_int_equal(card_open(), 0);
        card.dev.rx_mode = 0;
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, NULL, 0), VIRTIO_ERROR_IO);
        card.dev.ignores_commands = false;
        fake_ctrl_answer(&card.dev);
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, NULL, 0), 0);
        assert_true(fake_hears(&card.dev, mine));
        assert_int_equal(card.dev.rx_mode, n % 2 ? 0 : 1);
        card_close();
    }
}

static unsigned rounds;

static void no_more(void *context, void *cookie)
{
    (void)context, (void)cookie;
}

/* A device that transmits during the doorbell write, and a client that never stops sending. */
static void send_for_ever(void *context, void *cookie)
{
    (void)context, (void)cookie;
    assert_true(++rounds < 10000);
    assert_int_equal(send(), 0);
    virtio_net_flush(&card.net);
    fake_tx_run(&card.dev);
}

static void client_that_is_never_done_does_not_hold_a_pass(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, 0);
        card.client.transmitted = send_for_ever;
        start();
        rounds = 0;
        assert_int_equal(send(), 0);
        assert_int_equal(fake_tx_run(&card.dev), 1);
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_true(rounds > 0);
        assert_true(virtio_net_interrupts_on(&card.net, true));
        card.net.link_up = false; /* so that closing ends */
        card.client.transmitted = no_more;
        stop();
    }
}

/* Frames sent but not reclaimed are not counted as lost by closing. */
static void frames_that_were_sent_are_not_lost_by_closing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, 0);
        start();
        assert_int_equal(send(), 0);
        assert_int_equal(send(), 0);
        assert_int_equal(fake_tx_run(&card.dev), 2);
        assert_int_equal(send(), 0);
        stop();
        assert_int_equal(card.sents, 3);
        assert_int_equal(card.net.counters.tx_lost, 1);
    }
}

/* A device that was not opened or was closed cannot be started. */
static void start_needs_an_open_device(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 3 * CARD_RINGS; n++) {
        card_create_as(n / 3, 0);
        switch (n % 3) {
        case 0: /* closed */
            assert_int_equal(card_open(), 0);
            card_close();
            break;
        case 1: /* not opened */
            card.dev.queue[TX].size = 0;
            assert_int_equal(card_open(), VIRTIO_ERROR_IO);
            break;
        default: /* and whose queues remain the device's */
            card.dev.queue[TX].size = 0;
            card.dev.never_resets_queues = true;
            fake_platform.clock_step = MS;
            assert_int_equal(card_open(), VIRTIO_ERROR_IO);
        }
        virtio_net_start(&card.net);
        assert_int_equal(virtio_net_poll(&card.net, 8), 0);
        assert_false(virtio_net_interrupts_on(&card.net, true));
        virtio_net_interrupt_vector(&card.net, 0);
        assert_false(card.net.live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_vector_does_not_renew_the_transmit_queue),
        cmocka_unit_test(link_that_goes_during_a_renewal_is_told),
        cmocka_unit_test(no_frame_is_queued_during_a_renewal),
        cmocka_unit_test(late_device_hears_our_address_in_the_end),
        cmocka_unit_test(client_that_is_never_done_does_not_hold_a_pass),
        cmocka_unit_test(frames_that_were_sent_are_not_lost_by_closing),
        cmocka_unit_test(start_needs_an_open_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

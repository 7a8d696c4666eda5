/* SPDX-License-Identifier: BSD-2-Clause */
/* Closing: the client's actions during it, from where it is not allowed, and late releases. */
#include "fake_card.h"

enum { RX = VIRTIO_NET_QUEUE_RX };

static unsigned calls;

/* A client that sends received buffers back in place: transmitted() releases the buffer. */
static void release(void *context, void *cookie)
{
    (void)context;
    virtio_net_release(&card.net, cookie);
    calls++;
}

/*
 * All buffers are in the transmit ring and none is posted. Buffers that come back during closing
 * must not be posted, nor the reset device notified.
 */
static void frames_that_come_back_ring_no_doorbell(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, 0);
        card.options.rx_maximum = 8;
        card.options.rx_fixed = true;
        card.options.rx_memory = 8 * 1700;
        card.client.receive = card_send_back;
        card.client.transmitted = release;
        calls = 0;
        assert_int_equal(card_open(), 0);
        assert_int_equal(card_deliver_all(), 8);
        virtio_net_poll(&card.net, 100);
        assert_int_equal(card.net.rx_posted, 0);
        card_close();
        assert_int_equal(calls, 8);
        assert_int_equal(card.dev.queue[RX].doorbells, 0); /* since the reset */
    }
}

static void flush_within(void *context, void *cookie)
{
    (void)context, (void)cookie;
    virtio_net_flush(&card.net);
    calls++;
}

/* Frames queued before the reset, without a notification. */
static void client_that_flushes_rings_no_doorbell(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        uint8_t *frame;

        card_create_as(i, 0);
        card.client.transmitted = flush_within;
        calls = 0;
        assert_int_equal(card_open(), 0);
        frame = card_frame(60, 0, 1);
        for (unsigned n = 0; n < 2; n++) {
            assert_int_equal(virtio_net_transmit(&card.net, &(struct virtqueue_part){frame, 60}, 1,
                                                 0, NULL, frame),
                             0);
        }
        card_free_frame(frame, 0);
        card_close();
        assert_int_equal(calls, 2);
        assert_int_equal(card.dev.queue[VIRTIO_NET_QUEUE_TX].doorbells, 0);
    }
}

static void close_within(void *context, void *buffer, void *data, uint32_t length, bool more,
                         const struct virtio_net_offload *offload)
{
    (void)context, (void)data, (void)length, (void)more, (void)offload;
    assert_int_equal(virtio_net_close(&card.net), VIRTIO_ERROR_INVAL);
    assert_int_equal(virtio_net_poll(&card.net, 8), 0);
    virtio_net_release(&card.net, buffer);
    calls++;
}

static void closed_within(void *context, void *cookie)
{
    (void)context, (void)cookie;
    assert_int_equal(virtio_net_close(&card.net), VIRTIO_ERROR_INVAL);
    assert_int_equal(virtio_net_poll(&card.net, 8), 0);
    calls++;
}

static void linked_within(void *context, bool up)
{
    (void)context, (void)up;
    assert_int_equal(virtio_net_close(&card.net), VIRTIO_ERROR_INVAL);
    calls++;
}

static void announced_within(void *context)
{
    linked_within(context, true);
}

/* From the four callbacks closing is refused and has no effect. */
static void closing_within_a_callback_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        uint8_t *frame;
        struct virtqueue_part part;

        card_create_as(i, virtio_bit(VIRTIO_NET_F_STATUS) | virtio_bit(VIRTIO_NET_F_CTRL_VQ) |
                              virtio_bit(VIRTIO_NET_F_GUEST_ANNOUNCE) |
                              virtio_bit(VIRTIO_NET_F_SPEED_DUPLEX));
        card.client.receive = close_within;
        card.client.transmitted = closed_within;
        card.client.link = linked_within;
        card.client.announce = announced_within;
        calls = 0;
        assert_int_equal(card_open(), 0);
        frame = card_frame(60, 0, 1);
        part = (struct virtqueue_part){frame, 60};
        for (unsigned n = 1; n <= 3; n++) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
            assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, frame), 0);
            assert_int_equal(fake_tx_run(&card.dev), 1);
            card.dev.link_status = VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE;
            card.dev.speed = 100 * n;
            fake_virtio_config_changed(&card.dev);
            assert_int_equal(card_interrupts(), 1);
            assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        }
        assert_int_equal(calls, (i < 2 ? 3 : 4) * 3); /* a legacy device does not report speed */
        /* The same in transmitted() when closing calls it. */
        assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, frame), 0);
        card_free_frame(frame, 0);
        card_close();
        assert_int_equal(calls, (i < 2 ? 3 : 4) * 3 + 1);
    }
}

/* A buffer released too late breaks the rules, but is freed. */
static void buffer_released_after_closing_is_freed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, 0);
        card.holds = true;
        assert_int_equal(card_open(), 0);
        for (unsigned n = 0; n < 5; n++) {
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        }
        assert_int_equal(virtio_net_poll(&card.net, 8), 5);
        assert_int_equal(virtio_net_close(&card.net), 0);
        assert_int_equal(fake_platform.live, 5);
        card_release_all();
        assert_int_equal(fake_platform.live, 0);
    }
}

/*
 * Before virtio_net_start() and after virtio_net_close() no frame is accepted, no doorbell rung and
 * no interrupt requested.
 */
static void device_that_is_not_live_is_left_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        uint8_t *frame;
        struct virtqueue_part part;

        card_create_as(i, 0);
        assert_int_equal(card_attach(), 0);
        frame = card_frame(60, 0, 1);
        part = (struct virtqueue_part){frame, 60};
        assert_int_equal(virtio_net_open(&card.net, &card.vp.dev, &card.options, &card.client), 0);
        for (unsigned time = 0; time < 2; time++) {
            assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, frame),
                             VIRTIO_ERROR_INVAL);
            assert_false(virtio_net_has_room(&card.net, 1, 1, 0));
            assert_int_equal(virtio_net_poll(&card.net, 8), 0);
            assert_false(virtio_net_interrupts_on(&card.net, true));
            virtio_net_interrupts_off(&card.net);
            virtio_net_flush(&card.net);
            assert_int_equal(virtio_net_set_rx_mode(&card.net, 0), VIRTIO_ERROR_INVAL);
            assert_int_equal(virtio_net_close(&card.net), 0);
        }
        assert_int_equal(card.sents, 0);
        card_free_frame(frame, 0);
        assert_int_equal(fake_platform.live, 0);
    }
}

/* The same for one that was never opened, as of a card that was not found. */
static void device_that_was_never_opened_is_none(void **state)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    struct virtio_net *net = &card.net;
    struct virtqueue_part part = {mac, sizeof mac};

    (void)state;
    card_create(FAKE_MODERN, 0);
    virtio_net_start(net);
    assert_int_equal(virtio_net_poll(net, 8), 0);
    assert_int_equal(virtio_net_reclaim(net), 0);
    assert_int_equal(virtio_net_transmit(net, &part, 1, 0, NULL, net), VIRTIO_ERROR_INVAL);
    assert_false(virtio_net_has_room(net, 1, 1, 0));
    assert_false(virtio_net_interrupts_on(net, true));
    virtio_net_interrupts_off(net);
    virtio_net_interrupt_vector(net, 0);
    virtio_net_flush(net);
    virtio_net_reset(net);
    assert_int_equal(virtio_net_set_rx_mode(net, 0), VIRTIO_ERROR_INVAL);
    assert_int_equal(virtio_net_set_mac_table(net, NULL, 0, NULL, 0), VIRTIO_ERROR_INVAL);
    assert_int_equal(virtio_net_set_vlan(net, 1, true), VIRTIO_ERROR_INVAL);
    assert_int_equal(virtio_net_set_mac(net, mac), VIRTIO_ERROR_INVAL);
    assert_int_equal(virtio_net_set_guest_offloads(net, 0), VIRTIO_ERROR_INVAL);
    assert_int_equal(virtio_net_close(net), VIRTIO_ERROR_INVAL);
}

/*
 * A sender gets its frames back without polling; within a function of the client reclaim has no
 * effect.
 */
static unsigned reclaimed_within;
static void transmitted(void *context, void *cookie)
{
    (void)context;
    (void)cookie;
    card.sents++;
    reclaimed_within += virtio_net_reclaim(&card.net);
}

static void frames_come_back_by_reclaim(void **state)
{
    static uint8_t bytes[60];
    struct virtqueue_part part = {bytes, sizeof bytes};

    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        card_create_as(ring, 0);
        card.client.transmitted = transmitted;
        assert_int_equal(card_open(), 0);
        card.sents = reclaimed_within = 0;
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, bytes), 0);
        }
        assert_int_equal(virtio_net_reclaim(&card.net), 0);
        assert_int_equal(fake_tx_run(&card.dev), 3);
        assert_true(fake_rx(&card.dev, bytes, sizeof bytes));
        assert_int_equal(virtio_net_reclaim(&card.net), 3);
        assert_int_equal(card.sents, 3);
        assert_int_equal(reclaimed_within, 0);
        assert_int_equal(card.rx_frames, 0);
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        card_close();
        assert_int_equal(virtio_net_reclaim(&card.net), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_that_come_back_ring_no_doorbell),
        cmocka_unit_test(client_that_flushes_rings_no_doorbell),
        cmocka_unit_test(closing_within_a_callback_is_refused),
        cmocka_unit_test(buffer_released_after_closing_is_freed),
        cmocka_unit_test(device_that_is_not_live_is_left_alone),
        cmocka_unit_test(device_that_was_never_opened_is_none),
        cmocka_unit_test(frames_come_back_by_reclaim),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

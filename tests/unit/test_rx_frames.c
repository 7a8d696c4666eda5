/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers for the longest possible frame are always posted, or such frames are not negotiated. */
#include <string.h>

#include "fake_card.h"

enum { RX = VIRTIO_NET_QUEUE_RX, LONGEST = 65549 };

#define MS 1000000u /* ns */
#define BIT(feature) ((uint64_t)1 << VIRTIO_NET_F_##feature)

static uint8_t frame[LONGEST];

/*
 * A device with a frame and too few buffers for it waits without interrupting, so a sleeping guest
 * does not notice. The frame therefore arrives while nobody polls.
 */
static void check_arrives(size_t length)
{
    memset(frame, 0x5a, sizeof frame);
    assert_true(fake_rx(&card.dev, frame, length));
    assert_int_equal(virtio_net_poll(&card.net, 8), 1);
    assert_int_equal(card.rx_length, length);
}

/* Whatever initial number is requested, and after any time of low traffic (5.1.4.2). */
static void packet_of_the_mtu_finds_buffers_at_rest(void **state)
{
    static const uint16_t mtus[] = {68, 576, 1500, 1501, 3000, 9000, 65535};

    (void)state;
    for (unsigned n = 0; n < 2 * CARD_RINGS * sizeof mtus / sizeof mtus[0]; n++) {
        uint16_t mtu = mtus[n / 2 / CARD_RINGS];
        bool merged = n & 1;
        size_t longest = (size_t)mtu + 18 < sizeof frame ? (size_t)mtu + 18 : sizeof frame;

        card_create_as(n / 2 % CARD_RINGS, BIT(MTU) | (merged ? BIT(MRG_RXBUF) : 0) |
                                               virtio_bit(VIRTIO_F_EVENT_IDX) |
                                               virtio_bit(VIRTIO_F_RING_RESET));
        card.dev.mtu = mtu;
        card.options.rx_initial = 1;
        card.options.rx_memory = 32 << 20;
        assert_int_equal(card_open(), 0);
        assert_int_equal(virtio_has(card.dev.features, VIRTIO_NET_F_MRG_RXBUF), merged);
        check_arrives(longest);
        fake_platform.clock_ns = 1000 * MS;
        while (card.net.rx_limit < card.net.rx_maximum) {
            card_deliver_all();
            virtio_net_poll(&card.net, 1000);
        }
        for (unsigned second = 0; second < 20; second++) {
            fake_want_kick(&card.dev, RX, false);
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 1000 * MS;
        }
        assert_true(card.net.rx_limit <= VIRTIO_NET_RX_MERGED);
        check_arrives(longest);
        card_close();
    }
}

/* Joined frames of up to 64 KiB find buffers, unless the options request fewer. */
static void joined_frame_finds_buffers_at_rest(void **state)
{
    const uint64_t joined[] = {BIT(GUEST_TSO4), BIT(GUEST_TSO6), BIT(GUEST_USO4) | BIT(GUEST_USO6)};

    (void)state;
    for (unsigned n = 0; n < 2 * 3; n++) {
        card_create_as(n % 2 ? CARD_PACKED : 3, BIT(MRG_RXBUF) | BIT(GUEST_CSUM) | joined[n / 2]);
        assert_int_equal(card_open(), 0);
        assert_true(card.dev.features & joined[n / 2]);
        assert_int_equal(card_posted(), VIRTIO_NET_RX_MERGED);
        check_arrives(LONGEST);
        card_close();
    }
    card_create_as(3, BIT(MRG_RXBUF) | BIT(GUEST_CSUM)); /* there are no joined frames: the usual
                                                          * number */
    assert_int_equal(card_open(), 0);
    assert_int_equal(card_posted(), VIRTIO_NET_RX_INITIAL);
    card_close();
}

/*
 * Memory for fewer buffers than the longest frame: mergeable buffers are not negotiated, as with a
 * small queue.
 */
/* A device that has no room for a frame takes no buffers for it. (This tests the fake device.) */
static void frame_without_room_takes_no_buffers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, BIT(MRG_RXBUF) | virtio_bit(VIRTIO_F_ANY_LAYOUT));
        card.options.rx_initial = 4;
        assert_int_equal(card_open(), 0);
        check_arrives(14);
        for (unsigned time = 0; time < 2; time++) {
            assert_false(fake_rx(&card.dev, frame, sizeof frame));
            assert_int_equal(card_posted(), 4);
        }
        check_arrives(4 * 1518);
        card_close();
    }
}

static void little_memory_is_not_merged(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        for (unsigned buffers = VIRTIO_NET_RX_MERGED - 1; buffers <= VIRTIO_NET_RX_MERGED;
             buffers++) {
            bool enough = buffers == VIRTIO_NET_RX_MERGED;
            uint32_t size;

            card_create_as(i, BIT(MRG_RXBUF) | virtio_bit(VIRTIO_F_ANY_LAYOUT) | BIT(GUEST_CSUM) |
                                  BIT(GUEST_TSO4));
            assert_int_equal(card_open(), 0);
            size = card.net.rx_buffer_size;
            card_close();
            card.options.rx_memory = size * (buffers + 1) - 1;
            assert_int_equal(card_open_net(), 0);
            assert_int_equal(virtio_has(card.dev.features, VIRTIO_NET_F_MRG_RXBUF), enough);
            assert_int_equal(virtio_has(card.dev.features, VIRTIO_NET_F_GUEST_TSO4), enough);
            check_arrives(enough ? LONGEST : 1518);
            card_close();
        }
    }
}

/* A control queue without room for its longest command could never send that. */
static void tiny_control_queue_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        for (uint16_t size = 2; size <= 4; size *= 2) {
            card_create_as(i, BIT(CTRL_VQ) | BIT(CTRL_RX));
            card.dev.queue[2].size = size;
            assert_int_equal(card_open(), size < 4 ? VIRTIO_ERROR_IO : 0);
            if (size < 4) {
                assert_true(fake_platform.lines > 0);
                assert_int_equal(fake_platform.live, 0);
            } else {
                card_close();
            }
        }
    }
}

/* Uses a buffer with this length, as the first of a frame of `buffers`. */
static void use_buffer(unsigned buffers, uint32_t length)
{
    struct fake_chain chain;
    uint8_t data[12 + 60] = {0};

    fake_put(&card.dev, data + 10, 2, buffers);
    assert_true(fake_take(&card.dev, VIRTIO_NET_QUEUE_RX, &chain));
    fake_scatter(&chain, data, sizeof data);
    fake_push(&card.dev, VIRTIO_NET_QUEUE_RX, chain.head, length);
}

/*
 * A frame with an empty buffer is dropped completely: the next buffer does not begin with a header.
 */
static void empty_buffer_drops_its_whole_frame(void **state)
{
    static const uint32_t lengths[][3] = {
        {12, 60, 60}, {12, 0, 0}, {72, 0, 60}, {72, 60, 0}, {72, 0, 0}};

    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * 5; n++) {
        card_create_as(n / 5, BIT(MRG_RXBUF));
        assert_int_equal(card_open(), 0);
        for (unsigned i = 0; i < 3; i++) {
            use_buffer(3, lengths[n % 5][i]);
        }
        fake_publish(&card.dev, VIRTIO_NET_QUEUE_RX);
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_int_equal(card.net.counters.rx_bad, 1);
        assert_int_equal(card.rx_frames, 0);
        assert_false(card.rx_more);
        check_arrives(60);
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packet_of_the_mtu_finds_buffers_at_rest),
        cmocka_unit_test(joined_frame_finds_buffers_at_rest),
        cmocka_unit_test(frame_without_room_takes_no_buffers),
        cmocka_unit_test(little_memory_is_not_merged),
        cmocka_unit_test(tiny_control_queue_is_refused),
        cmocka_unit_test(empty_buffer_drops_its_whole_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

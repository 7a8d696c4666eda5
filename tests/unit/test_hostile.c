/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices that lie. Each lie is detected and counted, and does no harm. */
#include <string.h>

#include "fake_card.h"

enum { TX = VIRTIO_NET_QUEUE_TX, RX = VIRTIO_NET_QUEUE_RX };

#define MRG ((uint64_t)1 << VIRTIO_NET_F_MRG_RXBUF)

static const char text[] = "fourteen bytes and more";

static void open_card(unsigned interface, uint64_t features)
{
    card_create_as(interface, features);
    card.options.rx_initial = 16;
    card.options.rx_maximum = 64;
    assert_int_equal(card_open(), 0);
}

/* Checks that the device still works in both directions. */
static void check_alive(void)
{
    uint8_t *frame = card_frame(60, 0, 3);
    struct virtqueue_part part = {frame, 60};
    unsigned frames = card.rx_frames;
    unsigned sents = card.sents;

    card.dev.lie_num_buffers = -1;
    card.dev.lie_used_length = 0;
    assert_true(fake_rx(&card.dev, text, sizeof text));
    assert_int_equal(virtio_net_poll(&card.net, 8), 1);
    assert_int_equal(card.rx_frames, frames + 1);
    assert_int_equal(card.rx_length, sizeof text);
    assert_memory_equal(card.rx_data, text, sizeof text);
    assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, frame), 0);
    assert_int_equal(fake_tx_run(&card.dev), 1);
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.sents, sents + 1);
    card_free_frame(frame, 0);
}

/* Checks that the device, which broke the rules, was reset and works. */
static void check_reset(struct virtqueue *vq)
{
    assert_int_equal(vq->counters.bad_id, 1);
    for (unsigned pass = 0; pass < 4; pass++) {
        virtio_net_poll(&card.net, 8);
    }
    assert_int_equal(card.net.counters.recoveries, 1);
    check_alive();
}

static void used_ids_out_of_range_end_in_a_reset(void **state)
{
    static const uint32_t ids[] = {256, 257, 65535, 65536, 0x80000000, UINT32_MAX};
    static const uint32_t packed[] = {64, 65, 256, 0x7fff, 0x8000, 0xffff}; /* of 16 bits */

    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        for (unsigned n = 0; n < sizeof ids / sizeof ids[0]; n++) {
            struct fake_chain chain;

            open_card(i, 0);
            assert_true(fake_take(&card.dev, RX, &chain));
            fake_use(&card.dev, RX, i == CARD_PACKED ? packed[n] : ids[n], 30);
            assert_int_equal(virtio_net_poll(&card.net, 100), 0);
            assert_int_equal(card.rx_frames, 0);
            check_reset(&card.net.rx);
            card_close();
        }
    }
}

static void used_ids_that_head_no_chain_end_in_a_reset(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct fake_chain chain;

        open_card(0, 0); /* each buffer takes two descriptors */
        assert_true(fake_take(&card.dev, RX, &chain));
        fake_use(&card.dev, RX,
                 n == 0 ? chain.head ^ 1u /* its second descriptor */ : 200 /* a free one */, 30);
        assert_int_equal(virtio_net_poll(&card.net, 100), 0);
        check_reset(&card.net.rx);
        card_close();
    }
}

static void buffers_completed_twice_come_back_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        struct virtqueue_part part;
        uint8_t *frame;
        uint16_t first;

        open_card(i, 0);
        frame = card_frame(60, 12, 1);
        part = (struct virtqueue_part){frame, 60};
        for (unsigned n = 0; n < 3; n++) {
            assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 12, NULL, frame + n), 0);
        }
        assert_true(fake_tx_take(&card.dev));
        first = card.dev.tx_chain.head;
        assert_true(fake_tx_take(&card.dev));
        fake_use(&card.dev, TX, first, 0);
        fake_use(&card.dev, TX, first, 0);
        virtio_net_poll(&card.net, 8);
        check_reset(&card.net.tx);
        assert_int_equal(card.sents, 3 + 1);
        assert_int_equal(card.net.counters.tx_lost, 2);
        card_free_frame(frame, 12);
        card_close();
    }
}

static void used_lengths_beyond_the_buffer_are_cut(void **state)
{
    static const uint32_t extra[] = {3000, 0x10000, 0x7fffffff};

    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        for (unsigned n = 0; n < sizeof extra / sizeof extra[0]; n++) {
            open_card(i, 0);
            card.dev.lie_used_length = extra[n];
            assert_true(fake_rx(&card.dev, text, sizeof text));
            assert_int_equal(virtio_net_poll(&card.net, 8), 1);
            assert_int_equal(card.net.rx.counters.bad_length, 1);
            assert_in_range(card.rx_length, 1514, 1518); /* limited by the buffer's size */
            check_alive();
            card_close();
        }
    }
}

/* A frame has at least one byte. A used length up to the header's size is no frame. */
static void used_lengths_without_a_frame_are_dropped(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        uint32_t header = i < 2 ? 10 : 12;

        for (uint32_t length = 0; length <= header + 1; length++) {
            struct fake_chain chain;

            open_card(i, 0);
            assert_true(fake_take(&card.dev, RX, &chain));
            fake_use(&card.dev, RX, chain.head, length);
            virtio_net_poll(&card.net, 8);
            assert_int_equal(card.rx_frames, length > header);
            assert_int_equal(card.net.counters.rx_bad, length <= header);
            check_alive();
            card_close();
        }
    }
}

/*
 * §2.7.8.1, legacy: the used length of a buffer that the device only reads may be anything. §2.8.4:
 * in a packed ring it has no meaning.
 */
static void used_length_of_a_transmitted_frame_is_ignored(void **state)
{
    static const unsigned which[] = {0, CARD_PACKED};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        open_card(which[i], 0);
        card.dev.lie_used_length = 12345;
        for (unsigned n = 0; n < 3; n++) {
            uint8_t *frame = card_frame(60, 0, 3);
            struct virtqueue_part part = {frame, 60};

            assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, frame), 0);
            assert_int_equal(fake_tx_run(&card.dev), 1);
            virtio_net_poll(&card.net, 8);
            assert_int_equal(card.sents, n + 1);
            card_free_frame(frame, 0);
        }
        assert_int_equal(card.net.tx.counters.bad_length, 0);
        card_close();
    }
}

/* More used buffers than are in flight: nothing on this queue can be trusted any more. */
static void used_index_that_jumps_stops_the_queue(void **state)
{
    static const uint16_t jumps[] = {17, 256, 300, 0x8000, 0xffff};

    (void)state;
    for (unsigned i = 0; i < 2 * CARD_INTERFACES; i++) {
        uint64_t mode = i % 2 ? virtio_bit(VIRTIO_F_EVENT_IDX) : 0;

        for (unsigned n = 0; n < sizeof jumps / sizeof jumps[0]; n++) {
            open_card(i / 2, mode);
            card.dev.queue[RX].used_idx = (uint16_t)(card.dev.queue[RX].used_idx + jumps[n]);
            fake_publish(&card.dev, RX);
            assert_int_equal(virtio_net_poll(&card.net, 1000), 0);
            assert_int_equal(card.net.rx.counters.bad_index, 1);
            assert_true(fake_platform.lines > 0);
            assert_int_equal(virtio_net_poll(&card.net, 1000), 0);
            assert_int_equal(card.net.rx.counters.bad_index, 1);
            assert_int_equal(card.rx_frames, 0);
            card_close(); /* returns all buffers */
        }
    }
}

/*
 * No more buffers are taken from the queue. The next passes reset the device, and it works again.
 */
static void stopped_queue_means_a_reset(void **state)
{
    (void)state;
    open_card(3, 0);
    card.dev.queue[RX].used_idx = 1000;
    fake_publish(&card.dev, RX);
    virtio_net_poll(&card.net, 8);
    assert_true(virtio_net_interrupts_on(&card.net, false)); /* the reset is pending work */
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.net.counters.recoveries, 1);
    assert_false(virtio_net_interrupts_on(&card.net, false));
    assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
    assert_int_equal(virtio_net_poll(&card.net, 8), 1);
    card_close();
}

static void stopped_transmit_queue_refuses_frames(void **state)
{
    uint8_t *frame;
    struct virtqueue_part part;

    (void)state;
    open_card(3, 0);
    frame = card_frame(60, 0, 1);
    part = (struct virtqueue_part){frame, 60};
    assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, frame), 0);
    card.dev.queue[TX].used_idx = 7;
    fake_publish(&card.dev, TX);
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.sents, 0);
    assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, frame), VIRTIO_ERROR_DOWN);
    virtio_net_flush(&card.net);
    assert_int_equal(card.dev.queue[TX].doorbells, 0);
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.sents, 1); /* the one in flight */
    assert_int_equal(card.net.counters.tx_lost, 1);
    assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, frame), 0);
    card_free_frame(frame, 0);
    card_close();
    assert_int_equal(card.sents, 2);
}

/* The driver never reads free descriptors or the available ring back. */
static void nothing_is_read_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        open_card(i, MRG);
        for (unsigned n = 0; n < 3; n++) {
            struct virtqueue *vq = &card.net.tx;

            memset(vq->descriptor_area, (int)(0x5a + n), 16u * vq->size);
            if (i != CARD_PACKED) {
                memset((uint8_t *)vq->driver_area + 4, (int)(0xa5 + n), 2u * vq->size);
            }
            check_alive();
        }
        assert_int_equal(card.net.counters.recoveries, 0);
        card_close();
    }
}

/* Used rings filled with random data that is partly plausible: no access may leave its block. */
static void rings_full_of_noise_do_no_harm(void **state)
{
    uint32_t noise = 1;

    (void)state;
    for (unsigned round = 0; round < 400; round++) {
        struct fake_queue *q = &card.dev.queue[RX];
        uint8_t *used;

        open_card(round % CARD_INTERFACES, round % 8 < 4 ? MRG : 0);
        used = fake_dma(q->used, 4 + 8u * q->driver_size);
        for (unsigned i = 4; i < 4 + 8u * q->driver_size; i++) {
            noise = noise * 1664525 + 1013904223;
            used[i] = (noise >> 28) < 10 ? 0 : (uint8_t)(noise >> 20 & 31);
        }
        q->used_idx = 16;
        fake_publish(&card.dev, RX);
        virtio_net_poll(&card.net, 100);
        virtio_net_poll(&card.net, 100);
        card_close();
    }
}

static void num_buffers_that_cannot_be_drops_the_frame(void **state)
{
    static const int lies[] = {0, 2, 16, 17, 48, 49, 50, 256, 257, 65535};

    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        for (unsigned n = 0; n < sizeof lies / sizeof lies[0]; n++) {
            open_card(i, MRG);
            card.dev.lie_num_buffers = lies[n];
            assert_true(fake_rx(&card.dev, text, sizeof text));
            virtio_net_poll(&card.net, 8);
            assert_int_equal(card.rx_frames, 0);
            assert_int_equal(card.net.counters.rx_bad, 1);
            assert_false(card.rx_more); /* the client was not left in the middle of a frame */
            check_alive();
            check_alive();
            card_close();
        }
    }
}

/* Frames of the maximum number of buffers, and of one more. */
static void frames_of_very_many_buffers_are_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        unsigned wanted = 48 + i / 2;

        card_create_as(i % 2 ? CARD_PACKED : 3, MRG);
        card.options.rx_initial = 100;
        assert_int_equal(card_open(), 0);
        card.dev.lie_num_buffers = (int)wanted;
        for (unsigned n = 0; n < 60; n++) {
            assert_true(fake_rx(&card.dev, text, sizeof text));
        }
        virtio_net_poll(&card.net, 1);
        assert_true(card.rx_frames == (wanted <= 49) && !card.rx_more);
        if (card.rx_frames == 1) {
            assert_int_equal(card.rx_parts, wanted);
        }
        card_close();
    }
}

/* In one buffer and in several. A type is allowed only if its feature was negotiated. */
static void joined_frames_that_were_not_agreed_are_dropped(void **state)
{
    const struct {
        uint64_t feature;
        uint8_t type;
    } types[] = {
        {0, 0},
        {virtio_bit(VIRTIO_NET_F_GUEST_TSO4), VIRTIO_NET_HDR_GSO_TCPV4},
        {virtio_bit(VIRTIO_NET_F_GUEST_TSO6), VIRTIO_NET_HDR_GSO_TCPV6},
        {virtio_bit(VIRTIO_NET_F_GUEST_USO4) | virtio_bit(VIRTIO_NET_F_GUEST_USO6),
         VIRTIO_NET_HDR_GSO_UDP_L4},
    };
    enum { TYPES = sizeof types / sizeof types[0] };
    static const uint8_t frame[3000];

    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * TYPES * 2; n++) {
        unsigned agreed = n / 2 % TYPES;
        bool several = n & 1;

        open_card(n / 2 / TYPES, types[agreed].feature | virtio_bit(VIRTIO_NET_F_GUEST_CSUM) | MRG);
        for (unsigned type = 0; type <= UINT8_MAX; type++) {
            unsigned plain = type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;
            bool possible =
                plain == 0 || (plain == types[agreed].type && /* a legacy device has no bit 54 */
                               card.net.dev->features & types[agreed].feature);
            uint32_t bad = card.net.counters.rx_bad;
            unsigned frames = card.rx_frames;

            card.dev.rx_offload = (struct fake_offload){1, (uint8_t)type, 42, 1000, 34, 6};
            assert_true(fake_rx(&card.dev, frame, several ? sizeof frame : 1000));
            virtio_net_poll(&card.net, 8);
            assert_int_equal(card.rx_frames, frames + possible);
            assert_int_equal(card.net.counters.rx_bad, bad + !possible);
        }
        card.dev.rx_offload = (struct fake_offload){0};
        check_alive();
        card_close();
    }
}

static void impossible_queue_sizes_are_refused(void **state)
{
    static const uint16_t sizes[] = {0, 3, 48, 255, 257, 1000, 32769, 65535};

    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        for (unsigned queue = 0; queue < 2; queue++) {
            for (unsigned n = 0; n < sizeof sizes / sizeof sizes[0]; n++) {
                /* the packed ring is in test_packed.c */
                card_create_as(i, UINT64_MAX & ~virtio_bit(VIRTIO_F_RING_PACKED));
                card.dev.queue[queue].size = sizes[n];
                assert_int_equal(card_open(), VIRTIO_ERROR_IO);
                assert_true(card.dev.status & VIRTIO_STATUS_FAILED);
                assert_false(card.dev.status & VIRTIO_STATUS_DRIVER_OK);
                assert_int_equal(fake_platform.live, 0);
            }
        }
    }
}

static void missing_queue_is_refused(void **state)
{
    (void)state;
    card_create_as(3, 0);
    card.dev.num_queues = 1;
    assert_int_equal(card_open(), VIRTIO_ERROR_IO);
    assert_int_equal(fake_platform.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(used_ids_out_of_range_end_in_a_reset),
        cmocka_unit_test(used_ids_that_head_no_chain_end_in_a_reset),
        cmocka_unit_test(buffers_completed_twice_come_back_once),
        cmocka_unit_test(used_lengths_beyond_the_buffer_are_cut),
        cmocka_unit_test(used_lengths_without_a_frame_are_dropped),
        cmocka_unit_test(used_length_of_a_transmitted_frame_is_ignored),
        cmocka_unit_test(used_index_that_jumps_stops_the_queue),
        cmocka_unit_test(stopped_queue_means_a_reset),
        cmocka_unit_test(stopped_transmit_queue_refuses_frames),
        cmocka_unit_test(nothing_is_read_back),
        cmocka_unit_test(rings_full_of_noise_do_no_harm),
        cmocka_unit_test(num_buffers_that_cannot_be_drops_the_frame),
        cmocka_unit_test(frames_of_very_many_buffers_are_bounded),
        cmocka_unit_test(joined_frames_that_were_not_agreed_are_dropped),
        cmocka_unit_test(impossible_queue_sizes_are_refused),
        cmocka_unit_test(missing_queue_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

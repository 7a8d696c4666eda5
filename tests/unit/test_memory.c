/* SPDX-License-Identifier: BSD-2-Clause */
/* The sizes of the blocks that the driver allocates, and its ring sizes. */
#include <string.h>

#include "fake_card.h"

enum { PAGE = 4096, TX = VIRTIO_NET_QUEUE_TX, HEADROOM = 12 };

/* All except indirect tables, which are in a single block. */
static const uint64_t paged = VIRTIO_NET_FEATURES & ~virtio_bit(VIRTIO_F_INDIRECT_DESC);

static void open_small(unsigned ring, uint16_t size, uint64_t offered)
{
    card_create_as(ring, offered);
    card.options.features = paged;
    card.options.rx_maximum = size;
    card.options.tx_size = size;
    assert_int_equal(card_open(), 0);
}

/*
 * The options of docs/porting.md for a system with single pages; the fake device offers all
 * features.
 */
static void no_block_passes_a_page(void **state)
{
    (void)state;
    for (unsigned ring = 2; ring < CARD_RINGS; ring++) {
        open_small(ring, 128, paged & ~virtio_bit(VIRTIO_F_RING_PACKED));
        for (unsigned i = 0; i < 4; i++) {
            card_deliver_all();
            virtio_net_poll(&card.net, 1000);
        }
        assert_int_equal(card.net.rx_limit, 128);
        assert_in_range(fake_platform.largest, 2048, PAGE);
        card_close();
    }
}

/* A legacy device dictates the size of its rings; everything else is as small as requested. */
static void legacy_rings_alone_pass_a_page(void **state)
{
    static const struct {
        uint16_t size;
        size_t ring;
    } cases[] = {{64, 8192}, {128, 8192}, {256, 12288}, {512, 20480}, {1024, 32768}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        card_create_as(1, 0);
        card.dev.queue[0].size = card.dev.queue[1].size = cases[i].size;
        card.options.features = paged;
        card.options.rx_maximum = 32;
        card.options.tx_size = 64;
        assert_int_equal(card_open(), 0);
        assert_int_equal(fake_platform.largest, cases[i].ring);
        assert_int_equal(card.net.rx.slots, 64); /* two descriptors each */
        assert_int_equal(card.net.tx.slots, 64);
        card_close();
    }
}

/* Exactly this many frames fit, round the ring several times; sizes are rounded up. */
static void transmit_ring_takes_as_many_as_asked(void **state)
{
    static const struct {
        uint16_t asked, taken;
    } cases[] = {{1, 2}, {2, 2}, {3, 4}, {16, 16}, {100, 128}, {0, 256}, {1000, 256}};

    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * sizeof cases / sizeof cases[0]; n++) {
        const unsigned taken = cases[n / CARD_RINGS].taken;
        uint8_t *frame;

        card_create_as(n % CARD_RINGS, virtio_bit(VIRTIO_F_ANY_LAYOUT));
        card.options.tx_size = cases[n / CARD_RINGS].asked;
        assert_int_equal(card_open(), 0);
        frame = card_frame(60, HEADROOM, 1);
        for (unsigned round = 0; round < 5; round++) {
            struct virtqueue_part part = {frame, 60};

            for (unsigned i = 0; i < taken; i++) {
                assert_int_equal(virtio_net_transmit(&card.net, &part, 1, HEADROOM, NULL,
                                                     (void *)(uintptr_t)(i + 1)),
                                 0);
            }
            assert_false(virtio_net_has_room(&card.net, 1, 1, 0));
            assert_int_equal(virtio_net_transmit(&card.net, &part, 1, HEADROOM, NULL, frame),
                             VIRTIO_ERROR_FULL);
            virtio_net_flush(&card.net);
            assert_int_equal(fake_tx_run(&card.dev), taken);
            card.sents = 0;
            assert_int_equal(virtio_net_reclaim(&card.net), taken);
            for (unsigned i = 0; i < taken; i++) {
                assert_ptr_equal(card.sent[i], (void *)(uintptr_t)(i + 1));
            }
        }
        assert_memory_equal(card.dev.tx_data + card.net.header_length, frame, 60);
        card_free_frame(frame, HEADROOM);
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_block_passes_a_page),
        cmocka_unit_test(legacy_rings_alone_pass_a_page),
        cmocka_unit_test(transmit_ring_takes_as_many_as_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory is mapped before the device uses it, and unmapped once. The fake's mappings are copies. */
#include <string.h>

#include "fake_vq.h"

enum { RX = VIRTIO_NET_QUEUE_RX, TX = VIRTIO_NET_QUEUE_TX };

static void all_parts_or_none_are_mapped(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) { /* both rings, with and without tables */
        unsigned before;

        vq_start(n % 2 ? CARD_PACKED : 0, n < 2 ? 0 : virtio_bit(VIRTIO_F_INDIRECT_DESC), 16,
                 n < 2 ? 0 : 4);
        before = fake_platform.mapped;
        for (unsigned nth = 1; nth <= 5; nth++) {
            fake_platform.fail_map = nth;
            assert_int_equal(vq_add(3, 2, 1), VIRTIO_ERROR_NOMEM);
            assert_int_equal(fake_platform.mapped, before);
            assert_int_equal(vq.in_flight, 0);
            assert_int_equal(vq.free_count, 16);
        }
        for (unsigned i = 1; i <= 3; i++) {
            struct fake_chain chain;

            assert_int_equal(vq_add(3, 2, i), 0);
            assert_int_equal(fake_platform.mapped, before + 5);
            assert_true(fake_take(&card.dev, VQ, &chain));
            vq_check_chain(&chain, 3, 2);
            fake_use(&card.dev, VQ, chain.head, 0);
            assert_int_equal(vq_get(), i);
            assert_int_equal(fake_platform.mapped, before);
        }
        vq_stop();
    }
}

static void rings_that_cannot_be_mapped_are_an_error(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        for (unsigned nth = 1; nth <= 3; nth++) {
            card_create_as(ring, virtio_bit(VIRTIO_F_INDIRECT_DESC));
            fake_platform.fail_share = nth;
            assert_int_equal(card_open(), VIRTIO_ERROR_NOMEM);
            assert_int_equal(fake_platform.live, 0);
            assert_int_equal(fake_platform.mapped, 0);
        }
    }
}

/*
 * A frame in memory of the client, unknown to the library. If it changes while the device has it,
 * the device sees the old content. What the device receives is there when the client gets the
 * buffer.
 */
static void frames_are_mapped_both_ways(void **state)
{
    static const char text[] = "a frame that is longer than a header of Ethernet";
    static uint8_t frame[100];

    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        struct virtqueue_part part = {frame, sizeof frame};
        unsigned before;

        card_create_as(ring, 0);
        assert_int_equal(card_open(), 0);
        before = fake_platform.mapped;
        memset(frame, 0x11, sizeof frame);
        assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 0, NULL, frame), 0);
        assert_int_equal(fake_platform.mapped, before + 2); /* including the header */
        memset(frame, 0x22, sizeof frame);
        assert_int_equal(fake_tx_run(&card.dev), 1);
        memset(frame, 0x11, sizeof frame);
        assert_memory_equal(card.dev.tx_data + card.dev.tx_length - sizeof frame, frame,
                            sizeof frame);
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.sents, 1);
        assert_int_equal(fake_platform.mapped, before);
        assert_true(fake_rx(&card.dev, text, sizeof text));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_memory_equal(card.rx_data, text, sizeof text);
        card_close();
    }
}

/* Buffers that cannot be posted now are posted later. */
static void buffers_that_cannot_be_mapped_are_kept(void **state)
{
    static const char text[] = "some bytes of a frame";

    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        unsigned posted;

        card_create_as(ring, 0);
        assert_int_equal(card_open(), 0);
        posted = card.net.rx_posted;
        assert_true(fake_rx(&card.dev, text, sizeof text));
        fake_platform.fail_map = 1;
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        card_release_all();
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.net.rx_posted, posted);
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts_or_none_are_mapped),
        cmocka_unit_test(rings_that_cannot_be_mapped_are_an_error),
        cmocka_unit_test(frames_are_mapped_both_ways),
        cmocka_unit_test(buffers_that_cannot_be_mapped_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

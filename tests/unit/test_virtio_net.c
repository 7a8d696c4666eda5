/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device: frames as seen by the device, receive buffers, configuration. */
#include <string.h>

#include "fake_card.h"

enum { TX = VIRTIO_NET_QUEUE_TX, RX = VIRTIO_NET_QUEUE_RX, HEADROOM = 64 };

#define MRG ((uint64_t)1 << VIRTIO_NET_F_MRG_RXBUF)
#define ANY ((uint64_t)1 << VIRTIO_F_ANY_LAYOUT)
#define INDIRECT ((uint64_t)1 << VIRTIO_F_INDIRECT_DESC)

/* The framing of each interface and set of features (virtio 1.3 §5.1.6). */
static const struct framing {
    unsigned interface;
    uint64_t features;
    size_t header;
    bool joined; /* header and frame may share a descriptor */
} framings[] = {
    {0, 0, 10, false},        {1, 0, 10, false},        {0, ANY, 10, true}, {0, MRG, 12, false},
    {1, ANY | MRG, 12, true}, {0, ANY | MRG, 12, true}, {2, 0, 12, true},   {3, 0, 12, true},
    {3, MRG, 12, true},       {3, ANY, 12, true},
};
enum { FRAMINGS = sizeof framings / sizeof framings[0] };

static void open_framing(unsigned i, uint64_t more)
{
    card_create_as(framings[i].interface, framings[i].features | more);
    assert_int_equal(card_open(), 0);
}

/* Sends a frame of these parts and checks every byte that the device reads. */
static void check_transmit(const struct framing *f, unsigned count, unsigned headroom)
{
    struct virtqueue_part parts[VIRTIO_NET_PARTS_MAX] = {{0}};
    uint8_t *memory[VIRTIO_NET_PARTS_MAX];
    size_t at = f->header;
    bool joined = f->joined && headroom >= f->header;

    for (unsigned i = 0; i < count; i++) {
        memory[i] = card_frame(60 + i, i == 0 ? HEADROOM : 0, (uint8_t)(17 * i + 1));
        parts[i] = (struct virtqueue_part){memory[i], 60 + i};
    }
    assert_int_equal(virtio_net_transmit(&card.net, parts, count, headroom, NULL, &parts), 0);
    assert_ptr_equal(parts[0].data, memory[0]); /* the list is unchanged afterwards */
    assert_int_equal(parts[0].length, 60);
    virtio_net_flush(&card.net);
    assert_true(fake_tx_take(&card.dev));
    assert_int_equal(card.dev.tx_chain.count, joined ? count : count + 1);
    assert_int_equal(card.dev.tx_chain.part[0].length, joined ? f->header + 60 : f->header);
    for (size_t i = 0; i < f->header; i++) {
        assert_int_equal(card.dev.tx_data[i], 0);
    }
    for (unsigned i = 0; i < count; i++) {
        assert_memory_equal(card.dev.tx_data + at, memory[i], 60 + i);
        at += 60 + i;
    }
    assert_int_equal(card.dev.tx_length, at);
    /* Nothing is written before the header, and without headroom nothing at all. */
    for (unsigned i = 0; i < HEADROOM - (headroom >= f->header ? f->header : 0); i++) {
        assert_int_equal(memory[0][(int)i - HEADROOM], 0xcc);
    }
    fake_use(&card.dev, TX, card.dev.tx_chain.head, 0);
    card.sents = 0;
    virtio_net_poll(&card.net, 1);
    assert_int_equal(card.sents, 1);
    assert_ptr_equal(card.sent[0], &parts);
    for (unsigned i = 0; i < count; i++) {
        card_free_frame(memory[i], i == 0 ? HEADROOM : 0);
    }
}

static void transmitted_frames_begin_with_the_right_header(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * FRAMINGS; i++) {
        const struct framing *f = &framings[i / 2];

        open_framing(i / 2, i % 2 ? INDIRECT : 0);
        for (unsigned count = 1; count <= VIRTIO_NET_PARTS_MAX; count++) {
            check_transmit(f, count, 0);
            check_transmit(f, count, (unsigned)f->header - 1);
            check_transmit(f, count, (unsigned)f->header);
            check_transmit(f, count, HEADROOM);
        }
        card_close();
    }
}

/* Every byte of the header, in the byte order of the interface. */
static void offloads_are_in_the_header(void **state)
{
    const struct virtio_net_offload offload = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
        .hdr_len = 0x0142,
        .gso_size = 0x05b4,
        .csum_start = 0x0122,
        .csum_offset = 0x0010,
    };
    static const uint16_t fields[] = {0x0142, 0x05b4, 0x0122, 0x0010, 0};

    (void)state;
    for (unsigned i = 0; i < FRAMINGS; i++) {
        uint8_t expected[12] = {1, 0x81};
        struct virtqueue_part part;
        uint8_t *memory;

        open_framing(i, virtio_bit(VIRTIO_NET_F_CSUM) | virtio_bit(VIRTIO_NET_F_HOST_TSO4) |
                            virtio_bit(VIRTIO_NET_F_HOST_ECN));
        memory = card_frame(4000, HEADROOM, 1);
        part = (struct virtqueue_part){memory, 4000};
        for (unsigned n = 0; n < 5; n++) {
            fake_put(&card.dev, expected + 2 + 2 * n, 2, fields[n]);
        }
        assert_int_equal(virtio_net_transmit(&card.net, &part, 1, HEADROOM, &offload, memory), 0);
        assert_true(fake_tx_take(&card.dev));
        assert_memory_equal(card.dev.tx_data, expected, framings[i].header);
        assert_int_equal(card.dev.tx_chain.count, framings[i].joined ? 1 : 2);
        /* Without headroom there is no place for it. */
        assert_int_equal(virtio_net_transmit(&card.net, &part, 1, (unsigned)framings[i].header - 1,
                                             &offload, memory),
                         VIRTIO_ERROR_TOOBIG);
        card_free_frame(memory, HEADROOM);
        card_close();
    }
}

static void received_offloads_reach_the_client(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4 * CARD_RINGS; n++) {
        bool agreed = n & 1;
        bool merged = n & 2;
        uint8_t frame[2000] = {0};

        card_create_as(n / 4, (agreed ? virtio_bit(VIRTIO_NET_F_GUEST_CSUM) |
                                            virtio_bit(VIRTIO_NET_F_GUEST_TSO4)
                                      : 0) |
                                  (merged ? virtio_bit(VIRTIO_NET_F_MRG_RXBUF) : 0));
        assert_int_equal(card_open(), 0);
        /* Segments are not joined if a frame must fit into one buffer. */
        card.dev.rx_offload = (struct fake_offload){1, merged ? 0x81 : 0, 0x42, 0x5b4, 0x22, 0x10};
        assert_true(fake_rx(&card.dev, frame, merged ? 2000 : 60));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        /* Without the feature the fields have no meaning (§5.1.6.4.1). */
        assert_int_equal(card.rx_offload.flags, agreed ? 1 : 0);
        assert_int_equal(card.rx_offload.gso_type, agreed && merged ? 0x81 : 0);
        assert_int_equal(card.rx_offload.hdr_len, agreed ? 0x42 : 0);
        assert_int_equal(card.rx_offload.gso_size, agreed ? 0x5b4 : 0);
        assert_int_equal(card.rx_offload.csum_start, agreed ? 0x22 : 0);
        assert_int_equal(card.rx_offload.csum_offset, agreed ? 0x10 : 0);
        card_close();
    }
}

static void frames_of_too_many_parts_are_refused(void **state)
{
    struct virtqueue_part parts[VIRTIO_NET_PARTS_MAX + 1] = {{0}};

    (void)state;
    open_framing(7, 0);
    assert_int_equal(
        virtio_net_transmit(&card.net, parts, VIRTIO_NET_PARTS_MAX + 1, 0, NULL, &parts),
        VIRTIO_ERROR_TOOBIG);
    assert_int_equal(virtio_net_transmit(&card.net, parts, 0, 0, NULL, &parts), VIRTIO_ERROR_INVAL);
    assert_false(fake_tx_take(&card.dev));
    card_close();
}

static void full_transmit_ring_pushes_back_and_recovers(void **state)
{
    uint8_t *frame;
    struct virtqueue_part part;

    (void)state;
    card_create_as(3, 0);
    card.dev.queue[TX].size = 8;
    assert_int_equal(card_open(), 0);
    frame = card_frame(60, HEADROOM, 1);
    part = (struct virtqueue_part){frame, 60};
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(virtio_net_transmit(&card.net, &part, 1, HEADROOM, NULL, frame + i), 0);
    }
    assert_int_equal(virtio_net_transmit(&card.net, &part, 1, HEADROOM, NULL, frame),
                     VIRTIO_ERROR_FULL);
    assert_int_equal(card.net.counters.tx_full, 1);
    virtio_net_flush(&card.net);
    assert_int_equal(card.dev.queue[TX].doorbells, 1); /* one for all of them */
    assert_int_equal(fake_tx_run(&card.dev), 8);
    assert_int_equal(card.dev.queue[TX].interrupts, 0); /* polling finds them without interrupts */
    virtio_net_poll(&card.net, 0);
    assert_int_equal(card.sents, 8);
    for (unsigned i = 0; i < 8; i++) {
        assert_ptr_equal(card.sent[i], frame + i);
        assert_int_equal(virtio_net_transmit(&card.net, &part, 1, HEADROOM, NULL, frame + i), 0);
    }
    card_free_frame(frame, HEADROOM);
    card_close(); /* with 8 in flight, which are returned */
    assert_int_equal(card.sents, 16);
}

static void received_frames_begin_behind_the_header(void **state)
{
    uint8_t sent[1514];

    (void)state;
    for (unsigned i = 0; i < sizeof sent; i++) {
        sent[i] = (uint8_t)(i * 3 + 1);
    }
    for (unsigned i = 0; i < FRAMINGS; i++) {
        open_framing(i, INDIRECT);
        for (size_t length = 14; length <= sizeof sent; length += 100) {
            assert_true(fake_rx(&card.dev, sent, length));
            assert_int_equal(virtio_net_poll(&card.net, 4), 1);
            assert_int_equal(card.rx_length, length);
            assert_memory_equal(card.rx_data, sent, length);
            assert_int_equal(card.rx_parts, 1);
        }
        card_close();
    }
}

/* §5.1.6.3.1: room for the largest frame, with the header at the specified place. */
static void receive_buffers_have_the_right_layout(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FRAMINGS; i++) {
        struct fake_chain chain;
        size_t room = 0;

        open_framing(i, INDIRECT);
        assert_true(fake_take(&card.dev, RX, &chain));
        assert_int_equal(chain.count, framings[i].joined ? 1 : 2);
        if (chain.count == 2) {
            assert_int_equal(chain.part[0].length, framings[i].header);
        }
        for (unsigned p = 0; p < chain.count; p++) {
            assert_true(chain.part[p].write);
            room += chain.part[p].length;
        }
        assert_true(room >= framings[i].header + 1514);
        card_close();
    }
}

/* The IP header, which follows the Ethernet header, is aligned to four bytes. */
static void received_packets_are_aligned(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FRAMINGS; i++) {
        struct fake_chain chain;

        for (uint32_t size = 0; size <= 40; size += 8) {
            card_create_as(framings[i].interface, framings[i].features);
            card.client.private_size = size;
            assert_int_equal(card_open(), 0);
            assert_true(fake_take(&card.dev, RX, &chain));
            assert_int_equal((chain.part[0].address + framings[i].header + 14) % 4, 0);
            card_close();
        }
    }
}

static void num_buffers_means_nothing_without_mrg_rxbuf(void **state)
{
    (void)state;
    open_framing(7, 0);
    card.dev.lie_num_buffers = 3;
    assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
    assert_int_equal(virtio_net_poll(&card.net, 4), 1);
    assert_int_equal(card.rx_frames, 1);
    assert_int_equal(card.net.counters.rx_bad, 0);
    card_close();
}

static uint8_t large[9000];

static void fill_large(void)
{
    for (unsigned i = 0; i < sizeof large; i++) {
        large[i] = (uint8_t)(i ^ i >> 7);
    }
}

static void merged_frames_are_put_together(void **state)
{
    (void)state;
    fill_large();
    for (unsigned i = 0; i < FRAMINGS; i++) {
        if (!(framings[i].features & MRG)) {
            continue;
        }
        card_create_as(framings[i].interface, framings[i].features);
        card.options.rx_initial = 20;
        assert_int_equal(card_open(), 0);
        for (size_t length = 1400; length <= sizeof large; length += 400) {
            assert_true(fake_rx(&card.dev, large, length));
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
            assert_int_equal(virtio_net_poll(&card.net, 1), 1);
            assert_int_equal(card.rx_length, length);
            assert_memory_equal(card.rx_data, large, length);
            assert_int_equal(virtio_net_poll(&card.net, 1), 1);
            assert_int_equal(card.rx_length, 14);
        }
        card_close();
    }
}

/*
 * virtio_net.h: the client may write as many bytes before the data as a header has, in each buffer.
 */
static void client_may_write_before_the_data(void **state)
{
    (void)state;
    fill_large();
    for (unsigned i = 0; i < FRAMINGS; i++) {
        card_create_as(framings[i].interface, framings[i].features);
        card.options.rx_initial = 20;
        card.uses_room = true;
        assert_int_equal(card_open(), 0);
        assert_true(fake_rx(&card.dev, large, framings[i].features & MRG ? 4000 : 1000));
        assert_int_equal(virtio_net_poll(&card.net, 1), 1);
        card_close();
    }
}

static void bytes_of_all_parts_are_counted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        uint8_t *frame;

        card_create_as(i, 0);
        assert_int_equal(card_open(), 0);
        frame = card_frame(100, 0, 1);
        assert_int_equal(
            virtio_net_transmit(&card.net, (struct virtqueue_part[]){{frame, 14}, {frame + 14, 86}},
                                2, 0, NULL, frame),
            0);
        assert_int_equal(card.net.counters.tx_frames, 1);
        assert_int_equal(card.net.counters.tx_bytes, 100);
        card_free_frame(frame, 0);
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transmitted_frames_begin_with_the_right_header),
        cmocka_unit_test(offloads_are_in_the_header),
        cmocka_unit_test(received_offloads_reach_the_client),
        cmocka_unit_test(frames_of_too_many_parts_are_refused),
        cmocka_unit_test(full_transmit_ring_pushes_back_and_recovers),
        cmocka_unit_test(received_frames_begin_behind_the_header),
        cmocka_unit_test(receive_buffers_have_the_right_layout),
        cmocka_unit_test(received_packets_are_aligned),
        cmocka_unit_test(num_buffers_means_nothing_without_mrg_rxbuf),
        cmocka_unit_test(merged_frames_are_put_together),
        cmocka_unit_test(client_may_write_before_the_data),
        cmocka_unit_test(bytes_of_all_parts_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

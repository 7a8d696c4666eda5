/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed ring byte by byte: laps, events and lying devices. */
#include <string.h>

#include "fake_vq.h"

#define EVENT_IDX ((uint64_t)1 << VIRTIO_F_EVENT_IDX)

/* The bytes of the ring at this offset in the descriptor area. */
static const uint8_t *ring(unsigned offset)
{
    return (const uint8_t *)fake_dma(card.dev.queue[VQ].desc, 16u * vq.size) + offset;
}

static void check_bytes(const uint8_t *at, const uint8_t *expected, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (at[i] != expected[i]) {
            fail_msg("byte %zu is 0x%02x, not 0x%02x", i, at[i], expected[i]);
        }
    }
}

/* Checks a descriptor as written by the driver: little-endian on any processor. */
static void check_desc(const uint8_t *at, const void *memory, uint32_t length, uint16_t id,
                       uint16_t flags)
{
    uint64_t address = 0;
    uint8_t expected[16];

    for (unsigned i = 0; i < 8; i++) {
        address |= (uint64_t)at[i] << 8 * i;
        expected[i] = at[i];
    }
    if (!(flags & 2)) { /* otherwise the device has not used it */
        check_bytes(fake_dma(address, length), memory, length);
    }
    for (unsigned i = 0; i < 4; i++) {
        expected[8 + i] = (uint8_t)(length >> 8 * i);
    }
    expected[12] = (uint8_t)id;
    expected[13] = (uint8_t)(id >> 8);
    expected[14] = (uint8_t)flags;
    expected[15] = (uint8_t)(flags >> 8);
    check_bytes(at, expected, sizeof expected);
}

/* §2.8.1, §2.8.6: in a lap with the wrap counter 1 AVAIL (0x80) is set, in the next one USED
 * (0x8000); NEXT is 1, WRITE is 2. Three parts in a ring of four lie over its end. */
static void descriptors_are_what_the_specification_says(void **state)
{
    static const struct {
        unsigned offset;
        uint16_t flags;
    } chain[][3] = {
        {{0, 0x0081}, {1, 0x0083}, {2, 0x0082}}, {{3, 0x0081}, {0, 0x8003}, {1, 0x8002}},
        {{2, 0x8001}, {3, 0x8003}, {0, 0x0082}}, {{1, 0x0081}, {2, 0x0083}, {3, 0x0082}},
        {{0, 0x8001}, {1, 0x8003}, {2, 0x8002}},
    };

    (void)state;
    vq_start(CARD_PACKED, 0, 4, 0);
    assert_int_equal(card.dev.queue[VQ].driver_size, 4);
    for (unsigned n = 0; n < 5; n++) {
        uint16_t id = vq.free_head;

        assert_int_equal(vq_add(1, 2, 1), 0);
        for (unsigned i = 0; i < 3; i++) {
            check_desc(ring(16 * chain[n][i].offset), vq_memory + (size_t)64 * i, 10 + i, id,
                       chain[n][i].flags);
        }
        vq_take_and_use();
        assert_int_equal(vq_get(), 1);
    }
    vq_stop();
}

/* §2.8.7: in the table no flag but WRITE; the descriptor of it has INDIRECT (4) and no other. */
static void tables_are_what_the_specification_says(void **state)
{
    (void)state;
    vq_start(CARD_PACKED, virtio_bit(VIRTIO_F_INDIRECT_DESC), 2, 1);
    for (unsigned n = 0; n < 6; n++) {
        uint16_t id = vq.free_head;
        const uint8_t *table = vq.tables;

        assert_int_equal(vq_add(1, 1, 1), 0);
        check_desc(ring(16 * (n % 2)), table, 32, id, n / 2 % 2 == 0 ? 0x0084 : 0x8004);
        check_desc(table, vq_memory, 10, 0, 0);
        check_desc(table + 16, vq_memory + 64, 11, 0, 2);
        vq_take_and_use();
        assert_int_equal(vq_get(), 1);
    }
    vq_stop();
}

/* §2.8: the size need not be a power of two; the driver takes as many as it wants, at most. */
static void queues_have_any_size(void **state)
{
    static const uint16_t sizes[] = {1, 2, 3, 5, 48, 100, 255, 257, 1000, 32767, 32768};

    (void)state;
    for (unsigned n = 0; n < sizeof sizes / sizeof sizes[0]; n++) {
        unsigned size = sizes[n];

        vq_start(CARD_PACKED, EVENT_IDX, sizes[n], 0);
        fake_platform.on_dma_address = NULL; /* too many to check each time */
        assert_int_equal(vq.size, size);
        for (unsigned lap = 0; lap < 3; lap++) {
            unsigned count = lap == 1 ? size - size / 3 : size;

            for (unsigned i = 0; i < count; i++) {
                assert_int_equal(vq_add(1, 0, i + 1), 0);
            }
            if (count == size) {
                assert_int_equal(vq_add(1, 0, 1), VIRTIO_ERROR_FULL);
            }
            assert_true(virtqueue_kick(&vq) || lap != 0);
            for (unsigned i = 0; i < count; i++) {
                vq_take_and_use();
                assert_int_equal(vq_get(), i + 1);
            }
            assert_int_equal(vq_get(), 0);
        }
        vq_stop();
    }
}

static void impossible_sizes_are_refused(void **state)
{
    static const uint16_t sizes[] = {0, 32769, 65535};

    (void)state;
    for (unsigned n = 0; n < 3; n++) {
        card_create_as(CARD_PACKED, 0);
        card.dev.queue[VQ].size = sizes[n];
        assert_int_equal(card_open(), VIRTIO_ERROR_IO);
        assert_int_equal(fake_platform.live, 0);
    }
    card_create_as(CARD_PACKED, 0); /* odd sizes are accepted */
    card.dev.queue[VIRTIO_NET_QUEUE_RX].size = 77;
    card.dev.queue[VIRTIO_NET_QUEUE_TX].size = 33;
    assert_int_equal(card_open(), 0);
    assert_int_equal(card.dev.queue[VIRTIO_NET_QUEUE_RX].driver_size, 77);
    assert_int_equal(card.dev.queue[VIRTIO_NET_QUEUE_TX].driver_size, 33);
    card_close();
}

static void check_driver_event(const uint8_t *expected, size_t length)
{
    check_bytes(fake_dma(card.dev.queue[VQ].avail, 4), expected, length);
}

/* Bytes of the driver's event suppression structure: offset and wrap counter, flags. */
static void interrupts_are_asked_for_in_bytes(void **state)
{
    (void)state;
    vq_start(CARD_PACKED, EVENT_IDX, 4, 0);
    virtqueue_interrupts_off(&vq);
    check_driver_event((const uint8_t[]){0, 0, 1, 0}, 4);
    for (unsigned n = 0; n < 8; n++) { /* two laps */
        const uint8_t expected[4] = {(uint8_t)(n % 4), n < 4 ? 0x80 : 0, 2, 0};

        assert_false(virtqueue_interrupts_on(&vq, 1));
        check_driver_event(expected, 4);
        assert_int_equal(vq_add(1, 0, 1), 0);
        assert_int_equal(vq_add(1, 0, 2), 0);
        assert_false(virtqueue_interrupts_on(&vq, 2));
        check_driver_event((const uint8_t[]){(uint8_t)((n + 1) % 4), (n + 1) / 4 % 2 ? 0 : 0x80, 2},
                           3);
        vq_take_and_use();
        assert_true(virtqueue_interrupts_on(&vq, 1));
        assert_int_equal(card.dev.queue[VQ].interrupts, n);
        assert_false(virtqueue_interrupts_on(&vq, 2));
        vq_take_and_use();
        assert_int_equal(card.dev.queue[VQ].interrupts, n + 1);
        assert_true(virtqueue_interrupts_on(&vq, 2));
        assert_int_equal(vq_get(), 1);
        assert_int_equal(vq_get(), 2);
        assert_int_equal(vq_get(), 0);
        n++; /* two were used */
        card.dev.queue[VQ].interrupts = n + 1;
    }
    vq_stop();
    vq_start(CARD_PACKED, 0, 4, 0);
    assert_false(virtqueue_interrupts_on(&vq, 1));
    check_driver_event((const uint8_t[]){0, 0, 0, 0}, 4);
    virtqueue_interrupts_off(&vq);
    check_driver_event((const uint8_t[]){0, 0, 1, 0}, 4);
    vq_stop();
}

/* §2.8.3: the flag says whether anything was written; QEMU leaves it out. */
static void lengths_count_without_the_write_flag(void **state)
{
    (void)state;
    for (unsigned omits = 0; omits < 2; omits++) {
        struct fake_chain chain;

        vq_start(CARD_PACKED, 0, 4, 0);
        card.dev.omits_write_flag = omits;
        for (unsigned n = 0; n < 10; n++) {
            assert_int_equal(vq_add(0, 2, n + 1), 0); /* 21 bytes */
            assert_true(fake_take(&card.dev, VQ, &chain));
            fake_use(&card.dev, VQ, chain.head, n + 12);
            assert_int_equal(vq_get(), n + 1);
            assert_int_equal(vq_length, n + 12);
        }
        assert_int_equal(vq_add(0, 2, 1), 0);
        assert_true(fake_take(&card.dev, VQ, &chain));
        fake_use(&card.dev, VQ, chain.head, 22);
        assert_int_equal(vq_get(), 1);
        assert_int_equal(vq_length, 21);
        assert_int_equal(vq.counters.bad_length, 1);
        vq_stop();
    }
}

/* Flags of a previous lap, or invalid ones, do not mark a descriptor as used. */
static void flags_of_another_lap_are_not_used(void **state)
{
    static const uint16_t flags[2][3] = {{0x0000, 0x0080, 0x8000}, {0x8080, 0x0080, 0x8000}};

    (void)state;
    vq_start(CARD_PACKED, 0, 2, 0);
    for (unsigned n = 0; n < 8; n++) {
        uint8_t *desc = (uint8_t *)(uintptr_t)ring(16 * (n % 2));

        assert_int_equal(vq_add(1, 0, 1), 0);
        for (unsigned i = 0; i < 3; i++) {
            uint8_t kept[2] = {desc[14], desc[15]};

            desc[14] = (uint8_t)flags[n / 2 % 2][i];
            desc[15] = (uint8_t)(flags[n / 2 % 2][i] >> 8);
            assert_int_equal(vq_get(), 0);
            assert_false(virtqueue_interrupts_on(&vq, 1));
            memcpy(desc + 14, kept, 2);
        }
        vq_take_and_use();
        assert_int_equal(vq_get(), 1);
    }
    vq_stop();
}

/* A descriptor is marked as used though no buffer is in flight. */
static void used_descriptor_out_of_nothing_stops_the_queue(void **state)
{
    (void)state;
    for (unsigned before = 0; before < 7; before++) {
        vq_start(CARD_PACKED, EVENT_IDX, 4, 0);
        for (unsigned i = 0; i < before; i++) {
            assert_int_equal(vq_add(1, 0, 1), 0);
            vq_take_and_use();
            assert_int_equal(vq_get(), 1);
        }
        fake_use(&card.dev, VQ, 0, 0);
        assert_int_equal(vq_get(), 0);
        assert_int_equal(vq.counters.bad_index, 1);
        assert_true(fake_platform.lines > 0);
        assert_int_equal(vq_get(), 0);
        assert_int_equal(vq.counters.bad_index, 1);
        assert_int_equal(vq_add(1, 0, 1), VIRTIO_ERROR_BROKEN);
        assert_false(virtqueue_interrupts_on(&vq, 1));
        assert_false(virtqueue_kick(&vq));
        vq_stop();
    }
}

static void bad_ids_stop_the_queue(void **state)
{
    static const uint16_t ids[] = {5, 16, 17, 255, 0x7fff, 0x8000, 0xffff};

    (void)state;
    for (unsigned parts = 1; parts <= 2; parts++) {
        for (unsigned n = 0; n < sizeof ids / sizeof ids[0]; n++) {
            struct fake_chain chain[2];

            vq_start(CARD_PACKED, 0, 16, 0);
            for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(vq_add(parts, 0, i + 1), 0);
                assert_true(fake_take(&card.dev, VQ, &chain[i]));
            }
            fake_use(&card.dev, VQ, ids[n], 0);
            assert_int_equal(vq_get(), 0);
            assert_int_equal(vq.counters.bad_id, 1);
            assert_non_null(vq.dev->trouble);
            fake_use(&card.dev, VQ, chain[1].head, 0);
            assert_int_equal(vq_get(), 0);
            assert_int_equal(virtio_device_reset(&card.vp.dev), 0);
            assert_ptr_equal(virtqueue_detach(&vq), (void *)1); /* no buffer is lost */
            assert_ptr_equal(virtqueue_detach(&vq), (void *)2);
            vq_stop();
        }
    }
}

/* Rings filled with random data that is partly plausible: no access may leave its block. */
static void rings_full_of_noise_do_no_harm(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 600; round++) {
        uint8_t *bytes;

        vq_start(CARD_PACKED, round % 2 ? virtio_bit(VIRTIO_F_IN_ORDER) : 0, 32, 0);
        fake_platform.on_dma_address = NULL;
        bytes = (uint8_t *)(uintptr_t)ring(0);
        for (unsigned pass = 0; pass < 20; pass++) {
            for (unsigned i = 0; i < 10; i++) {
                vq_add(1 + (round / 2 % 2 ? vq_random(3) : 0), 0, 1);
            }
            for (unsigned i = 0; i < 32; i++) {
                bytes[16 * i + 12] = (uint8_t)vq_random(round % 3 ? 32 : 40);
                bytes[16 * i + 13] = vq_random(20) == 0;
                bytes[16 * i + 14] = vq_random(2) ? 0x80 : 0;
                bytes[16 * i + 15] = bytes[16 * i + 14] ^ (vq_random(8) == 0 ? 0x80 : 0);
            }
            for (unsigned i = 0; i < 20; i++) {
                vq_get();
            }
            assert_true(vq.in_flight <= 32 && vq.free_count <= 32);
        }
        vq_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_what_the_specification_says),
        cmocka_unit_test(tables_are_what_the_specification_says),
        cmocka_unit_test(queues_have_any_size),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(interrupts_are_asked_for_in_bytes),
        cmocka_unit_test(lengths_count_without_the_write_flag),
        cmocka_unit_test(flags_of_another_lap_are_not_used),
        cmocka_unit_test(used_descriptor_out_of_nothing_stops_the_queue),
        cmocka_unit_test(bad_ids_stop_the_queue),
        cmocka_unit_test(rings_full_of_noise_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

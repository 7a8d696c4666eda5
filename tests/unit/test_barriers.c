/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks that barriers are executed, and between which accesses: earlier writes must be in memory
 * at that time, and later reads must not have happened. The host cannot tell which instruction is
 * used.
 */
#include <string.h>

#include "fake_vq.h"

enum { SIZE = 16, TABLES = 2 };

static const unsigned rings[] = {0, 3, CARD_PACKED};
enum { RINGS = sizeof rings / sizeof rings[0] };

static unsigned fences;

/* The queue's memory, with tables, as of the last release fence. */
static uint8_t seen[8192];

static void copy_memory(uint8_t *to)
{
    size_t tables = vq.table_count * vq.table_parts * sizeof(struct virtq_desc);

    assert_true(vq.area_size + tables <= sizeof seen);
    memcpy(to, vq.descriptor_area, vq.area_size);
    if (tables != 0) {
        memcpy(to + vq.area_size, vq.tables, tables);
    }
}

static void look_at_release(int order)
{
    if (order == __ATOMIC_RELEASE) {
        fences++;
        copy_memory(seen);
    }
}

/* True if byte i of the queue's memory is one of the two bytes at this device address. */
static bool is_at(size_t i, uint64_t address)
{
    size_t at = (size_t)((uint8_t *)fake_dma(address, 2) - (uint8_t *)vq.descriptor_area);

    return i == at || i == at + 1;
}

/*
 * §2.7.13.3.1, §2.8.21.3.1, §2.8.16: after the barrier only the index, or the first descriptor's
 * flags, is written, which makes the buffer visible to the device.
 */
static void buffer_is_written_before_it_is_shown(void **state)
{
    static uint8_t after[sizeof seen];

    (void)state;
    for (unsigned n = 0; n < RINGS * 100; n++) {
        bool packed = rings[n / 100] == CARD_PACKED;
        unsigned parts = 1 + n % 4;

        if (n % 100 == 0) {
            vq_start(rings[n / 100], virtio_bit(VIRTIO_F_INDIRECT_DESC), SIZE,
                     rings[n / 100] == 0 ? 0 : TABLES);
        }
        if (virtqueue_has_room(&vq, parts)) {
            const struct fake_queue *q = &card.dev.queue[VQ];
            unsigned place = vq.avail_idx & PVIRTQ_OFF;
            unsigned changed = 0;

            fences = 0;
            fake_platform.on_fence = look_at_release;
            assert_int_equal(vq_add(1, parts - 1, 1), 0);
            fake_platform.on_fence = NULL;
            assert_int_equal(fences, 1);
            copy_memory(after);
            for (size_t i = 0; i < sizeof after; i++) {
                if (after[i] != seen[i]) {
                    changed++;
                    assert_true(is_at(i, packed ? q->desc + 16u * place + 14 : q->avail + 2));
                }
            }
            assert_in_range(changed, 1, 2);
        }
        if (n % 3 == 0) {
            vq_take_and_use();
            assert_int_equal(vq_get(), 1);
        }
        if (n % 100 == 99) {
            vq_stop();
        }
    }
}

static void ask_for_a_kick(int order)
{
    if (order == __ATOMIC_SEQ_CST) {
        fences++;
        fake_want_kick(&card.dev, VQ, true);
    }
}

/*
 * §2.7.13.4.1, §2.8.21.4.1: the buffer is published, then the barrier, then the driver reads
 * whether the device wants a notification: a device that looked before and asks now gets one.
 */
static void suppression_is_read_behind_the_barrier(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2 * RINGS; n++) {
        vq_start(rings[n / 2], n % 2 ? virtio_bit(VIRTIO_F_EVENT_IDX) : 0, SIZE, 0);
        fake_want_kick(&card.dev, VQ, false);
        assert_int_equal(vq_add(1, 0, 1), 0);
        fences = 0;
        fake_platform.on_fence = ask_for_a_kick;
        assert_true(virtqueue_kick(&vq));
        fake_platform.on_fence = NULL;
        assert_int_equal(fences, 1);
        vq_stop();
    }
}

static uint32_t used_id;

/* Writes now what the driver must read after the barrier. */
static void write_the_entry(int order)
{
    struct fake_queue *q = &card.dev.queue[VQ];

    if (order != __ATOMIC_ACQUIRE) {
        return;
    }
    fences++;
    if (fake_packed(&card.dev)) {
        fake_put(&card.dev, fake_dma(q->desc + 8, 4), 4, 5);
        fake_put(&card.dev, fake_dma(q->desc + 12, 2), 2, used_id);
    } else {
        fake_put(&card.dev, fake_dma(q->used + 4, 4), 4, used_id);
        fake_put(&card.dev, fake_dma(q->used + 8, 4), 4, 5);
    }
}

/* A used entry is read after the barrier that follows the read of the index or flags. */
static void used_entry_is_read_behind_the_barrier(void **state)
{
    (void)state;
    for (unsigned r = 0; r < RINGS; r++) {
        struct fake_chain chain;

        vq_start(rings[r], 0, SIZE, 0);
        assert_int_equal(vq_add(0, 1, 1), 0);
        assert_true(fake_take(&card.dev, VQ, &chain));
        used_id = chain.head;
        fake_use(&card.dev, VQ, chain.head ^ 7u, 9); /* to be written later */
        fences = 0;
        fake_platform.on_fence = write_the_entry;
        assert_int_equal(vq_get(), 1);
        fake_platform.on_fence = NULL;
        assert_int_equal(vq_length, 5);
        assert_int_equal(fences, 1);
        vq_stop();
    }
}

static void use_a_buffer(int order)
{
    if (order == __ATOMIC_SEQ_CST && fences++ == 0) {
        vq_take_and_use();
    }
}

/* The interrupt is requested, then the barrier, then the driver checks the ring again. */
static void ring_is_looked_at_behind_the_barrier(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2 * RINGS; n++) {
        vq_start(rings[n / 2], n % 2 ? virtio_bit(VIRTIO_F_EVENT_IDX) : 0, SIZE, 0);
        assert_int_equal(vq_add(1, 0, 1), 0);
        fences = 0;
        fake_platform.on_fence = use_a_buffer;
        assert_true(virtqueue_interrupts_on(&vq, 1));
        fake_platform.on_fence = NULL;
        assert_int_equal(fences, 1);
        assert_int_equal(card.dev.queue[VQ].interrupts, 1); /* it was requested before */
        vq_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_is_written_before_it_is_shown),
        cmocka_unit_test(suppression_is_read_behind_the_barrier),
        cmocka_unit_test(used_entry_is_read_behind_the_barrier),
        cmocka_unit_test(ring_is_looked_at_behind_the_barrier),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

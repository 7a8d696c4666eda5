/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of virtio/virtio_pool.h: blocks are aligned, zeroed, apart from each other, and all of them come back. */
#include "fake_card.h"

#include <string.h>

#include "virtio/virtio_pool.h"

enum { BYTES = 40000, BLOCKS = 40, UNIT = 2 * sizeof(void *) };

static _Alignas(4096) uint8_t memory[BYTES];
static struct virtio_pool pool;

static void blocks_do_not_overlap(void **state)
{
    struct {
        uint8_t *at;
        size_t size;
    } block[BLOCKS] = {{0}};
    uint32_t random = 1;

    (void)state;
    memset(memory, 0xa5, sizeof memory);
    virtio_pool_init(&pool, memory + 1, sizeof memory - 2);
    for (unsigned round = 0; round < 20000; round++) {
        unsigned i = (random = random * 1103515245 + 12345) >> 16 & 0x3f;

        if (i >= BLOCKS) {
            continue;
        }
        for (size_t n = 0; n < block[i].size; n++) {
            assert_int_equal(block[i].at[n], i + 1);
        }
        if (block[i].at != NULL) {
            virtio_pool_free(&pool, block[i].at);
            block[i].at = NULL;
            block[i].size = 0;
        } else {
            size_t size = random >> 8 & 0x7ff, align = (size_t)1 << (random >> 4 & 0xf) % 13;

            block[i].at = virtio_pool_alloc(&pool, size, align);
            block[i].size = block[i].at != NULL ? size : 0;
            assert_int_equal((uintptr_t)block[i].at % align, 0);
            for (size_t n = 0; n < block[i].size; n++) {
                assert_int_equal(block[i].at[n], 0);
                block[i].at[n] = (uint8_t)(i + 1);
            }
        }
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        virtio_pool_free(&pool, block[i].at);
    }
    assert_int_equal(pool.used, 0);
    assert_in_range(pool.peak, 1, sizeof memory);
    assert_true(memory[0] == 0xa5 && memory[sizeof memory - 1] == 0xa5);
    /* All of it is one block again. */
    assert_non_null(virtio_pool_alloc(&pool, sizeof memory - 3 * UNIT, 1));
}

static void what_does_not_fit_is_refused(void **state)
{
    void *first;

    (void)state;
    virtio_pool_init(&pool, memory, 7);
    assert_null(virtio_pool_alloc(&pool, 1, 1));
    virtio_pool_init(&pool, memory, 8192);
    assert_null(virtio_pool_alloc(&pool, 8192, 1));
    assert_null(virtio_pool_alloc(&pool, SIZE_MAX, 1));
    assert_null(virtio_pool_alloc(&pool, SIZE_MAX - 2 * UNIT, 1));
    first = virtio_pool_alloc(&pool, 4096, 4096);
    assert_ptr_equal(first, memory + 4096);
    assert_null(virtio_pool_alloc(&pool, 1, 4096));
    assert_non_null(virtio_pool_alloc(&pool, 4096 - 2 * UNIT, 1)); /* before it */
    assert_null(virtio_pool_alloc(&pool, 1, 1));
    assert_int_equal(pool.used, 8192);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_do_not_overlap),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

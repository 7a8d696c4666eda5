/* SPDX-License-Identifier: BSD-2-Clause */
/* The platform of fake_platform.h. */
#include "fake_platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_pci.h"
#include "virtio/internal/virtqueue_map.h"

/* A block's device address is its number times this; a ring of 32,768 entries fits. */
#define STRIDE ((uint64_t)1 << 20)
enum { BLOCKS = 3000, COPIES = 40000, ALIGNED = 64 };

struct block {
    uint8_t *memory;
    size_t size;
    const void *of; /* of a copy: the original */
    enum virtio_direction direction;
    uint64_t offset; /* a copy has the original's offset */
    unsigned shared; /* of a block: number of mappings */
};

/* Block 0 is not used, so no device address is 0. Copies follow after BLOCKS. */
static struct block blocks[BLOCKS + COPIES];
static unsigned next_block, next_copy;
struct fake_platform fake_platform;

void fake_platform_reset(void)
{
    for (unsigned i = 0; i < BLOCKS + COPIES; i++) {
        if (blocks[i].memory != NULL) {
            free(blocks[i].memory);
            blocks[i] = (struct block){0};
        }
    }
    next_block = next_copy = 0;
    memset(&fake_platform, 0, sizeof fake_platform);
}

void *virtio_platform_alloc(size_t size, size_t align)
{
    void *memory = NULL;

    fake_platform.allocations++;
    if (fake_platform.fail_all || (fake_platform.fail_nth != 0 && --fake_platform.fail_nth == 0)) {
        return NULL;
    }
    assert_true(size > 0 && size <= STRIDE && align > 0 && (align & (align - 1)) == 0);
    assert_int_equal(posix_memalign(&memory, align < sizeof(void *) ? sizeof(void *) : align, size),
                     0);
    memset(memory, 0, size);
    fake_platform.largest = size > fake_platform.largest ? size : fake_platform.largest;
    /* Numbers are reused as late as possible, so that stale addresses are detected. */
    for (unsigned i = 1; i < BLOCKS; i++) {
        next_block = next_block % (BLOCKS - 1) + 1;
        if (blocks[next_block].memory == NULL) {
            blocks[next_block] = (struct block){.memory = memory, .size = size};
            fake_platform.live++;
            return memory;
        }
    }
    fail_msg("too many blocks");
    return NULL;
}

static bool holds(const struct block *block, const uint8_t *at)
{
    return block->memory != NULL && at >= block->memory && at < block->memory + block->size;
}

static unsigned find_block(const void *memory)
{
    static unsigned last; /* usually the same again */

    if (holds(&blocks[last], memory)) {
        return last;
    }
    for (unsigned i = 1; i < BLOCKS; i++) {
        if (holds(&blocks[i], memory)) {
            return last = i;
        }
    }
    fail_msg("%p is not in memory that the device can reach", memory);
    return 0;
}

void virtio_platform_free(void *memory)
{
    if (memory != NULL) {
        unsigned i = find_block(memory);
        struct block *block = &blocks[i];

        assert_ptr_equal(memory, block->memory);
        assert_int_equal(block->shared, 0);
        if (fake_platform.on_free != NULL) {
            fake_platform.on_free(fake_platform.on_free_context,
                                  fake_platform.dma_base + i * STRIDE, block->size);
        }
        free(memory);
        *block = (struct block){0};
        fake_platform.live--;
    }
}

uint64_t fake_address(const void *memory, bool bus)
{
    unsigned i = find_block(memory);

    return fake_platform.dma_base + (bus ? fake_platform.bus_base : 0) + i * STRIDE +
           (uint64_t)((const uint8_t *)memory - blocks[i].memory);
}

static unsigned new_copy(void)
{
    for (unsigned i = 0; i < COPIES; i++) {
        next_copy = (next_copy + 1) % COPIES;
        if (blocks[BLOCKS + next_copy].memory == NULL) {
            return BLOCKS + next_copy;
        }
    }
    fail_msg("too much is mapped");
    return 0;
}

uint64_t virtio_platform_map(const void *memory, size_t length, enum virtio_direction direction,
                             bool bus)
{
    struct block *block;
    unsigned i;

    if (direction == VIRTIO_DEVICE_SHARES) {
        if (fake_platform.fail_share != 0 && --fake_platform.fail_share == 0) {
            return VIRTIO_UNMAPPED;
        }
        i = find_block(memory);
        assert_ptr_equal(memory, blocks[i].memory);
        assert_int_equal(length, blocks[i].size);
        blocks[i].shared++;
        fake_platform.mapped++;
        return fake_address(memory, bus);
    }
    if (fake_platform.fail_map != 0 && --fake_platform.fail_map == 0) {
        return VIRTIO_UNMAPPED;
    }
    assert_true(length > 0 && length <= STRIDE - ALIGNED);
    i = new_copy();
    block = &blocks[i];
    *block = (struct block){.memory = malloc(length),
                            .size = length,
                            .of = memory,
                            .direction = direction,
                            .offset = (uintptr_t)memory % ALIGNED};
    if (direction == VIRTIO_DEVICE_READS) {
        memcpy(block->memory, memory, length);
    } else {
        memset(block->memory, 0xd5, length);
    }
    fake_platform.mapped++;
    return fake_platform.dma_base + (bus ? fake_platform.bus_base : 0) + i * STRIDE + block->offset;
}

void virtio_platform_unmap(uint64_t address, const void *memory, size_t length,
                           enum virtio_direction direction, bool bus)
{
    uint64_t base = fake_platform.dma_base + (bus ? fake_platform.bus_base : 0);
    struct block *block = &blocks[(address - base) / STRIDE];

    assert_true(address >= base && (address - base) / STRIDE < BLOCKS + COPIES);
    assert_int_equal((address - base) % STRIDE, block->offset);
    assert_non_null(block->memory);
    assert_int_equal(length, block->size);
    fake_platform.mapped--;
    if (direction == VIRTIO_DEVICE_SHARES) {
        assert_ptr_equal(memory, block->memory);
        assert_true(block->shared-- > 0);
        return;
    }
    assert_ptr_equal(memory, block->of);
    assert_int_equal(direction, block->direction);
    if (direction == VIRTIO_DEVICE_WRITES) {
        memcpy((void *)(uintptr_t)memory, block->memory, length);
    }
    free(block->memory);
    *block = (struct block){0};
}

/*
 * Called by the linker's --wrap instead of virtqueue_address(), when a descriptor is about to be
 * written.
 */
uint64_t __real_virtqueue_address(const struct virtqueue *vq, const struct virtqueue_part *part,
                                  struct virtqueue_cursor *cursor);
uint64_t __wrap_virtqueue_address(const struct virtqueue *vq, const struct virtqueue_part *part,
                                  struct virtqueue_cursor *cursor);
uint64_t __wrap_virtqueue_address(const struct virtqueue *vq, const struct virtqueue_part *part,
                                  struct virtqueue_cursor *cursor)
{
    if (fake_platform.on_dma_address != NULL) {
        fake_platform.on_dma_address();
    }
    return __real_virtqueue_address(vq, part, cursor);
}

void *fake_dma(uint64_t address, size_t length)
{
    uint64_t base = fake_platform.dma_base + fake_platform.bus_base;
    uint64_t block = (address - base) / STRIDE;
    uint64_t offset = (address - base) % STRIDE - blocks[block % (BLOCKS + COPIES)].offset;

    if (address < base || block == 0 || block >= BLOCKS + COPIES || blocks[block].memory == NULL ||
        offset > blocks[block].size || offset + length > blocks[block].size) {
        fail_msg("the device was given 0x%llx, %zu bytes", (unsigned long long)address, length);
    }
    return blocks[block].memory + offset;
}

static void fence(int order)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (fake_platform.on_fence != NULL) {
        fake_platform.on_fence(order);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void virtio_mb(void)
{
    fence(__ATOMIC_SEQ_CST);
}

void virtio_rmb(void)
{
    fence(__ATOMIC_ACQUIRE);
}

void virtio_wmb(void)
{
    fence(__ATOMIC_RELEASE);
}

uint64_t virtio_platform_clock_ns(void)
{
    fake_platform.clock_ns += fake_platform.clock_step;
    return fake_platform.clock_ns;
}

void virtio_platform_broken(const char *rule)
{
    mock_assert(0, rule, "virtio_platform_broken()", 0);
}

void virtio_platform_log(const char *format, ...)
{
    size_t used = strlen(fake_platform.log);
    va_list args;

    va_start(args, format);
    vsnprintf(fake_platform.log + used, sizeof fake_platform.log - used - 1, format, args);
    va_end(args);
    strcat(fake_platform.log, "\n");
    fake_platform.lines++;
    if (fake_platform.on_log != NULL) {
        fake_platform.on_log();
    }
}

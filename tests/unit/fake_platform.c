/* SPDX-License-Identifier: BSD-2-Clause */
/* The platform of fake_platform.h. */
#include "fake_platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_pci.h"

/* A block's number times this is its device address: a ring of 32,768 entries fits. */
#define STRIDE ((uint64_t)1 << 20)
enum { BLOCKS = 3000 };

struct block {
    uint8_t *memory;
    size_t size;
};

static struct block blocks[BLOCKS]; /* block 0 is not used: no device address is 0 */
static unsigned next_block;
struct fake_platform fake_platform;

void fake_platform_reset(void)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        free(blocks[i].memory);
        blocks[i] = (struct block){0};
    }
    next_block = 0;
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
    /* A number is used again as late as can be, so that stale addresses are caught. */
    for (unsigned i = 1; i < BLOCKS; i++) {
        next_block = next_block % (BLOCKS - 1) + 1;
        if (blocks[next_block].memory == NULL) {
            blocks[next_block] = (struct block){memory, size};
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
    static unsigned last; /* mostly the same again */

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
        if (fake_platform.on_free != NULL) {
            fake_platform.on_free(fake_platform.on_free_context,
                                  fake_platform.dma_base + i * STRIDE, block->size);
        }
        free(memory);
        *block = (struct block){0};
        fake_platform.live--;
    }
}

uint64_t virtio_platform_dma_address(const void *memory, bool bus)
{
    unsigned i = find_block(memory);

    if (fake_platform.on_dma_address != NULL) {
        fake_platform.on_dma_address();
    }
    return fake_platform.dma_base + (bus ? fake_platform.bus_base : 0) + i * STRIDE +
           (uint64_t)((const uint8_t *)memory - blocks[i].memory);
}

void *fake_dma(uint64_t address, size_t length)
{
    uint64_t base = fake_platform.dma_base + fake_platform.bus_base;
    uint64_t block = (address - base) / STRIDE;
    uint64_t offset = (address - base) % STRIDE;

    if (address < base || block == 0 || block >= BLOCKS || blocks[block].memory == NULL ||
        offset + length > blocks[block].size) {
        fail_msg("the device was given 0x%llx, %zu bytes", (unsigned long long)address, length);
    }
    return blocks[block].memory + offset;
}

uint64_t virtio_platform_clock_ns(void)
{
    fake_platform.clock_ns += fake_platform.clock_step;
    return fake_platform.clock_ns;
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
}

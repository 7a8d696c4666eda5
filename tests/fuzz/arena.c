/* SPDX-License-Identifier: BSD-2-Clause */
#include "arena.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"

enum {
    ARENA = 32 << 20,
    GRANULE = 16,
    REDZONE = 32,
    BLOCKS_MAX = 65535,
    FRESH = 0xa5, /* content of a block before it is written */
};

static uint8_t arena[ARENA] __attribute__((aligned(65536)));
static uint16_t block_of[ARENA / GRANULE];
static struct block {
    uint32_t at, size; /* in the arena; size 0: freed */
    uint32_t shared;   /* start of the shared bytes */
} blocks[BLOCKS_MAX + 1];
static unsigned last_block;
static uint32_t used = REDZONE; /* bytes of the arena, including gaps between blocks */
static unsigned live;
static size_t live_bytes;
static unsigned live_most; /* number of blocks; 0: no limit */

/* The states recorded by arena_keep(); the first one is always empty. */
static struct kept {
    uint8_t *bytes;
    struct block *blocks;
    unsigned last_block, live;
    uint32_t used;
    size_t live_bytes;
} keeps[3] = {{.used = REDZONE}};

static uint32_t align_up(uint32_t value, uint32_t align)
{
    return (value + align - 1) & ~(align - 1);
}

static void mark(const struct block *block, uint16_t number)
{
    for (uint32_t i = block->at / GRANULE; i < (block->at + block->size + GRANULE - 1) / GRANULE;
         i++) {
        block_of[i] = number;
    }
}

void *arena_take(size_t size, size_t align)
{
    uint32_t at = align_up(used + REDZONE, align < GRANULE ? GRANULE : (uint32_t)align);

    if (live_most != 0 && live >= live_most) {
        return NULL;
    }
    if (size == 0 || size > ARENA / 4 || at > ARENA - size - REDZONE || last_block == BLOCKS_MAX) {
        return NULL;
    }
    blocks[++last_block] = (struct block){at, (uint32_t)size, UINT32_MAX};
    mark(&blocks[last_block], (uint16_t)last_block);
    used = align_up(at + (uint32_t)size, GRANULE);
    live++;
    live_bytes += size;
    __asan_unpoison_memory_region(arena + at, size);
    memset(arena + at, FRESH, size);
    return arena + at;
}

unsigned arena_block(const void *at)
{
    uintptr_t offset = (uintptr_t)at - (uintptr_t)arena;
    unsigned number = offset < used ? block_of[offset / GRANULE] : FUZZ_NO_BLOCK;

    return number != FUZZ_NO_BLOCK && offset - blocks[number].at < blocks[number].size
               ? number
               : FUZZ_NO_BLOCK;
}

bool arena_holds(const void *at, size_t size)
{
    unsigned number = arena_block(at);
    uintptr_t offset = (uintptr_t)at - (uintptr_t)arena - blocks[number].at;

    return number != FUZZ_NO_BLOCK && size <= blocks[number].size - offset;
}

void arena_share(const void *from)
{
    struct block *block = &blocks[arena_block(from)];
    uint32_t offset = (uint32_t)((uintptr_t)from - (uintptr_t)arena) - block->at;

    block->shared = offset < block->shared ? offset : block->shared;
}

bool arena_shares(const void *at, size_t size)
{
    const struct block *block = &blocks[arena_block(at)];

    return arena_holds(at, size) && (uintptr_t)at - (uintptr_t)arena - block->at >= block->shared;
}

static unsigned block_at(const void *memory)
{
    unsigned number = arena_block(memory);

    fuzz_check(number != FUZZ_NO_BLOCK && arena + blocks[number].at == (const uint8_t *)memory,
               "memory is given back that is not a block, or was given back before");
    return number;
}

size_t arena_size(const void *memory)
{
    return blocks[block_at(memory)].size;
}

void arena_give(void *memory)
{
    struct block *block = &blocks[block_at(memory)];

    __asan_poison_memory_region(memory, block->size);
    mark(block, FUZZ_NO_BLOCK);
    live--;
    live_bytes -= block->size;
    block->size = 0;
}

unsigned arena_blocks(void)
{
    return live;
}

size_t arena_bytes(void)
{
    return live_bytes;
}

void arena_limit(unsigned count)
{
    live_most = count == 0 ? 0 : live + count;
}

uintptr_t arena_start(void)
{
    return (uintptr_t)arena;
}

size_t arena_length(void)
{
    return sizeof arena;
}

void arena_keep(unsigned which)
{
    size_t table = (last_block + 1) * sizeof blocks[0];
    struct kept kept = {malloc(used), malloc(table), last_block, live, used, live_bytes};

    keeps[which] = kept; /* permanently */
    memcpy(kept.blocks, blocks, table);
    for (unsigned i = 1; i <= last_block; i++) {
        if (blocks[i].size != 0) {
            memcpy(kept.bytes + blocks[i].at, arena + blocks[i].at, blocks[i].size);
        }
    }
}

void arena_reset(unsigned which)
{
    static bool poisoned;
    const struct kept kept = keeps[which];

    live_most = 0;
    __asan_poison_memory_region(arena, poisoned ? used : sizeof arena);
    poisoned = true;
    memset(block_of, 0, used / GRANULE * sizeof block_of[0]);
    last_block = kept.last_block;
    live = kept.live;
    live_bytes = kept.live_bytes;
    used = kept.used;
    for (unsigned i = 1; i <= last_block; i++) {
        blocks[i] = kept.blocks[i];
        if (blocks[i].size != 0) {
            mark(&blocks[i], (uint16_t)i);
            __asan_unpoison_memory_region(arena + blocks[i].at, blocks[i].size);
            memcpy(arena + blocks[i].at, kept.bytes + blocks[i].at, blocks[i].size);
        }
    }
}

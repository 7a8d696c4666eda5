/* SPDX-License-Identifier: BSD-2-Clause */
#include "runtime/memory.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/panic.h"

enum {
    MIN_ALIGN = 16,
    STEPS = 8,     /* size classes per power of two: rounding wastes at most 1/8 */
    MIN_SHIFT = 6, /* the smallest block: 64 bytes with its header */
    CLASSES = 26 * STEPS,
    SMALL = 2048, /* bytes: of blocks up to this size the class is looked up */
    SMALL_STEP = 8,
    MAGIC_USED = 0x55534544,
    MAGIC_FREE = 0x46524545,
};

/* Directly precedes the memory handed out. */
struct header {
    uint32_t magic;
    uint16_t size_class;
    uint16_t align_shift;
    struct header *next; /* only while free */
};
_Static_assert(sizeof(struct header) <= MIN_ALIGN, "header");

static uintptr_t arena_start;
static uintptr_t arena_next; /* the first byte that was never handed out */
static uintptr_t arena_end;
static struct header *free_list[CLASSES];
static size_t block_size[CLASSES]; /* bytes, with the header */
static uint8_t small_class[SMALL / SMALL_STEP + 1];
static size_t used;
static size_t peak;
static uint32_t refused;
static bool sealed;

/* The smallest class for a block of this size. */
static unsigned class_of(size_t size)
{
    unsigned shift;

    if (size <= 1u << MIN_SHIFT) {
        return 0;
    }
    shift = 31 - (unsigned)__builtin_clz((unsigned)(size - 1)); /* 2^shift <= size - 1 */
    return (shift - MIN_SHIFT) * STEPS + (unsigned)((size - 1) >> (shift - 3)) - STEPS + 1;
}

void memory_init(uintptr_t start, uintptr_t end)
{
    arena_start = (start + MIN_ALIGN - 1) & ~(uintptr_t)(MIN_ALIGN - 1);
    arena_next = arena_start;
    arena_end = end > arena_start ? end : arena_start;
    for (unsigned c = 0; c < CLASSES; c++) {
        block_size[c] = (size_t)(STEPS + c % STEPS) << (c / STEPS + MIN_SHIFT - 3);
    }
    for (unsigned i = 0; i <= SMALL / SMALL_STEP; i++) {
        small_class[i] = (uint8_t)class_of((size_t)i * SMALL_STEP);
    }
}

static struct header *take_free(unsigned size_class, unsigned align_shift)
{
    struct header **link = &free_list[size_class];

    /* Only the first block is checked: blocks with a large alignment are few and long-lived. */
    if (*link == NULL || (*link)->align_shift < align_shift) {
        return NULL;
    }
    struct header *block = *link;
    *link = block->next;
    return block;
}

static struct header *take_fresh(unsigned size_class, unsigned align_shift)
{
    size_t align = (size_t)1 << align_shift;
    uintptr_t memory = (arena_next + MIN_ALIGN + align - 1) & ~(uintptr_t)(align - 1);
    uintptr_t end = memory - MIN_ALIGN + block_size[size_class];
    struct header *block;

    if (memory < arena_next || end < memory || end > arena_end) {
        return NULL;
    }
    block = (struct header *)(memory - MIN_ALIGN);
    block->size_class = (uint16_t)size_class;
    block->align_shift = (uint16_t)align_shift;
    arena_next = end;
    return block;
}

static struct header *take_larger(unsigned size_class, unsigned align_shift)
{
    struct header *block = NULL;

    for (unsigned i = 1; i <= STEPS && size_class + i < CLASSES && block == NULL; i++) {
        block = take_free(size_class + i, align_shift);
    }
    return block;
}

static void *hand_out(struct header *block)
{
    block->magic = MAGIC_USED;
    used += block_size[block->size_class];
    if (used > peak) {
        peak = used;
    }
    return (uint8_t *)block + MIN_ALIGN;
}

void *memory_alloc(size_t size, size_t align)
{
    unsigned align_shift =
        (unsigned)__builtin_ctz((unsigned)(align < MIN_ALIGN ? MIN_ALIGN : align));
    struct header *block;
    unsigned size_class;

    if (size > (size_t)1 << 30) {
        refused++;
        return NULL;
    }
    size_class = class_of(size + MIN_ALIGN);
    block = take_free(size_class, align_shift);
    if (block == NULL) {
        block = sealed ? take_larger(size_class, align_shift) : take_fresh(size_class, align_shift);
    }
    if (block == NULL) {
        refused++;
        return NULL;
    }
    return hand_out(block);
}

void memory_free(void *memory)
{
    struct header *block;

    if (memory == NULL) {
        return;
    }
    block = (struct header *)((uint8_t *)memory - MIN_ALIGN);
    if (block->magic != MAGIC_USED) {
        panic("free of %p, which is not allocated%s", memory,
              block->magic == MAGIC_FREE ? " any more" : "");
    }
    block->magic = MAGIC_FREE;
    block->next = free_list[block->size_class];
    free_list[block->size_class] = block;
    used -= block_size[block->size_class];
}

bool memory_reserve(size_t size, size_t count)
{
    unsigned size_class = class_of(size + MIN_ALIGN);
    unsigned align_shift = (unsigned)__builtin_ctz(MIN_ALIGN);

    for (; count > 0; count--) {
        struct header *block = take_fresh(size_class, align_shift);

        if (block == NULL) {
            return false;
        }
        block->magic = MAGIC_FREE;
        block->next = free_list[size_class];
        free_list[size_class] = block;
    }
    return true;
}

void memory_seal(void)
{
    sealed = true;
}

struct memory_usage memory_usage(void)
{
    return (struct memory_usage){
        .total = arena_end - arena_start,
        .used = used,
        .peak = peak,
        .touched = arena_next - arena_start,
        .refused = refused,
        .sealed = sealed,
    };
}

/* Most blocks are small, and one of their class was freed before: any alignment will do. */
void *malloc(size_t size)
{
    if (size <= SMALL - MIN_ALIGN) {
        struct header **link =
            &free_list[small_class[(size + MIN_ALIGN + SMALL_STEP - 1) / SMALL_STEP]];
        struct header *block = *link;

        if (block != NULL) {
            *link = block->next;
            return hand_out(block);
        }
    }
    return memory_alloc(size, MIN_ALIGN);
}

void *calloc(size_t count, size_t size)
{
    void *memory = size != 0 && count > SIZE_MAX / size ? NULL : malloc(count * size);

    return memory != NULL ? memset(memory, 0, count * size) : NULL;
}

void free(void *memory)
{
    memory_free(memory);
}

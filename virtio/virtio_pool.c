/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool: first fit, and neighbours that are free are joined. Each block begins with its size, which is a multiple of
 * the size of this header, as its address is. A free one also has the next free one.
 */
#include "virtio/virtio_pool.h"

#include <stdint.h>
#include <string.h>

struct virtio_pool_block {
    size_t size; /* bytes, with this header */
    struct virtio_pool_block *next;
};

enum { UNIT = sizeof(struct virtio_pool_block) };

static struct virtio_pool_block *block_at(uintptr_t address)
{
    return (struct virtio_pool_block *)address;
}

void virtio_pool_init(struct virtio_pool *pool, void *memory, size_t size)
{
    uintptr_t first = ((uintptr_t)memory + UNIT - 1) / UNIT * UNIT;
    uintptr_t end = ((uintptr_t)memory + size) / UNIT * UNIT;

    *pool = (struct virtio_pool){0};
    if (end > first) {
        pool->free = block_at(first);
        *pool->free = (struct virtio_pool_block){.size = end - first};
    }
}

/* Where the block for this memory would begin in the free block; 0: nowhere. */
static uintptr_t place(const struct virtio_pool_block *block, size_t size, size_t align)
{
    uintptr_t start = (uintptr_t)block;
    uintptr_t at = ((start + UNIT + align - 1) & ~(uintptr_t)(align - 1)) - UNIT;

    return at - start <= block->size && size <= block->size - (at - start) ? at : 0;
}

void *virtio_pool_alloc(struct virtio_pool *pool, size_t size, size_t align)
{
    struct virtio_pool_block **link = &pool->free;
    struct virtio_pool_block *block;
    uintptr_t at = 0;

    if (size > SIZE_MAX - 2 * UNIT) {
        return NULL;
    }
    size = (size + 2 * UNIT - 1) / UNIT * UNIT;
    align = align < UNIT ? UNIT : align;
    while (*link != NULL && (at = place(*link, size, align)) == 0) {
        link = &(*link)->next;
    }
    block = *link;
    if (block == NULL) {
        return NULL;
    }
    /* What is left behind it, then what is left before it: multiples of a unit. */
    if (at + size < (uintptr_t)block + block->size) {
        struct virtio_pool_block *rest = block_at(at + size);

        *rest =
            (struct virtio_pool_block){(uintptr_t)block + block->size - (at + size), block->next};
        block->next = rest;
    }
    if (at != (uintptr_t)block) {
        block->size = at - (uintptr_t)block;
    } else {
        *link = block->next;
    }
    block_at(at)->size = size;
    pool->used += size;
    pool->peak = pool->used > pool->peak ? pool->used : pool->peak;
    return memset(block_at(at) + 1, 0, size - UNIT);
}

static void join_with_next(struct virtio_pool_block *block)
{
    if (block->next != NULL && (uintptr_t)block + block->size == (uintptr_t)block->next) {
        block->size += block->next->size;
        block->next = block->next->next;
    }
}

void virtio_pool_free(struct virtio_pool *pool, void *memory)
{
    struct virtio_pool_block *before = NULL;
    struct virtio_pool_block *block;

    if (memory == NULL) {
        return;
    }
    block = (struct virtio_pool_block *)memory - 1;
    for (struct virtio_pool_block *at = pool->free; at != NULL && at < block; at = at->next) {
        before = at;
    }
    pool->used -= block->size;
    block->next = before != NULL ? before->next : pool->free;
    *(before != NULL ? &before->next : &pool->free) = block;
    join_with_next(block);
    if (before != NULL) {
        join_with_next(before);
    }
}

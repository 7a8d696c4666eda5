/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory: one arena for everything that is not static, all of which devices can reach. An
 * allocation takes a block of the next size class: from the class's list of free blocks, else from
 * the untouched end of the arena. So both take constant time, and a block never changes its size:
 * what a load has once needed of each size is there for good.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gives the allocator its arena: bytes from start up to end. */
void memory_init(uintptr_t start, uintptr_t end);

/*
 * align: bytes, a power of two. Not zeroed. Returns NULL when there is no room. Not to be called
 * from interrupt context, as all of these.
 */
void *memory_alloc(size_t size, size_t align);

/* Panics on a block that is not allocated: freed twice, or overwritten. NULL is allowed. */
void memory_free(void *memory);

/*
 * For programs that must not take memory once they are started: memory_reserve() sets `count` free
 * blocks of `size` bytes aside and returns whether there was room for all; after memory_seal() the
 * untouched end of the arena stays so, and an allocation takes a free block of its class or, where
 * there is none, one of up to twice that size, or is refused.
 */
bool memory_reserve(size_t size, size_t count);
void memory_seal(void);

struct memory_usage {
    size_t total;     /* bytes of the arena */
    size_t used;      /* in blocks that are allocated, with their rounding */
    size_t peak;      /* the most that `used` was */
    size_t touched;   /* that blocks were ever made of; never less */
    uint32_t refused; /* allocations that failed */
    bool sealed;
};
struct memory_usage memory_usage(void);

#endif

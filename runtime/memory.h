/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The allocator: one arena for everything that is not static. Devices can reach all of it. An
 * allocation takes a free block of the next larger size class or, if there is none, makes one at
 * the untouched end of the arena. Both take constant time. A block never changes its size, so each
 * size class keeps the blocks that its peak needed.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sets the arena: the bytes from start up to, not including, end. */
void memory_init(uintptr_t start, uintptr_t end);

/*
 * align: bytes, a power of two. The memory is not zeroed. Returns NULL if there is no room. Not
 * from interrupt context; this holds for all functions here.
 */
void *memory_alloc(size_t size, size_t align);

/*
 * Panics if the block is not allocated (freed twice, or its header overwritten). NULL is allowed.
 */
void memory_free(void *memory);

/*
 * For programs that must not allocate new memory after their start. memory_reserve() makes `count`
 * free blocks of `size` bytes and returns false if there is no room for all. After memory_seal()
 * the untouched end of the arena is no longer used: an allocation takes a free block of its class
 * or of up to twice that size, or fails.
 */
bool memory_reserve(size_t size, size_t count);
void memory_seal(void);

struct memory_usage {
    size_t total;     /* bytes of the arena */
    size_t used;      /* in allocated blocks, including rounding */
    size_t peak;      /* maximum of `used` */
    size_t touched;   /* bytes that were made into blocks; never decreases */
    uint32_t refused; /* allocations that failed */
    bool sealed;
};
struct memory_usage memory_usage(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for the fuzzed code: an arena in which AddressSanitizer knows each block. A freed block is
 * not reused before the next input, so that every later access to it is detected.
 */
#ifndef FUZZ_ARENA_H
#define FUZZ_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FUZZ_NO_BLOCK = 0 };

/*
 * Allocates `size` bytes, not zeroed. Returns NULL if there is no room or arena_limit() forbids it.
 * arena_give() fails the run if its argument is not an allocated block.
 */
void *arena_take(size_t size, size_t align);
void arena_give(void *memory);

/* The requested size of a block. */
size_t arena_size(const void *memory);

/* The number of the allocated block that contains this address, or FUZZ_NO_BLOCK. */
unsigned arena_block(const void *at);

/* True if all these bytes are in one allocated block. */
bool arena_holds(const void *at, size_t size);

/* Marks a block as shared from this byte on; true if all these bytes are shared. */
void arena_share(const void *from);
bool arena_shares(const void *at, size_t size);

/* The number of blocks, and of their bytes. */
unsigned arena_blocks(void);
size_t arena_bytes(void);

/* Limits the number of blocks to this many more than now; 0: no limit. */
void arena_limit(unsigned count);

/*
 * Records the existing blocks under the number 1 or 2. arena_reset() with that number restores
 * them, and with 0 removes all blocks. Call arena_reset() once before the first allocation.
 */
void arena_keep(unsigned which);
void arena_reset(unsigned which);

/* The start of the arena, to convert pointers to numbers. */
uintptr_t arena_start(void);
size_t arena_length(void);

#endif

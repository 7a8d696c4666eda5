/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for what is fuzzed: an arena that AddressSanitizer knows, block by block. A block that is
 * freed is not used again before the next input, so that every later access to it is found.
 */
#ifndef FUZZ_ARENA_H
#define FUZZ_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FUZZ_NO_BLOCK = 0 };

/* A block of `size` bytes, none of them zeroed. NULL where there is no room, or where arena_limit()
 * says so. arena_give() is a finding for what is no block, or was given before. */
void *arena_take(size_t size, size_t align);
void arena_give(void *memory);

/* The bytes that a block was asked to have. */
size_t arena_size(const void *memory);

/* The number of the living block that this address is in, or FUZZ_NO_BLOCK. */
unsigned arena_block(const void *at);

/* Whether all of these bytes are in one living block. */
bool arena_holds(const void *at, size_t size);

/* A block is shared from this byte on; whether all of these bytes are. */
void arena_share(const void *from);
bool arena_shares(const void *at, size_t size);

/* How many blocks there are, and their bytes. */
unsigned arena_blocks(void);
size_t arena_bytes(void);

/* There may be so many blocks more than now, not beyond; 0: any number. */
void arena_limit(unsigned count);

/* The blocks that exist now are there again, as they are, after arena_reset() with the same number, 1 or
 * 2; with 0 there are none. To be reset once before the first block. */
void arena_keep(unsigned which);
void arena_reset(unsigned which);

/* Where the arena is, to turn pointers into numbers. */
uintptr_t arena_start(void);
size_t arena_length(void);

#endif

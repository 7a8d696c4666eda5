/* SPDX-License-Identifier: BSD-2-Clause */
#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *next;
static size_t left;

void input_set(const uint8_t *data, size_t size)
{
    next = data;
    left = size;
}

size_t input_left(void)
{
    return left;
}

uint8_t input_byte(void)
{
    if (left == 0) {
        return 0;
    }
    left--;
    return *next++;
}

uint16_t input_u16(void)
{
    uint16_t low = input_byte();

    return (uint16_t)(low | input_byte() << 8);
}

uint32_t input_u32(void)
{
    uint32_t low = input_u16();

    return low | (uint32_t)input_u16() << 16;
}

uint64_t input_u64(void)
{
    uint64_t low = input_u32();

    return low | (uint64_t)input_u32() << 32;
}

unsigned input_below(unsigned limit)
{
    return (limit <= 256 ? input_byte() : input_u16()) % limit;
}

uint16_t input_edge(void)
{
    static const uint16_t edges[] = {0, 1, 2, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff};
    uint8_t kind = input_byte();

    if (kind < 128) {
        return kind;
    }
    return kind < 192 ? edges[kind % 8] : input_u16();
}

void input_bytes(void *to, size_t size)
{
    size_t copied = size < left ? size : left;

    if (copied != 0) {
        memcpy(to, next, copied);
    }
    memset((uint8_t *)to + copied, 0, size - copied);
    next += copied;
    left -= copied;
}

void fuzz_check(bool good, const char *rule)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", rule);
        abort();
    }
}

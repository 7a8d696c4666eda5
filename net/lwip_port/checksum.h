/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the Internet checksum (RFC 1071), in memory order, for short data of known length. */
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include <stdint.h>
#include <string.h>

/* Four bytes, to be added. */
static inline uint32_t checksum_load(const uint8_t *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* Reduces a sum of words to 16 bits, not complemented. */
static inline uint16_t checksum_fold(uint64_t sum)
{
    uint32_t low = (uint32_t)sum;
    uint32_t folded = low + (uint32_t)(sum >> 32);

    folded += folded < low; /* the carry at the low end */
    folded = (folded >> 16) + (folded & 0xffff);
    return (uint16_t)((folded >> 16) + folded);
}

#endif

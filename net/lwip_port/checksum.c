/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071). For long data the loop has neither carries nor branches, which
 * suits an emulated processor best: it sums the halves of each word separately. For headers this
 * would take more instructions than a simple loop.
 */
#include <stdint.h>
#include <string.h>

#include "arch/cc.h"

static uint32_t load(const uint8_t *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

enum { LONG = 128 }; /* length from which on the loop without carries is faster, bytes */

static uint32_t add(uint32_t sum, uint32_t word)
{
    sum += word;
    return sum + (sum < word); /* add the carry at the low end */
}

/* For blocks of 16 bytes, up to 64 KiB in total, so that neither half overflows. */
static uint32_t sum_blocks(const uint8_t *at, const uint8_t *end)
{
    uint32_t high = 0;
    uint32_t low = 0;

    for (; at != end; at += 16) {
        uint32_t a = load(at), b = load(at + 4), c = load(at + 8), d = load(at + 12);

        high += (a >> 16) + (b >> 16) + (c >> 16) + (d >> 16);
        low += (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff);
    }
    high += low >> 16;
    return add(add(low & 0xffff, high << 16), high >> 16);
}

/* The ones' complement sum of the data's 16-bit words in memory order, not complemented. length: bytes, up to
 * 64 KiB. */
uint16_t lwip_port_checksum(const void *data, int length)
{
    const uint8_t *at = data;
    uint32_t sum = 0;

    if (length >= LONG) {
        const uint8_t *end = at + (length & ~15);

        sum = sum_blocks(at, end);
        at = end;
        length &= 15;
    }
    for (; length >= 4; length -= 4, at += 4) {
        sum = add(sum, load(at));
    }
    if (length != 0) { /* as if zero bytes followed */
        uint8_t last[4] = {at[0], length > 1 ? at[1] : 0, length > 2 ? at[2] : 0, 0};

        sum = add(sum, load(last));
    }
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)((sum >> 16) + sum);
}

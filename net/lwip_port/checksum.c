/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071) without carries or branches in its loop: the halves of each
 * word are added up apart, which is what an emulated processor is best at.
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

/*
 * The ones' complement sum of the data's 16-bit words in memory order, not complemented. length:
 * bytes, up to 64 KiB, so that neither sum overflows.
 */
uint16_t lwip_port_checksum(const void *data, int length)
{
    const uint8_t *at = data;
    uint32_t high = 0;
    uint32_t low = 0;
    uint32_t sum;

    for (; length >= 16; length -= 16, at += 16) {
        uint32_t a = load(at), b = load(at + 4), c = load(at + 8), d = load(at + 12);

        high += (a >> 16) + (b >> 16) + (c >> 16) + (d >> 16);
        low += (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff);
    }
    for (; length >= 2; length -= 2, at += 2) {
        uint16_t word;

        memcpy(&word, at, sizeof word);
        low += word;
    }
    if (length > 0) {
        uint8_t last[2] = {*at, 0}; /* padded with a zero byte behind it */
        uint16_t word;

        memcpy(&word, last, sizeof word);
        low += word;
    }
    sum = (high >> 16) + (high & 0xffff) + (low >> 16) + (low & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)((sum >> 16) + sum);
}

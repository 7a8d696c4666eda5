/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071). For long data the loop has neither carries nor branches, which
 * suits an emulated processor best: it sums the halves of each word separately. For headers this
 * would take more instructions than a simple loop.
 */
#include <stdint.h>

#include "arch/cc.h"
#include "net/lwip_port/checksum.h"

enum {
    LONG = 128, /* length from which on the loop without carries is faster, bytes */
    IPV4_HEADER = 20,
};

/* For blocks of 16 bytes, up to 64 KiB in total, so that neither half overflows. */
static uint64_t sum_blocks(const uint8_t *at, const uint8_t *end)
{
    uint32_t high = 0;
    uint32_t low = 0;

    for (; at != end; at += 16) {
        uint32_t a = checksum_load(at), b = checksum_load(at + 4), c = checksum_load(at + 8),
                 d = checksum_load(at + 12);

        high += (a >> 16) + (b >> 16) + (c >> 16) + (d >> 16);
        low += (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff);
    }
    return low + ((uint64_t)high << 16);
}

/*
 * The ones' complement sum of the data's 16-bit words in memory order, not complemented. length:
 * bytes, up to 64 KiB.
 */
uint16_t lwip_port_checksum(const void *data, int length)
{
    const uint8_t *at = data;
    uint64_t sum = 0;

    if (length == IPV4_HEADER) {
        return checksum_fold((uint64_t)checksum_load(at) + checksum_load(at + 4) +
                             checksum_load(at + 8) + checksum_load(at + 12) +
                             checksum_load(at + 16));
    }
    if (length >= LONG) {
        const uint8_t *end = at + (length & ~15);

        sum = sum_blocks(at, end);
        at = end;
        length &= 15;
    }
    for (; length >= 4; length -= 4, at += 4) {
        sum += checksum_load(at);
    }
    if (length != 0) { /* as if zero bytes followed */
        uint8_t last[4] = {at[0], length > 1 ? at[1] : 0, length > 2 ? at[2] : 0, 0};

        sum += checksum_load(last);
    }
    return checksum_fold(sum);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests that include sources of net/lwip_port/: the functions that these need, and checksums by
 * definition.
 */
#ifndef STACK_H
#define STACK_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#undef BYTE_ORDER /* lwIP defines its own */
#include "net/lwip_port/checksum.c"
#include "net/lwip_port/offload.c"

void port_assertion_failed(const char *message);
void port_assertion_failed(const char *message)
{
    fail_msg("%s", message);
    abort();
}

uint32_t lwip_port_random(void)
{
    return 4;
}

/* The sum of 16-bit numbers in network byte order; a last odd byte is the high one. */
static uint32_t sum_of(const uint8_t *at, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < length; i++) {
        sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
    }
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

#endif

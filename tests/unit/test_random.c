/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4 with the test vectors published by its authors. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

uint8_t arch_fw_cfg_read8(void);

#undef BYTE_ORDER /* lwIP defines its own */
#include "net/lwip_port/random.c"

static uint64_t clock_ns;

uint64_t arch_clock_ns(void)
{
    return clock_ns++;
}

bool arch_random(uint32_t *number)
{
    (void)number;
    return false;
}

uint8_t arch_fw_cfg_read8(void)
{
    return 0;
}

/*
 * With the key 00 01 ... 0f: the 64-bit hash of the first n of the bytes 00 01 02 .... For 15 bytes
 * it is in the paper (appendix A), the others are in the reference implementation.
 */
static const struct {
    size_t length;
    uint64_t hash;
} vectors[] = {
    {0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd}, {2, 0x0d6c8009d9a94f5a},
    {3, 0x85676696d7fb7e2d},  {4, 0xcf2794e0277187b7}, {5, 0x18765564cd99a68d},
    {6, 0xcbc9466e58fee3ce},  {7, 0xab0200f58b01d137}, {8, 0x93f5f5799a932462},
    {15, 0xa129ca6149be45e5},
};

static void hash_is_the_published_one(void **state)
{
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    uint8_t bytes[16];

    (void)state;
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    for (unsigned i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        assert_true(siphash(key, bytes, vectors[i].length) == vectors[i].hash);
    }
}

/* A seed changes both halves of the secret, and so does repeating it. */
static void seeds_are_mixed_in(void **state)
{
    uint64_t before[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        memcpy(before, secret, sizeof before);
        random_seed("seed", 4);
        assert_true(secret[0] != before[0] && secret[1] != before[1] && secret[0] != secret[1]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_the_published_one),
        cmocka_unit_test(seeds_are_mixed_in),
    };

    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}

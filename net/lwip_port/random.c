/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers, and TCP's initial sequence numbers (RFC 6528): SipHash-2-4 (Aumasson and
 * Bernstein, 2012) with a secret. The secret is made at the start from unpredictable values: the
 * processor's random numbers, if it has any, the user's seed, and the time that device accesses
 * take.
 */
#include "net/lwip_port/random.h"

#include <stdbool.h>
#include <string.h>

#include "arch/arch.h"
#include "lwip/priv/tcp_priv.h"
#include "net/lwip_port/hooks.h"

enum {
    CLOCK_SAMPLES = 256,
    PROCESSOR_NUMBERS = 8,
    ISN_CLOCK_SHIFT = 12,   /* ns to 4 us, RFC 6528 §3's clock M */
    REOPENED_ABOVE = 65537, /* covers data of the previous connection that may still be in flight */
};

static uint64_t secret[2];
static bool made;

static uint64_t rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static void sip_rounds(uint64_t v[4], unsigned count)
{
    while (count-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static uint64_t siphash(const uint64_t key[2], const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                     key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    uint64_t word = 0;

    for (size_t i = 0; i <= length; i++) {
        bool last = i == length;

        if (!last) {
            word |= (uint64_t)bytes[i] << 8 * (i % 8);
        } else {
            word |= (uint64_t)length << 56;
        }
        if (last || i % 8 == 7) {
            v[3] ^= word;
            sip_rounds(v, 2);
            v[0] ^= word;
            word = 0;
        }
    }
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void mix(const void *data, size_t length)
{
    secret[0] = siphash(secret, data, length);
    secret[1] = siphash(secret, data, length);
}

void random_seed(const void *data, size_t length)
{
    mix(data, length);
}

static void make_secret(void)
{
    struct {
        uint64_t clock[CLOCK_SAMPLES];
        uint32_t processor[PROCESSOR_NUMBERS];
    } from = {0};

    for (unsigned i = 0; i < CLOCK_SAMPLES; i++) {
        (void)arch_fw_cfg_read8(); /* the time that an emulator takes for it varies */
        from.clock[i] = arch_clock_ns();
    }
    for (unsigned i = 0; i < PROCESSOR_NUMBERS && arch_random(&from.processor[i]); i++) {
    }
    mix(&from, sizeof from);
    made = true;
}

/* Hashes a counter and the time of the call. */
uint32_t lwip_port_random(void)
{
    static uint64_t count;
    uint64_t from[2];

    if (!made) {
        make_secret();
    }
    from[0] = ++count;
    from[1] = arch_clock_ns();
    return (uint32_t)siphash(secret, from, sizeof from);
}

static const uint32_t *isn_above;

void random_isn_above(const uint32_t *last)
{
    isn_above = last;
}

static size_t put_address(uint8_t *to, const ip_addr_t *address)
{
    size_t length = IP_IS_V6(address) ? sizeof address->u_addr.ip6.addr : sizeof(ip4_addr_t);

    memcpy(to, &address->u_addr, length);
    return length;
}

/* LWIP_HOOK_TCP_ISN: a clock, with an offset for each pair of addresses and ports. */
uint32_t port_tcp_isn(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                      uint16_t remote_port)
{
    uint8_t from[2 * 16 + 4];
    size_t length = 0;
    uint32_t isn;

    if (!made) {
        make_secret();
    }
    length += put_address(from + length, local);
    length += put_address(from + length, remote);
    memcpy(from + length, &local_port, 2);
    memcpy(from + length + 2, &remote_port, 2);
    isn = (uint32_t)siphash(secret, from, length + 4) +
          (uint32_t)(arch_clock_ns() >> ISN_CLOCK_SHIFT);
    if (isn_above != NULL && !TCP_SEQ_GT(isn, *isn_above)) {
        isn = *isn_above + REOPENED_ABOVE; /* the connection sent faster than the clock counted */
    }
    return isn;
}

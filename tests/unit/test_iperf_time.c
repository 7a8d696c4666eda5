/* SPDX-License-Identifier: BSD-2-Clause */
/* How long the guest sends for iperf 2: as requested, at most an hour. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#undef BYTE_ORDER /* lwIP defines its own */
#include "net/services/iperf_tcp.c"

const struct net_config *net_config(void)
{
    static struct net_config config;

    return &config;
}
uint8_t zeros[ZEROS_SIZE];

static uint64_t clock_ns, written;
static unsigned shut;

uint64_t arch_clock_ns(void)
{
    return clock_ns;
}

err_t tcp_write(struct tcp_pcb *pcb, const void *data, u16_t length, u8_t flags)
{
    (void)data;
    (void)flags;
    written += length;
    pcb->snd_buf = (tcpwnd_size_t)(pcb->snd_buf - length);
    return ERR_OK;
}

err_t tcp_output(struct tcp_pcb *pcb)
{
    (void)pcb;
    return ERR_OK;
}

err_t tcp_shutdown(struct tcp_pcb *pcb, int receiving, int sending)
{
    (void)pcb;
    assert_true(receiving == 0 && sending == 1);
    shut++;
    return ERR_OK;
}

#if BYTE_ORDER == LITTLE_ENDIAN /* otherwise lwIP has macros for these */
u32_t lwip_htonl(u32_t value)
{
    return __builtin_bswap32(value);
}

u16_t lwip_htons(u16_t value)
{
    return __builtin_bswap16(value);
}
#endif

/* Sends the requested amount (negative: units of 10 ms). Returns the end in ms. */
static uint64_t sends_for(uint32_t amount)
{
    static const unsigned steps[] = {60 * 1000, 10};
    struct tcp_pcb pcb = {.snd_buf = PIECE_MIN};
    struct connection c = {.pcb = &pcb};
    uint64_t begun = clock_ns = 123456789;

    c.header.amount = lwip_htonl(amount);
    shut = 0;
    assert_int_equal(begin_sending(&c), ERR_OK);
    for (unsigned i = 0; i < 2; i++) { /* in steps of a minute, finally of 10 ms */
        while (shut == 0) {
            uint64_t at = clock_ns;

            pcb.snd_buf = PIECE_MIN;
            clock_ns += steps[i] * (SECOND_NS / 1000);
            if (i == 0 && clock_ns >= c.until_ns) {
                clock_ns = at;
                break;
            }
            written = 0;
            assert_int_equal(send_more(&c), ERR_OK);
            assert_true((written > 0) == (shut == 0));
        }
    }
    assert_false(c.sending);
    return (clock_ns - begun) / (SECOND_NS / 1000);
}

static void time_asked_for_is_given(void **state)
{
    (void)state;
    assert_int_equal(sends_for((uint32_t)-1), 10);
    assert_int_equal(sends_for((uint32_t)-1000), 10 * 1000);
    assert_int_equal(sends_for((uint32_t)-360000), 3600 * 1000);
}

static void sending_ends_after_an_hour(void **state)
{
    static const uint32_t asked[] = {(uint32_t)-360001, (uint32_t)-100000000, 0x80000001,
                                     0x80000000};

    (void)state;
    for (unsigned i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        assert_int_equal(sends_for(asked[i]), 3600 * 1000);
    }
}

/* Bytes to a slow receiver. */
static void bytes_end_after_an_hour(void **state)
{
    (void)state;
    assert_int_equal(sends_for(INT32_MAX), 3600 * 1000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_asked_for_is_given),
        cmocka_unit_test(sending_ends_after_an_hour),
        cmocka_unit_test(bytes_end_after_an_hour),
    };

    return cmocka_run_group_tests_name("iperf_time", tests, NULL, NULL);
}

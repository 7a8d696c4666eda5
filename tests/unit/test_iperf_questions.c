/* SPDX-License-Identifier: BSD-2-Clause */
/* When the iperf client asks for the report over UDP, also after the host has stopped it. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#undef fail       /* the client has a function of this name */
#undef BYTE_ORDER /* lwIP defines its own */
#include "net/services/iperf_client.c"

uint8_t zeros[ZEROS_SIZE];

static uint64_t clock_ns;
static uint64_t asked_ms[2 * QUESTIONS];
static unsigned asked;
static err_t send_result;

uint64_t arch_clock_ns(void)
{
    return clock_ns;
}

void net_add_poller(struct net_poller *poller)
{
    (void)poller;
}

bool talk_possible(const ip_addr_t *peer)
{
    (void)peer;
    return true;
}

bool talk_open(struct talk *talk, bool over_tcp, const ip_addr_t *peer, u16_t port)
{
    (void)peer;
    (void)port;
    assert_false(over_tcp);
    if (talk->ready != NULL) {
        talk->ready(talk);
    }
    return true;
}

err_t talk_send(struct talk *talk, const void *data, u16_t length)
{
    (void)talk;
    (void)data;
    (void)length;
    return ERR_OK;
}

err_t talk_send_headed(struct talk *talk, const void *head, u16_t head_length, const void *rest,
                       u16_t length)
{
    (void)talk;
    (void)head;
    (void)head_length;
    (void)rest;
    (void)length;
    if (send_result == ERR_OK) {
        assert_true(asked < sizeof asked_ms / sizeof asked_ms[0]);
        asked_ms[asked++] = clock_ns / 1000000;
    }
    return send_result;
}

void talk_flush(struct talk *talk)
{
    (void)talk;
    __builtin_trap(); /* not for UDP */
}

void talk_close(struct talk *talk)
{
    (void)talk;
    __builtin_trap(); /* not for UDP */
}

u16_t pbuf_copy_partial(const struct pbuf *p, void *to, u16_t length, u16_t offset)
{
    (void)p;
    (void)to;
    (void)length;
    (void)offset;
    __builtin_trap(); /* not for UDP */
    return 0;
}

u8_t pbuf_free(struct pbuf *p)
{
    (void)p;
    __builtin_trap(); /* not for UDP */
    return 0;
}

static void done(struct iperf_client *client)
{
    (void)client;
}

static struct iperf_client client; /* its data is sent */

static int set_up(void **state)
{
    (void)state;
    client = (struct iperf_client){.seconds = 1, .size = 100, .done = done};
    clock_ns = 1000000;
    asked = 0;
    send_result = ERR_OK;
    iperf_client_start(&client);
    enter(&client, ENDING);
    return 0;
}

/* Polls every `step` milliseconds. */
static void poll_for(unsigned ms, unsigned step)
{
    for (unsigned at = 0; at < ms; at += step) {
        poll(&client);
        clock_ns += step * UINT64_C(1000000);
    }
}

static void assert_gaps(unsigned first, unsigned last)
{
    for (unsigned i = first + 1; i <= last; i++) {
        assert_true(asked_ms[i] - asked_ms[i - 1] >= 250);
    }
}

static void ten_requests_each_250_ms(void **state)
{
    (void)state;
    poll_for(2490, 1);
    assert_int_equal(asked, QUESTIONS);
    assert_int_equal(asked_ms[0], 1);
    assert_int_equal(asked_ms[QUESTIONS - 1] - asked_ms[0], 9 * 250);
    assert_null(client.failure);
    poll_for(20, 1);
    assert_int_equal(asked, QUESTIONS);
    assert_string_equal(client.failure, "no report");
}

static void a_stop_brings_no_requests_at_once(void **state)
{
    (void)state;
    poll_for(10, 1);
    clock_ns += UINT64_C(2500000000);
    poll_for(2200, 1);
    assert_null(client.failure);
    assert_int_equal(asked, QUESTIONS);
    assert_gaps(1, QUESTIONS - 1);
}

static void a_full_ring_is_tried_again(void **state)
{
    (void)state;
    send_result = ERR_MEM;
    poll_for(5000, 10);
    assert_int_equal(asked, 0);
    assert_null(client.failure);
    send_result = ERR_OK;
    poll_for(600, 10);
    assert_int_equal(asked, 3);
    assert_gaps(0, 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ten_requests_each_250_ms, set_up),
        cmocka_unit_test_setup(a_stop_brings_no_requests_at_once, set_up),
        cmocka_unit_test_setup(a_full_ring_is_tried_again, set_up),
    };

    return cmocka_run_group_tests_name("iperf_questions", tests, NULL, NULL);
}

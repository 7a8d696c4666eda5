/* SPDX-License-Identifier: BSD-2-Clause */
/* The places of TCP connections: which connection gets one, loses one, and when. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#undef BYTE_ORDER /* lwIP defines its own */
#include "net/services/places.c"
#include "pcb_arguments.h"

enum { MOST = 300, SECOND = 1000, MINUTE = 60 * SECOND };

struct tcp_pcb *tcp_active_pcbs, *tcp_tw_pcbs;
static struct tcp_pcb pcbs[MOST];
static struct tcp_pcb_listen listener;
static u32_t now;
static u32_t sweep_at;
static sys_timeout_handler sweeper;
static struct tcp_pcb *ended;
static unsigned ended_count;
static int ended_with_reset;

u32_t sys_now(void)
{
    return now;
}

void sys_timeout(u32_t ms, sys_timeout_handler handler, void *context)
{
    (void)context;
    assert_null(sweeper);
    sweep_at = now + ms;
    sweeper = handler;
}

static void let_pass(u32_t ms)
{
    for (; ms > 0; ms--) {
        now++;
        if (sweeper != NULL && now == sweep_at) {
            sys_timeout_handler handler = sweeper;

            sweeper = NULL;
            handler(NULL);
        }
    }
}

static void take_out(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
    while (*list != pcb) {
        assert_non_null(*list);
        list = &(*list)->next;
    }
    *list = pcb->next;
    if (pcb->ext_args[0].callbacks != NULL) {
        pcb->ext_args[0].callbacks->destroy(0, pcb->ext_args[0].data);
    }
    memset(pcb, 0, sizeof *pcb);
}

void tcp_abandon(struct tcp_pcb *pcb, int reset)
{
    ended = pcb;
    ended_count++;
    ended_with_reset = reset;
    take_out(pcb->state == TIME_WAIT ? &tcp_tw_pcbs : &tcp_active_pcbs, pcb);
}

void tcp_abort(struct tcp_pcb *pcb)
{
    tcp_abandon(pcb, 1);
}

static void add(struct tcp_pcb **list, struct tcp_pcb *pcb, enum tcp_state state)
{
    pcb->state = state;
    pcb->rcv_nxt = 5000;
    pcb->lastack = pcb->snd_lbb = UINT32_MAX - 100;
    pcb->next = *list;
    *list = pcb;
}

/* A SYN has arrived at a port. */
static void half_open_one(struct tcp_pcb *pcb, u16_t port)
{
    add(&tcp_active_pcbs, pcb, SYN_RCVD);
    listener.local_port = port;
    assert_int_equal(listener.ext_args[0].callbacks->passive_open(0, &listener, pcb), ERR_OK);
}

static void open_one(struct tcp_pcb *pcb, u16_t port)
{
    half_open_one(pcb, port);
    pcb->state = ESTABLISHED;
    places_enter(pcb);
}

static void send(struct tcp_pcb *pcb, u32_t bytes)
{
    pcb->snd_lbb += bytes;
}

static void acknowledge(struct tcp_pcb *pcb, u32_t bytes)
{
    pcb->lastack += bytes;
}

static int set_up(void **state)
{
    (void)state;
    now = UINT32_MAX - 30 * SECOND; /* it wraps during the test */
    sweeping = false;
    sweeper = NULL;
    ended = NULL;
    ended_count = 0;
    memset(&listener, 0, sizeof listener);
    places_watch((struct tcp_pcb *)&listener);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    while (tcp_active_pcbs != NULL) {
        take_out(&tcp_active_pcbs, tcp_active_pcbs);
    }
    while (tcp_tw_pcbs != NULL) {
        take_out(&tcp_tw_pcbs, tcp_tw_pcbs);
    }
    return 0;
}

static void longest_without_progress_goes_first(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PLACES_USUAL; i++) {
        open_one(&pcbs[i], SERVICE_PORT_ECHO);
        let_pass(10);
    }
    pcbs[0].rcv_nxt++;
    acknowledge(&pcbs[1], 1);
    places_moved(&pcbs[2]);
    assert_null(ended);
    open_one(&pcbs[PLACES_USUAL], SERVICE_PORT_ECHO);
    assert_ptr_equal(ended, &pcbs[3]);
    assert_int_equal(ended_count, 1);
    assert_true(ended_with_reset);
}

static void ports_have_places_of_their_own(void **state)
{
    unsigned opened = 0;

    (void)state;
    for (unsigned i = 0; i < PLACES_USUAL; i++) {
        open_one(&pcbs[opened++], SERVICE_PORT_ECHO);
        open_one(&pcbs[opened++], SERVICE_PORT_SINK);
        open_one(&pcbs[opened++], (u16_t)(40000 + i));
    }
    assert_null(ended);
    open_one(&pcbs[opened++], 1234);
    assert_ptr_equal(ended, &pcbs[2]);
    assert_int_equal(ended_count, 1);
}

static void half_open_ones_take_no_place(void **state)
{
    (void)state;
    open_one(&pcbs[0], SERVICE_PORT_NETSERVER);
    for (unsigned i = 1; i <= PLACES_HALF_OPEN; i++) {
        half_open_one(&pcbs[i], SERVICE_PORT_NETSERVER);
    }
    assert_null(ended);
    half_open_one(&pcbs[PLACES_HALF_OPEN + 1], SERVICE_PORT_HTTP);
    assert_ptr_equal(ended, &pcbs[1]);
    assert_false(ended_with_reset);
    assert_int_equal(ended_count, 1);
}

static void closed_ones_are_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= PLACES_LEFT; i++) {
        open_one(&pcbs[i], SERVICE_PORT_HTTP);
        pcbs[i].flags |= TF_RXCLOSED;
        pcbs[i].state = FIN_WAIT_1;
    }
    assert_null(ended);
    open_one(&pcbs[PLACES_LEFT + 1], SERVICE_PORT_ECHO);
    assert_ptr_equal(ended, &pcbs[0]);
    assert_int_equal(ended_count, 1);
}

static void remembered_ones_are_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PLACES_TIME_WAIT + 2; i++) {
        add(&tcp_tw_pcbs, &pcbs[i], TIME_WAIT);
    }
    open_one(&pcbs[MOST - 1], SERVICE_PORT_ECHO);
    assert_int_equal(ended_count, 2);
    assert_int_equal(pcbs[0].state, CLOSED);
    assert_int_equal(pcbs[1].state, CLOSED);
    assert_int_equal(pcbs[2].state, TIME_WAIT);
}

static void idle_connection_ends(void **state)
{
    (void)state;
    open_one(&pcbs[0], SERVICE_PORT_ECHO);
    open_one(&pcbs[1], SERVICE_PORT_IPERF);
    let_pass(IDLE_MEASURED_MS - SECOND);
    assert_null(ended);
    let_pass(2 * SECOND);
    assert_ptr_equal(ended, &pcbs[1]);
    pcbs[0].rcv_nxt++;
    let_pass(IDLE_MS - SECOND);
    assert_int_equal(ended_count, 1);
    let_pass(3 * SECOND);
    assert_ptr_equal(ended, &pcbs[0]);
    assert_null(sweeper); /* no timer remains */
}

static void half_open_and_closed_ones_end(void **state)
{
    (void)state;
    half_open_one(&pcbs[0], SERVICE_PORT_ECHO);
    open_one(&pcbs[1], SERVICE_PORT_ECHO);
    pcbs[1].flags |= TF_RXCLOSED;
    pcbs[1].state = LAST_ACK;
    let_pass(IDLE_HALF_OPEN_MS + SECOND);
    assert_ptr_equal(ended, &pcbs[0]);
    assert_int_equal(ended_count, 1);
    let_pass(IDLE_LEFT_MS - IDLE_HALF_OPEN_MS + SECOND);
    assert_ptr_equal(ended, &pcbs[1]);
}

/*
 * Returns the ms after which a client is dropped that takes this many of the waiting bytes per
 * second.
 */
static u32_t lost_after(u32_t bytes_a_second)
{
    u32_t since = now;

    open_one(&pcbs[0], SERVICE_PORT_SOURCE);
    send(&pcbs[0], 256 * 1024);
    while (ended == NULL && now - since < 10 * MINUTE) {
        let_pass(SECOND);
        acknowledge(&pcbs[0], bytes_a_second);
        send(&pcbs[0], bytes_a_second);
    }
    return now - since;
}

static void slow_connection_ends(void **state)
{
    (void)state;
    assert_in_range(lost_after(SLOW_BYTES / 60 / 2), MINUTE, 2 * MINUTE);
}

static void fast_enough_connection_stays(void **state)
{
    (void)state;
    assert_int_equal(lost_after(SLOW_BYTES / 60 + 50), 10 * MINUTE);
}

/*
 * A connection with little traffic in both directions is neither idle nor slow, even if data always
 * waits.
 */
static void quiet_connection_stays(void **state)
{
    (void)state;
    open_one(&pcbs[0], SERVICE_PORT_ECHO);
    send(&pcbs[0], 2);
    for (unsigned i = 0; i < 1000; i++) {
        let_pass(SECOND);
        pcbs[0].rcv_nxt++;
        send(&pcbs[0], 1);
        acknowledge(&pcbs[0], 1);
    }
    assert_null(ended);
}

static void connection_back_spares_who_asked(void **state)
{
    struct tcp_pcb *back = &pcbs[PLACES_IPERF];

    (void)state;
    for (unsigned i = 0; i < PLACES_IPERF; i++) {
        open_one(&pcbs[i], SERVICE_PORT_IPERF);
        let_pass(10);
    }
    add(&tcp_active_pcbs, back, SYN_SENT);
    back->rcv_nxt = back->lastack = back->snd_lbb = 0;
    assert_true(places_enter_for(back, SERVICE_PORT_IPERF, &pcbs[0]));
    assert_ptr_equal(ended, &pcbs[1]);
    assert_int_equal(ended_count, 1);
    back->lastack = back->snd_lbb = 0xd0000000; /* it is established only now */
    let_pass(IDLE_MEASURED_MS - 2 * SECOND);
    assert_int_equal(ended_count, 1);
    let_pass(4 * SECOND);
    assert_int_equal(ended_count, PLACES_IPERF + 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(longest_without_progress_goes_first), TEST(ports_have_places_of_their_own),
        TEST(half_open_ones_take_no_place),        TEST(closed_ones_are_bounded),
        TEST(remembered_ones_are_bounded),         TEST(idle_connection_ends),
        TEST(half_open_and_closed_ones_end),       TEST(slow_connection_ends),
        TEST(fast_enough_connection_stays),        TEST(quiet_connection_stays),
        TEST(connection_back_spares_who_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

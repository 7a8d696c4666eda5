/* SPDX-License-Identifier: BSD-2-Clause */
/* Netperf's messages, as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/services/netserver_message.c"

static uint8_t message[NETPERF_MESSAGE_SIZE];
static struct netperf_omni omni;

/* Sets a word of the message, counted from its start, to these bytes. */
static void set(unsigned word, const char *bytes)
{
    memcpy(message + 4 * word, bytes, 4);
}

static void assert_word(unsigned word, const char *bytes)
{
    assert_memory_equal(message + 4 * word, bytes, 4);
}

/* TCP_STREAM of ten seconds as requested by netperf 2.7.1, which leaves most fields at -1. */
static void make_stream(void)
{
    memset(message, 0, sizeof message);
    set(0, "\0\0\0\x61");
    set(2, "\xff\xff\xff\xff");  /* send_buf_size */
    set(3, "\xff\xff\xff\xff");  /* send_size */
    set(7, "\xff\xff\xff\xff");  /* request_size */
    set(8, "\xff\xff\xff\xff");  /* recv_buf_size */
    set(9, "\xff\xff\xff\xff");  /* receive_size */
    set(13, "\xff\xff\xff\xff"); /* response_size */
    set(16, "\0\0\0\x0a");       /* test_length */
    set(23, "\0\0\0\x04");       /* ipfamily */
    set(24, "\0\0\0\x01");       /* socket_type */
    set(25, "\0\0\0\x06");       /* protocol */
    set(26, "\0\0\0\x04");       /* direction */
}

static void stream_is_read(void **state)
{
    (void)state;
    make_stream();
    assert_int_equal(netperf_type(message), NETPERF_DO_OMNI);
    assert_int_equal(netperf_read_omni(message, &omni), NETPERF_OK);
    assert_true(omni.tcp && omni.receive && !omni.transmit && !omni.connect_test && !omni.ipv6);
    assert_int_equal(omni.seconds, 10);
    assert_int_equal(omni.units, 0);
    assert_int_equal(omni.recv_size, 16384);
    assert_int_equal(omni.send_size, 16384);
    assert_int_equal(omni.recv_buf_size, 0);
    assert_int_equal(omni.data_port, 0);
}

static void requests_are_read(void **state)
{
    (void)state;
    make_stream();
    set(2, "\0\x01\0\0");
    set(3, "\0\0\x10\0"); /* not used: there is a response size */
    set(7, "\0\0\x01\x02");
    set(13, "\x01\x02\x03\x04");
    set(14, "\0\0\0\x05");       /* flags: no delay, connections */
    set(16, "\xff\xff\xfc\x18"); /* 1,000 transactions */
    set(22, "\0\0\x30\x39");     /* data_port */
    set(23, "\0\0\0\x06");       /* IPv6 */
    set(26, "\0\0\0\x06");       /* both directions */
    set(27, "\0\0\xff\xff");     /* netperf_port */
    assert_int_equal(netperf_read_omni(message, &omni), NETPERF_OK);
    assert_true(omni.transmit && omni.receive && omni.connect_test && omni.no_delay && omni.ipv6);
    assert_int_equal(omni.seconds, 0);
    assert_int_equal(omni.units, 1000);
    assert_int_equal(omni.recv_size, 0x102);
    assert_int_equal(omni.send_size, 0x1020304);
    assert_int_equal(omni.send_buf_size, 65536);
    assert_int_equal(omni.data_port, 12345);
    assert_int_equal(omni.netperf_port, 65535);
    set(16, "\x80\0\0\0");
    assert_int_equal(netperf_read_omni(message, &omni), NETPERF_OK);
    assert_int_equal(omni.units, 0x80000000);
}

/* Any word with extreme values: accepted sizes never overflow a sum. */
static void extremes_are_refused_or_harmless(void **state)
{
    static const char *const values[] = {"\0\0\0\0", "\x7f\xff\xff\xff", "\x80\0\0\0",
                                         "\xff\xff\xff\xff"};

    (void)state;
    for (unsigned word = 2; word < NETPERF_MESSAGE_SIZE / 4; word++) {
        for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
            make_stream();
            set(word, values[i]);
            if (netperf_read_omni(message, &omni) == NETPERF_OK) {
                assert_true(omni.receive || omni.transmit || omni.connect_test);
                assert_in_range(omni.recv_size, 1, INT32_MAX);
                assert_in_range(omni.send_size, 1, INT32_MAX);
                assert_true(omni.recv_buf_size <= INT32_MAX && omni.send_buf_size <= INT32_MAX);
            }
        }
    }
}

static void response_is_written(void **state)
{
    (void)state;
    memset(message, 0xee, sizeof message);
    netperf_write_response(message,
                           &(struct netperf_omni){.recv_buf_size = 0x40000,
                                                  .send_buf_size = 0x30000,
                                                  .recv_size = 0x4000,
                                                  .send_size = 0x2000,
                                                  .no_delay = true},
                           0xc001);
    assert_word(0, "\0\0\0\x62");
    assert_word(1, "\0\0\0\0");
    assert_word(2, "\0\x04\0\0");
    assert_word(3, "\0\0\x40\0");
    assert_word(5, "\0\x03\0\0");
    assert_word(6, "\0\0\x20\0");
    assert_word(8, "\0\0\0\x01");
    assert_word(13, "\0\0\xc0\x01");
    assert_word(163, "\0\0\0\0");
}

static void results_are_written(void **state)
{
    const struct netperf_results results = {.bytes_received = 0x0102030405060708,
                                            .bytes_sent = 0x1112131415161718,
                                            .recv_calls = 0x21,
                                            .send_calls = 0x22,
                                            .failed_sends = 0x23,
                                            .trans_received = 0x24,
                                            .elapsed_ms = 10500};

    (void)state;
    memset(message, 0xee, sizeof message);
    netperf_write_results(
        message, &(struct netperf_omni){.recv_buf_size = 0x25, .send_buf_size = 0x26}, &results);
    assert_word(0, "\0\0\0\x62");
    assert_word(1, "\0\0\0\0");
    assert_word(2, "\x01\x02\x03\x04");
    assert_word(3, "\x05\x06\x07\x08");
    assert_word(4, "\0\0\0\x21");
    assert_word(5, "\0\0\0\x25");
    assert_word(6, "\x11\x12\x13\x14");
    assert_word(7, "\x15\x16\x17\x18");
    assert_word(8, "\0\0\0\x22");
    assert_word(9, "\0\0\0\x26");
    assert_word(10, "\0\0\0\x23");
    assert_word(11, "\0\0\0\x24");
    assert_word(12, "\x41\x28\0\0"); /* 10.5 as a float */
    assert_word(13, "\xbf\x80\0\0"); /* -1.0: CPU time is not known */
    assert_word(20, "\0\0\0\0");
    assert_word(21, "\0\0\0\x01");
}

static void seconds_become_floats(void **state)
{
    (void)state;
    for (uint64_t ms = 0; ms <= UINT32_MAX; ms += ms / 7 + 1) {
        uint32_t bits = seconds_as_float((uint32_t)ms);
        float seconds;

        memcpy(&seconds, &bits, sizeof seconds);
        assert_true(seconds <= (double)ms / 1000 && seconds >= (double)ms / 1000 * (1 - 1e-6));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_is_read),
        cmocka_unit_test(requests_are_read),
        cmocka_unit_test(extremes_are_refused_or_harmless),
        cmocka_unit_test(response_is_written),
        cmocka_unit_test(results_are_written),
        cmocka_unit_test(seconds_become_floats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

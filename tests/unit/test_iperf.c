/* SPDX-License-Identifier: BSD-2-Clause */
/* iperf 2's streams: bytes of datagrams in, bytes of the report out. */
#include "fake_machine.h"
#include "net/services/iperf_stream.h"

#include <string.h>

enum { MS = 1000, WIDE = 0x08000000 };

static struct iperf_stream stream;

static void put32(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 24);
    to[1] = (uint8_t)(value >> 16);
    to[2] = (uint8_t)(value >> 8);
    to[3] = (uint8_t)value;
}

static uint64_t get32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static int start(void **state)
{
    (void)state;
    memset(&stream, 0, sizeof stream);
    return 0;
}

static struct iperf_datagram read_head(int64_t id, uint32_t flags, size_t length)
{
    struct iperf_datagram datagram;
    uint8_t head[IPERF_DATAGRAM_HEAD];

    put32(head, (uint32_t)id);
    put32(head + 4, 0x6920f8aa);
    put32(head + 8, 999999);
    put32(head + 12, (uint32_t)((uint64_t)id >> 32));
    put32(head + 16, flags);
    assert_true(iperf_datagram_read(&datagram, head, length));
    assert_true(datagram.sent_us == 0x6920f8aaLL * 1000000 + 999999);
    return datagram;
}

static void numbers_have_32_or_64_bits(void **state)
{
    struct iperf_datagram datagram;

    (void)state;
    for (size_t length = 0; length < 12; length++) {
        assert_false(iperf_datagram_read(&datagram, (const uint8_t[12]){0}, length));
    }
    datagram = read_head(0x123456789a, WIDE, 20);
    assert_true(datagram.number == 0x123456789a && !datagram.last);
    datagram = read_head(-0x123456789a, WIDE, 20);
    assert_true(datagram.number == 0x123456789a && datagram.last);
    datagram = read_head(0xfffffffe, WIDE, 20);
    assert_true(datagram.number == 0xfffffffe && !datagram.last);
    datagram = read_head(INT64_MIN, WIDE, 20);
    assert_true(datagram.number == 1ULL << 63 && datagram.last);
    datagram = read_head(0x3200000007, 0x36373839, 20); /* padding of an old client */
    assert_true(datagram.number == 7 && !datagram.last);
    datagram = read_head(-7, 0, 20);
    assert_true(datagram.number == 7 && datagram.last);
    datagram = read_head(-7, WIDE, 19);
    assert_true(datagram.number == 7 && datagram.last);
    datagram = read_head(INT32_MIN, 0, 12);
    assert_true(datagram.number == 1ULL << 31 && datagram.last);
}

/* Counts a datagram of 1,470 bytes. The two times are of different clocks. */
static void count(uint64_t number, int64_t sent_us, uint64_t now_us)
{
    struct iperf_datagram datagram = {.number = number, .sent_us = 1763732650000000 + sent_us};

    iperf_stream_count(&stream, &datagram, 1470, now_us);
}

static const uint8_t *report(void)
{
    static uint8_t bytes[IPERF_REPORT];

    memset(bytes, 0xee, sizeof bytes);
    iperf_stream_report(&stream, bytes);
    return bytes;
}

static void report_has_every_field_in_its_place(void **state)
{
    const uint8_t *bytes;

    (void)state;
    for (uint64_t number = 1; number <= 10; number++) {
        if (number != 4 && number != 5 && number != 8) {
            count(number, (int64_t)number * MS, number * MS);
        }
    }
    count(5, 5 * MS, 2011 * MS);
    stream.highest += 2ULL << 32;
    stream.bytes += 3ULL << 32;
    bytes = report();
    for (unsigned at = 0; at < IPERF_REPORT; at += 4) {
        static const struct {
            unsigned at;
            uint32_t value;
        } expected[] = {
            {16, 0x88000000}, {20, 3},  {24, 8 * 1470},       {28, 2},  {32, 10000}, {36, 2},
            {40, 1},          {44, 10}, {52, 2006 * MS / 16}, {124, 2},
        };
        uint32_t value = 0;

        for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
            value = expected[i].at == at ? expected[i].value : value;
        }
        assert_int_equal(get32(bytes + at), value);
    }
}

static void datagrams_beyond_32_bits_are_counted(void **state)
{
    const uint8_t *bytes;

    (void)state;
    count(1, 0, 0);
    count(1ULL << 63, 0, 0);
    count(2, 0, 0);
    bytes = report();
    assert_int_equal(get32(bytes + 116), 0x7fffffff); /* 2^63 - 2 numbers were skipped; one
                                                       * datagram was late */
    assert_int_equal(get32(bytes + 36), 0xfffffffd);
    assert_int_equal(get32(bytes + 124), 0x80000000);
    assert_int_equal(get32(bytes + 44), 0);
}

static void doubled_datagrams_are_no_negative_loss(void **state)
{
    const uint8_t *bytes;

    (void)state;
    count(0, 0, 0); /* first datagram of an old client */
    count(1, 0, 0);
    count(1, 0, 0);
    bytes = report();
    assert_int_equal(get32(bytes + 36), 0);
    assert_int_equal(get32(bytes + 40), 1);
    assert_int_equal(get32(bytes + 24), 2 * 1470);
}

/* J += (|D| - J) / 16 (RFC 3550, section 6.4.1). */
static void jitter_is_that_of_rfc_3550(void **state)
{
    double jitter = 0;
    int64_t before = 500;

    (void)state;
    count(1, 0, 500);
    for (uint64_t number = 2; number < 200; number++) {
        int64_t transit = (int64_t)(number * number * 7919 % 3001) - 1000;
        double difference = (double)(transit > before ? transit - before : before - transit);

        count(number, (int64_t)number * MS, (uint64_t)((int64_t)number * MS + transit));
        jitter += (difference - jitter) / 16;
        before = transit;
        assert_true((double)get32(report() + 52) > jitter - 2);
        assert_true((double)get32(report() + 52) < jitter + 2);
    }
    assert_true(jitter > 500);
}

/* Clocks of the client with impossible values, and one that is adjusted. */
static void jitter_of_any_clock_has_its_place(void **state)
{
    struct iperf_datagram datagram = {.number = 1};

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        datagram.sent_us = i % 2 != 0 ? (int64_t)UINT32_MAX * 1000000 : 0;
        iperf_stream_count(&stream, &datagram, 1, i);
    }
    assert_in_range(get32(report() + 48), UINT32_MAX - 0x1fff, UINT32_MAX);
}

/* Written fields can be read back if the datagram is long enough. */
static void datagram_is_read_back(void **state)
{
    static const uint64_t numbers[] = {1, 0x7fffffff, 0xffffffff, 0x123456789a, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof numbers / sizeof numbers[0]; i++) {
        struct iperf_datagram sent = {
            .number = numbers[i / 2], .sent_us = 5000123456, .last = i % 2 != 0};
        struct iperf_datagram datagram;
        uint8_t head[IPERF_DATAGRAM_HEAD];

        memset(head, 0xee, sizeof head);
        iperf_datagram_write(&sent, head);
        for (size_t length = IPERF_DATAGRAM_MIN; length <= sizeof head; length++) {
            assert_true(iperf_datagram_read(&datagram, head, length));
            assert_true(datagram.sent_us == sent.sent_us);
            if (length == sizeof head || sent.number <= INT32_MAX) {
                assert_true(datagram.number == sent.number && datagram.last == sent.last);
            }
        }
    }
}

static void datagram_has_every_field_in_its_place(void **state)
{
    static const uint8_t expected[IPERF_DATAGRAM_HEAD] = {
        0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 7, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff, 0x08, 0, 0, 0};
    struct iperf_datagram datagram = {.number = 2, .sent_us = 7000009, .last = true};
    uint8_t head[IPERF_DATAGRAM_HEAD];

    (void)state;
    iperf_datagram_write(&datagram, head);
    assert_memory_equal(head, expected, sizeof head);
}

static void report_is_read_back(void **state)
{
    struct iperf_report read;
    const uint8_t *bytes;

    (void)state;
    for (uint64_t number = 1; number <= 10; number++) {
        if (number != 4 && number != 5 && number != 8) {
            count(number, (int64_t)number * MS, number * MS);
        }
    }
    count(5, 5 * MS, 2011 * MS);
    stream.highest += 2ULL << 32;
    stream.gaps += 5ULL << 32;
    stream.late += 1ULL << 32;
    stream.bytes += 3ULL << 32;
    stream.jitter16 += 16000000ULL * 3;
    bytes = report();
    assert_true(iperf_report_read(&read, bytes, IPERF_REPORT));
    assert_true(read.bytes == (3ULL << 32) + 8ULL * 1470);
    assert_true(read.time_us == 2010 * MS);
    assert_true(read.lost == (4ULL << 32) + 2);
    assert_true(read.late == (1ULL << 32) + 1);
    assert_true(read.datagrams == (2ULL << 32) + 10);
    assert_true(read.jitter_us == 3000000 + 2006 * MS / 16);
    assert_true(iperf_report_read(&read, bytes, IPERF_REPORT - 1)); /* like an old server's */
    assert_true(read.lost == 2 && read.late == 1 && read.datagrams == 10);
    assert_true(read.bytes == (3ULL << 32) + 8ULL * 1470);
}

static void report_of_32_bits_is_read(void **state)
{
    struct iperf_report read;
    uint8_t bytes[IPERF_REPORT];

    (void)state;
    count(1, 0, 0);
    count(4, 0, 0);
    memcpy(bytes, report(), sizeof bytes);
    put32(bytes + 16, 0x80000000);
    memset(bytes + 56, 0xee, sizeof bytes - 56);
    assert_true(iperf_report_read(&read, bytes, sizeof bytes));
    assert_true(read.lost == 2 && read.late == 0 && read.datagrams == 4);
    assert_true(iperf_report_read(&read, bytes, 56));
    assert_true(read.lost == 2 && read.late == 0 && read.datagrams == 4);
}

static void what_is_no_report_is_refused(void **state)
{
    struct iperf_report read;
    uint8_t bytes[IPERF_REPORT];

    (void)state;
    memcpy(bytes, report(), sizeof bytes);
    for (size_t length = 0; length < 56; length++) {
        uint8_t part[56]; /* exactly as long, so that tools detect accesses behind it */

        memcpy(part + sizeof part - length, bytes, length);
        assert_false(iperf_report_read(&read, part + sizeof part - length, length));
    }
    put32(bytes + 16, 0x7fffffff); /* one of our datagrams, sent back */
    assert_false(iperf_report_read(&read, bytes, sizeof bytes));
}

/* As sent by iperf 2.1.8 for -R -t 1, except for priorities. */
static void header_asks_for_data_in_return(void **state)
{
    uint8_t header[IPERF_HEADER];

    (void)state;
    memset(header, 0xee, sizeof header);
    iperf_header_write(header, 1, false);
    for (unsigned at = 0; at < IPERF_HEADER; at += 4) {
        uint32_t expected = at == 0    ? 0x44010078
                            : at == 4  ? 1
                            : at == 20 ? UINT32_MAX - 99
                            : at == 32 ? 0x04000000
                                       : 0;

        assert_int_equal(get32(header + at), expected);
    }
    iperf_header_write(header, 3600, true);
    assert_int_equal(get32(header + 20), (uint32_t)-360000);
    assert_int_equal(get32(header + 32), 0x08000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(numbers_have_32_or_64_bits, start),
        cmocka_unit_test_setup(report_has_every_field_in_its_place, start),
        cmocka_unit_test_setup(datagrams_beyond_32_bits_are_counted, start),
        cmocka_unit_test_setup(doubled_datagrams_are_no_negative_loss, start),
        cmocka_unit_test_setup(jitter_is_that_of_rfc_3550, start),
        cmocka_unit_test_setup(jitter_of_any_clock_has_its_place, start),
        cmocka_unit_test_setup(datagram_is_read_back, start),
        cmocka_unit_test_setup(datagram_has_every_field_in_its_place, start),
        cmocka_unit_test_setup(report_is_read_back, start),
        cmocka_unit_test_setup(report_of_32_bits_is_read, start),
        cmocka_unit_test_setup(what_is_no_report_is_refused, start),
        cmocka_unit_test_setup(header_asks_for_data_in_return, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

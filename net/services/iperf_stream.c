/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/iperf_stream.h"

#include <string.h>

enum {
    AT_ID = 0, /* UDP_datagram; both halves of the number are negative in the last datagram */
    AT_TV_SEC = 4,
    AT_TV_USEC = 8,
    AT_ID2 = 12,
    AT_FLAGS = 16, /* client_hdr_v1 and server_hdr_v1 */

    AT_TOTAL_LEN1 = 20,
    AT_TOTAL_LEN2 = 24,
    AT_STOP_SEC = 28,
    AT_STOP_USEC = 32,
    AT_ERROR_CNT = 36,
    AT_OUTORDER_CNT = 40,
    AT_DATAGRAMS = 44,
    AT_JITTER1 = 48,     /* seconds */
    AT_JITTER2 = 52,     /* microseconds */
    AT_ERROR_CNT2 = 116, /* server_hdr_extension2: the upper halves; the first extension is not
                          * used */
    AT_OUTORDER_CNT2 = 120,
    AT_DATAGRAMS2 = 124,
};

/* In client_hdr_v1 and the client_hdrext that follows it. */
enum {
    AT_NUM_THREADS = 4,
    AT_AMOUNT = 20, /* negative: units of 10 ms */
    AT_UPPERFLAGS = 32,
};

enum { REPORT_V1 = 56 }; /* bytes before the extensions */

static const uint32_t HEADER_VERSION1 = 0x80000000;
static const uint32_t HEADER_SEQNO64B = 0x08000000;
static const uint32_t HEADER_EXTEND = 0x40000000;
static const uint32_t HEADER_VERSION2 = 0x04000000;
static const uint32_t HEADER_LEN_BIT = 0x00010000; /* the flags contain the length times 2 */
static const uint32_t HEADER_REVERSE = 0x0400;
static const uint32_t HEADER_FULLDUPLEX = 0x0800;
static const uint32_t MICROSECONDS = 1000000; /* per second */

static uint32_t get_big_endian32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void put_big_endian32(uint8_t *to, uint64_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

bool iperf_datagram_read(struct iperf_datagram *datagram, const uint8_t *head, size_t length)
{
    uint64_t id;

    if (length < IPERF_DATAGRAM_MIN) {
        return false;
    }
    id = get_big_endian32(head + AT_ID);
    if (length >= IPERF_DATAGRAM_HEAD &&
        (get_big_endian32(head + AT_FLAGS) & HEADER_SEQNO64B) != 0) {
        id |= (uint64_t)get_big_endian32(head + AT_ID2) << 32;
    } else if (id >> 31 != 0) {
        id |= (uint64_t)UINT32_MAX << 32;
    }
    datagram->last = id >> 63 != 0;
    datagram->number = datagram->last ? 0 - id : id;
    datagram->sent_us = (int64_t)get_big_endian32(head + AT_TV_SEC) * MICROSECONDS +
                        get_big_endian32(head + AT_TV_USEC);
    return true;
}

void iperf_datagram_write(const struct iperf_datagram *datagram, uint8_t head[IPERF_DATAGRAM_HEAD])
{
    uint64_t id = datagram->last ? 0 - datagram->number : datagram->number;

    put_big_endian32(head + AT_ID, id);
    put_big_endian32(head + AT_TV_SEC, (uint64_t)datagram->sent_us / MICROSECONDS);
    put_big_endian32(head + AT_TV_USEC, (uint64_t)datagram->sent_us % MICROSECONDS);
    put_big_endian32(head + AT_ID2, id >> 32);
    put_big_endian32(head + AT_FLAGS, HEADER_SEQNO64B);
}

/* J += (|D| - J) / 16, kept in sixteenths so that no fraction is lost (RFC 3550 A.8). */
static void count_jitter(struct iperf_stream *stream, int64_t transit_us)
{
    int64_t difference = transit_us - stream->transit_us;

    stream->transit_us = transit_us;
    stream->jitter16 +=
        (uint64_t)(difference < 0 ? -difference : difference) - ((stream->jitter16 + 8) >> 4);
}

void iperf_stream_count(struct iperf_stream *stream, const struct iperf_datagram *datagram,
                        uint32_t bytes, uint64_t now_us)
{
    int64_t transit_us = (int64_t)now_us - datagram->sent_us;

    if (!stream->begun) {
        stream->begun = true;
        stream->begin_us = now_us;
        stream->transit_us = transit_us;
    }
    stream->end_us = now_us;
    if (datagram->number == 0) {
        return;
    }
    stream->bytes += bytes;
    if (datagram->number > stream->highest) {
        stream->gaps += datagram->number - stream->highest - 1;
        stream->highest = datagram->number;
    } else {
        stream->late++;
    }
    count_jitter(stream, transit_us);
}

void iperf_stream_report(const struct iperf_stream *stream, uint8_t report[IPERF_REPORT])
{
    uint64_t lost = stream->gaps > stream->late ? stream->gaps - stream->late : 0;
    uint64_t time_us = stream->end_us - stream->begin_us;
    uint64_t jitter_us = stream->jitter16 >> 4;

    memset(report, 0, IPERF_REPORT);
    put_big_endian32(report + AT_FLAGS, HEADER_VERSION1 | HEADER_SEQNO64B);
    put_big_endian32(report + AT_TOTAL_LEN1, stream->bytes >> 32);
    put_big_endian32(report + AT_TOTAL_LEN2, stream->bytes);
    put_big_endian32(report + AT_STOP_SEC, time_us / MICROSECONDS);
    put_big_endian32(report + AT_STOP_USEC, time_us % MICROSECONDS);
    put_big_endian32(report + AT_ERROR_CNT, lost);
    put_big_endian32(report + AT_ERROR_CNT2, lost >> 32);
    put_big_endian32(report + AT_OUTORDER_CNT, stream->late);
    put_big_endian32(report + AT_OUTORDER_CNT2, stream->late >> 32);
    put_big_endian32(report + AT_DATAGRAMS, stream->highest);
    put_big_endian32(report + AT_DATAGRAMS2, stream->highest >> 32);
    put_big_endian32(report + AT_JITTER1, jitter_us / MICROSECONDS);
    put_big_endian32(report + AT_JITTER2, jitter_us % MICROSECONDS);
}

static uint64_t get_halves(const uint8_t *upper, const uint8_t *lower)
{
    return (uint64_t)get_big_endian32(upper) << 32 | get_big_endian32(lower);
}

static uint64_t get_time_us(const uint8_t *seconds, const uint8_t *microseconds)
{
    return (uint64_t)get_big_endian32(seconds) * MICROSECONDS + get_big_endian32(microseconds);
}

/* The report of an old server has no extensions. */
bool iperf_report_read(struct iperf_report *report, const uint8_t *bytes, size_t length)
{
    static const uint8_t none[4];
    uint32_t flags;
    bool wide;

    if (length < REPORT_V1) {
        return false;
    }
    flags = get_big_endian32(bytes + AT_FLAGS);
    if ((flags & HEADER_VERSION1) == 0) {
        return false;
    }
    wide = (flags & HEADER_SEQNO64B) != 0 && length >= IPERF_REPORT;
    report->bytes = get_halves(bytes + AT_TOTAL_LEN1, bytes + AT_TOTAL_LEN2);
    report->time_us = get_time_us(bytes + AT_STOP_SEC, bytes + AT_STOP_USEC);
    report->lost = get_halves(wide ? bytes + AT_ERROR_CNT2 : none, bytes + AT_ERROR_CNT);
    report->late = get_halves(wide ? bytes + AT_OUTORDER_CNT2 : none, bytes + AT_OUTORDER_CNT);
    report->datagrams = get_halves(wide ? bytes + AT_DATAGRAMS2 : none, bytes + AT_DATAGRAMS);
    report->jitter_us = get_time_us(bytes + AT_JITTER1, bytes + AT_JITTER2);
    return true;
}

void iperf_header_write(uint8_t header[IPERF_HEADER], uint32_t seconds, bool both)
{
    memset(header, 0, IPERF_HEADER);
    put_big_endian32(header, HEADER_EXTEND | HEADER_VERSION2 | HEADER_LEN_BIT | IPERF_HEADER << 1);
    put_big_endian32(header + AT_NUM_THREADS, 1);
    put_big_endian32(header + AT_AMOUNT, 0 - (uint64_t)seconds * 100);
    put_big_endian32(header + AT_UPPERFLAGS, (both ? HEADER_FULLDUPLEX : HEADER_REVERSE) << 16);
}

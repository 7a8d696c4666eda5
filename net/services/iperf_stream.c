/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/iperf_stream.h"

#include <string.h>

enum {
    AT_ID = 0, /* UDP_datagram; both halves of the number are negative in the last one */
    AT_TV_SEC = 4,
    AT_TV_USEC = 8,
    AT_ID2 = 12,
    AT_FLAGS = 16, /* client_hdr_v1, and server_hdr_v1 */

    AT_TOTAL_LEN1 = 20,
    AT_TOTAL_LEN2 = 24,
    AT_STOP_SEC = 28,
    AT_STOP_USEC = 32,
    AT_ERROR_CNT = 36,
    AT_OUTORDER_CNT = 40,
    AT_DATAGRAMS = 44,
    AT_JITTER1 = 48,     /* seconds */
    AT_JITTER2 = 52,     /* microseconds */
    AT_ERROR_CNT2 = 116, /* server_hdr_extension2: upper halves; the first extension is not used */
    AT_OUTORDER_CNT2 = 120,
    AT_DATAGRAMS2 = 124,
};

static const uint32_t HEADER_VERSION1 = 0x80000000;
static const uint32_t HEADER_SEQNO64B = 0x08000000;
static const uint32_t MICROSECONDS = 1000000; /* in a second */

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

/* RFC 3550 A.8, which also says why sixteenths: J += (|D| - J) / 16 without losing the fraction. */
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iperf 2's wire formats: a stream of datagrams and its counters, the report on the stream that
 * iperf's client prints, and the header of a TCP client that wants data in return. Fields are
 * big-endian and have the names of iperf's payloads.h.
 */
#ifndef IPERF_STREAM_H
#define IPERF_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IPERF_DATAGRAM_MIN = 12,  /* bytes: id, tv_sec, tv_usec */
    IPERF_DATAGRAM_HEAD = 20, /* with id2 and flags: the part that is used */
    IPERF_HEADER = 60,        /* of TCP: client_hdr_v1 and client_hdrext */
    IPERF_REPORT = 128,       /* a report: a datagram's head, server_hdr_v1 and its extensions */
};

/* The head of a datagram. */
struct iperf_datagram {
    uint64_t number; /* from 1; old clients begin with 0, which is not counted */
    int64_t sent_us; /* by the client's clock */
    bool last;       /* the client requests the report; otherwise an ordinary datagram */
};

/* Counters of a stream. All zeros: no datagram has arrived. */
struct iperf_stream {
    uint64_t bytes;     /* of payload */
    uint64_t highest;   /* number seen */
    uint64_t gaps;      /* numbers skipped; those datagrams may have arrived later */
    uint64_t late;      /* datagrams whose number is not above the highest seen */
    uint64_t begin_us;  /* arrival of the first, by our clock */
    uint64_t end_us;    /* arrival of the last */
    int64_t transit_us; /* of the last one; the two clocks differ, so only differences are
                         * meaningful */
    uint64_t jitter16;  /* sixteenths of a microsecond */
    bool begun;
};

/*
 * Reads the head from the first `length` bytes of a datagram. Returns false if it is not one of
 * iperf's.
 */
bool iperf_datagram_read(struct iperf_datagram *datagram, const uint8_t *head, size_t length);

/*
 * Writes the head of a datagram. A shorter datagram takes its first bytes, at least
 * IPERF_DATAGRAM_MIN; its number must then be below 2^31.
 */
void iperf_datagram_write(const struct iperf_datagram *datagram, uint8_t head[IPERF_DATAGRAM_HEAD]);

/* Counts a datagram of `bytes` that arrived at now_us. */
void iperf_stream_count(struct iperf_stream *stream, const struct iperf_datagram *datagram,
                        uint32_t bytes, uint64_t now_us);

/* Writes the report that answers the last datagram. */
void iperf_stream_report(const struct iperf_stream *stream, uint8_t report[IPERF_REPORT]);

/* The content of a report. */
struct iperf_report {
    uint64_t bytes;
    uint64_t time_us; /* from the first datagram to the last */
    uint64_t lost;
    uint64_t late;
    uint64_t datagrams; /* sent by the client */
    uint64_t jitter_us;
};

/* Reads a report of `length` bytes. Returns false if it is not one. */
bool iperf_report_read(struct iperf_report *report, const uint8_t *bytes, size_t length);

/*
 * Writes the header with which a TCP client asks the server to send for `seconds`. both: the client
 * sends as well.
 */
void iperf_header_write(uint8_t header[IPERF_HEADER], uint32_t seconds, bool both);

#endif

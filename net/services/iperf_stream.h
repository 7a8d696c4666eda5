/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What iperf 2 sends: a stream of datagrams, counted, and the report on it that its client prints; the
 * header of a TCP client that wants data in return. Fields on the wire are big-endian, and have the names of iperf's payloads.h.
 */
#ifndef IPERF_STREAM_H
#define IPERF_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IPERF_DATAGRAM_MIN = 12,  /* bytes: id, tv_sec, tv_usec */
    IPERF_DATAGRAM_HEAD = 20, /* and id2, flags: as much as is looked at */
    IPERF_HEADER = 60,        /* of TCP: client_hdr_v1 and client_hdrext */
    IPERF_REPORT = 128,       /* of a report: a datagram's head, server_hdr_v1 and its extensions */
};

/* What the head of a datagram says. */
struct iperf_datagram {
    uint64_t number; /* from 1; old clients begin with 0, and do not count that one */
    int64_t sent_us; /* by the client's clock */
    bool last;       /* the client wants the report; it is a datagram as any other beside that */
};

/* All zeros: nothing has come. */
struct iperf_stream {
    uint64_t bytes;     /* of payload */
    uint64_t highest;   /* number */
    uint64_t gaps;      /* numbers that were left out, though they may have come later */
    uint64_t late;      /* datagrams with a number that is not beyond the highest */
    uint64_t begin_us;  /* when the first came, by the own clock */
    uint64_t end_us;    /* when the last came */
    int64_t transit_us; /* the last one's: between two clocks, so only differences mean something */
    uint64_t jitter16;  /* sixteenths of a microsecond */
    bool begun;
};

/* Reads the first `length` bytes of a datagram. Returns whether it is one of iperf's. */
bool iperf_datagram_read(struct iperf_datagram *datagram, const uint8_t *head, size_t length);

/* Writes the head of a datagram. One that has less room takes its first bytes, IPERF_DATAGRAM_MIN at
 * the least, and then numbers below 2^31 only. */
void iperf_datagram_write(const struct iperf_datagram *datagram, uint8_t head[IPERF_DATAGRAM_HEAD]);

/* Counts a datagram of `bytes` that came at now_us. */
void iperf_stream_count(struct iperf_stream *stream, const struct iperf_datagram *datagram,
                        uint32_t bytes, uint64_t now_us);

/* Writes the datagram that answers the last one. */
void iperf_stream_report(const struct iperf_stream *stream, uint8_t report[IPERF_REPORT]);

/* What a report says. */
struct iperf_report {
    uint64_t bytes;
    uint64_t time_us; /* from the first datagram to the last */
    uint64_t lost;
    uint64_t late;
    uint64_t datagrams; /* that were sent */
    uint64_t jitter_us;
};

/* Reads what answers the last datagram, of `length` bytes. Returns whether it is a report. */
bool iperf_report_read(struct iperf_report *report, const uint8_t *bytes, size_t length);

/* Writes what a TCP connection begins with on which the server is to send for that time; both: as well
 * as the client. */
void iperf_header_write(uint8_t header[IPERF_HEADER], uint32_t seconds, bool both);

#endif

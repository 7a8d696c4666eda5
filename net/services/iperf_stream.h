/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream of datagrams as iperf 2 sends them, counted, and the report on it that its client
 * prints. Fields on the wire are big-endian, and have the names of iperf's payloads.h.
 */
#ifndef IPERF_STREAM_H
#define IPERF_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IPERF_DATAGRAM_MIN = 12,  /* bytes: id, tv_sec, tv_usec */
    IPERF_DATAGRAM_HEAD = 20, /* and id2, flags: as much as is looked at */
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

/* Counts a datagram of `bytes` that came at now_us. */
void iperf_stream_count(struct iperf_stream *stream, const struct iperf_datagram *datagram,
                        uint32_t bytes, uint64_t now_us);

/* Writes the datagram that answers the last one. */
void iperf_stream_report(const struct iperf_stream *stream, uint8_t report[IPERF_REPORT]);

#endif

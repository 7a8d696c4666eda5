/* SPDX-License-Identifier: BSD-2-Clause */
/* The limits of all services. docs/services.md explains them. */
#ifndef LIMITS_H
#define LIMITS_H

/* UDP. */
enum {
    CLIENT_PORT_LEAST = 1024, /* a sender with a lower port is a server and is not answered */
    ANSWER_BYTES_A_SECOND =
        1 << 20,                /* rate and bucket size of answers longer than their question */
    SOURCE_DATAGRAMS = 1 << 24, /* datagrams that one request to the source brings, in ... */
    SOURCE_SECONDS = 60,        /* ... at most this time */
};

/* TCP: simultaneous connections. */
enum {
    PLACES_USUAL = 32,      /* per port */
    PLACES_NETPERF = 16,    /* netperf's control connections */
    PLACES_IPERF = 64,      /* including connections to the client */
    PLACES_HALF_OPEN = 128, /* all ports: handshake not completed */
    PLACES_LEFT = 64,       /* all ports: closed by the guest, not yet by the client */
    PLACES_TIME_WAIT = 256, /* all ports: closed by both, in TIME_WAIT */
};

/* TCP: how long a connection may make no progress (ms). */
enum {
    IDLE_MS = 120 * 1000,
    IDLE_MEASURED_MS = 10 * 1000, /* iperf */
    IDLE_HALF_OPEN_MS = 20 * 1000,
    IDLE_LEFT_MS = 30 * 1000,
    REQUEST_SECONDS = 10, /* for a whole HTTP request */
    /* While data waits for the client, it must take SLOW_BYTES, or all of it, in each SLOW_MS. */
    SLOW_MS = 60 * 1000,
    SLOW_BYTES = 64 * 1024,
};

#endif

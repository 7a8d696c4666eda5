/* SPDX-License-Identifier: BSD-2-Clause */
/* What the services give at the most: all of their limits, which docs/services.md explains. */
#ifndef LIMITS_H
#define LIMITS_H

/* UDP. */
enum {
    CLIENT_PORT_LEAST = 1024, /* what has a port below this is a server, and is not answered */
    ANSWER_BYTES_A_SECOND = 1 << 20, /* in answers that are longer than the question, and at once */
    SOURCE_DATAGRAMS = 1 << 24,      /* that one question to the source brings, in ... */
    SOURCE_SECONDS = 60,             /* ... at most this time */
};

/* TCP: how many connections there are at once. */
enum {
    PLACES_USUAL = 32,      /* of a port */
    PLACES_NETPERF = 16,    /* netperf's control connections */
    PLACES_IPERF = 64,      /* connections back included */
    PLACES_HALF_OPEN = 128, /* of all ports: whose client has not confirmed yet */
    PLACES_LEFT = 64,       /* of all ports: that the guest has closed, and the client not yet */
    PLACES_TIME_WAIT = 256, /* closed by both, and remembered */
};

/* TCP: how long a connection may be without progress (ms). */
enum {
    IDLE_MS = 120 * 1000,
    IDLE_MEASURED_MS = 10 * 1000, /* iperf */
    IDLE_HALF_OPEN_MS = 20 * 1000,
    IDLE_LEFT_MS = 30 * 1000,
    REQUEST_SECONDS = 10, /* for a whole HTTP request */
    /* While data waits for the client, it has to take so much in each such time, or all. */
    SLOW_MS = 60 * 1000,
    SLOW_BYTES = 64 * 1024,
};

#endif

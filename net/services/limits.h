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

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Netperf 2.7's control messages. Each is of 164 32-bit words, most significant byte first: type,
 * error, and what belongs to the type; a float is the word that IEEE 754 has for it. Strings, which
 * come after the words, are not used here. The client runs each of its tests (TCP_STREAM, UDP_RR
 * and so on) as an "omni" test: a request, a response that says where to connect, the test, and its
 * results. Names are netperf's, from where the server stands: it receives what a client sends.
 */
#ifndef NETSERVER_MESSAGE_H
#define NETSERVER_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

enum { NETPERF_MESSAGE_SIZE = 656 }; /* bytes */

/* The first word of a message. */
enum netperf_type {
    NETPERF_PASSPHRASE = 6, /* gets no response */
    NETPERF_DO_OMNI = 97,
    NETPERF_OMNI_RESPONSE = 98, /* the results, too */
};

/* The second word of a response. The client prints its own system's text, so they are Linux's. */
enum netperf_error {
    NETPERF_OK = 0,
    NETPERF_ENOMEM = 12,
    NETPERF_EINVAL = 22,
    NETPERF_EMSGSIZE = 90,
    NETPERF_EPROTONOSUPPORT = 93,
    NETPERF_EAFNOSUPPORT = 97,
    NETPERF_EADDRINUSE = 98,
    NETPERF_UNKNOWN_TEST = 998, /* netperf's own */
};

/* A test, as asked for. Sizes are in bytes, and no more than INT32_MAX. */
struct netperf_omni {
    bool tcp;           /* else UDP */
    bool ipv6;          /* the data connection */
    bool receive;       /* the client sends */
    bool transmit;      /* the client receives; with `receive`: a response for each request */
    bool connect_test;  /* a connection for each transaction; without data, if nobody sends */
    bool no_delay;      /* Nagle's algorithm is off */
    uint32_t seconds;   /* 0: not limited by time */
    uint32_t units;     /* transactions, or bytes to be sent; 0: not limited by these */
    uint32_t recv_size; /* of a request, or of what is received at once */
    uint32_t send_size; /* of a response, or of what is sent at once */
    /* Of the socket; 0: the default. Whoever opens the socket puts in what it has got. */
    uint32_t recv_buf_size;
    uint32_t send_buf_size;
    uint16_t data_port;    /* the server's, rather than another; 0: any */
    uint16_t netperf_port; /* the client's, if that is known */
};

struct netperf_results {
    uint64_t bytes_received;
    uint64_t bytes_sent;
    uint32_t recv_calls;
    uint32_t send_calls;
    uint32_t failed_sends;
    uint32_t trans_received; /* transactions */
    uint32_t elapsed_ms;
};

uint32_t netperf_type(const uint8_t *message);

/* Reads a request of an omni test. Returns what is wrong with it, or NETPERF_OK. */
enum netperf_error netperf_read_omni(const uint8_t *message, struct netperf_omni *omni);

/* These overwrite the message. data_port: where the server is now. */
void netperf_write_error(uint8_t *message, uint32_t type, enum netperf_error error);
void netperf_write_response(uint8_t *message, const struct netperf_omni *omni, uint16_t data_port);
void netperf_write_results(uint8_t *message, const struct netperf_omni *omni,
                           const struct netperf_results *results);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Netperf 2.7's control messages. A message consists of 164 big-endian 32-bit words: type, error,
 * and fields that depend on the type. A float is its IEEE 754 word. The strings behind the words
 * are not used here. The client runs each of its tests (TCP_STREAM, UDP_RR and so on) as an "omni"
 * test: a request, a response that says where to connect, the test, and its results. Names are
 * netperf's, from the server's point of view: it receives what a client sends.
 */
#ifndef NETSERVER_MESSAGE_H
#define NETSERVER_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

enum { NETPERF_MESSAGE_SIZE = 656 }; /* bytes */

/* The first word of a message. */
enum netperf_type {
    NETPERF_PASSPHRASE = 6, /* has no response */
    NETPERF_DO_OMNI = 97,
    NETPERF_OMNI_RESPONSE = 98, /* also of the results */
};

/*
 * The second word of a response: an error number of Linux. The client prints its own system's text
 * for it.
 */
enum netperf_error {
    NETPERF_OK = 0,
    NETPERF_ENOMEM = 12,
    NETPERF_EINVAL = 22,
    NETPERF_EMSGSIZE = 90,
    NETPERF_EPROTONOSUPPORT = 93,
    NETPERF_EAFNOSUPPORT = 97,
    NETPERF_EADDRINUSE = 98,
    NETPERF_UNKNOWN_TEST = 998, /* netperf's own number */
};

/* The parameters of a test. Sizes are in bytes, at most INT32_MAX. */
struct netperf_omni {
    bool tcp;           /* else UDP */
    bool ipv6;          /* of the data connection */
    bool receive;       /* the client sends */
    bool transmit;      /* the client receives; with `receive`: one response per request */
    bool connect_test;  /* one connection per transaction; without data if neither side sends */
    bool no_delay;      /* disables Nagle's algorithm */
    uint32_t seconds;   /* 0: no time limit */
    uint32_t units;     /* transactions, or bytes to send; 0: no limit */
    uint32_t recv_size; /* of a request, or of one receive call */
    uint32_t send_size; /* of a response, or of one send call */
    /* Socket buffers; 0: the default. netserver_data.open() replaces them by the real sizes. */
    uint32_t recv_buf_size;
    uint32_t send_buf_size;
    uint16_t data_port;    /* requested port of the server; 0: any */
    uint16_t netperf_port; /* the client's port, if known */
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

/* Reads the request of an omni test. Returns its error, or NETPERF_OK. */
enum netperf_error netperf_read_omni(const uint8_t *message, struct netperf_omni *omni);

/* Each overwrites the message. data_port: the port on which the server listens. */
void netperf_write_error(uint8_t *message, uint32_t type, enum netperf_error error);
void netperf_write_response(uint8_t *message, const struct netperf_omni *omni, uint16_t data_port);
void netperf_write_results(uint8_t *message, const struct netperf_omni *omni,
                           const struct netperf_results *results);

#endif

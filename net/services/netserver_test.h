/* SPDX-License-Identifier: BSD-2-Clause */
/* A test run by netserver: the interface between its control connection and its data connection. */
#ifndef NETSERVER_TEST_H
#define NETSERVER_TEST_H

#include "lwip/ip_addr.h"
#include "net/services/netserver_message.h"

struct tcp_pcb;
struct udp_pcb;
struct netserver_test;

/* The data connection, over TCP or UDP. lwIP calls none of these. */
struct netserver_data {
    /*
     * Prepares for the client. Writes the port and the buffer sizes into test->omni. peer: the
     * client's address. On an error there is nothing to close.
     */
    enum netperf_error (*open)(struct netserver_test *test, const ip_addr_t *peer);
    /* Called in every pass of the loop while the test runs. Returns true if it did anything. */
    bool (*poll)(struct netserver_test *test);
    /* Undoes open(). abandon: at once, as the client is gone. */
    void (*close)(struct netserver_test *test, bool abandon);
};
extern const struct netserver_data netserver_tcp, netserver_udp;

struct netserver_test {
    const struct netserver_data *data; /* NULL: no test */
    struct netperf_omni omni;
    struct netperf_results results;
    unsigned events; /* incremented on every event from the client */
    bool over;       /* set when the results are complete */

    uint64_t owed;  /* left to send: bytes (TCP) or datagrams (UDP) */
    ip_addr_t peer; /* the client's address, from its control connection */
    struct udp_pcb *udp;
    struct tcp_pcb *listener;
    struct tcp_pcb *tcp;  /* the connection, or NULL */
    uint32_t part;        /* bytes of an incomplete request */
    uint32_t returned;    /* bytes by which the window opens when the responses are sent */
    uint32_t kept;        /* window bytes withheld, as the client wants a smaller buffer */
    uint32_t kept_so_far; /* how many of `kept` are withheld already */
    bool answered;        /* the only transaction of a connection is done */
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A test that netserver serves: what its control connection and its data have in common. */
#ifndef NETSERVER_TEST_H
#define NETSERVER_TEST_H

#include "lwip/ip_addr.h"
#include "net/services/netserver_message.h"

struct tcp_pcb;
struct udp_pcb;
struct netserver_test;

/* How the data goes: over TCP, or over UDP. None of these is called by lwIP. */
struct netserver_data {
    /*
     * Makes ready for the client and puts the port into test->omni, with the sizes of the buffers.
     * peer: the client's address. Anything but NETPERF_OK: there is nothing to close.
     */
    enum netperf_error (*open)(struct netserver_test *test, const ip_addr_t *peer);
    /* On every pass of the loop while the test runs. Returns whether it did anything. */
    bool (*poll)(struct netserver_test *test);
    /* Ends what open() began; abandon: at once, for a client that is gone. */
    void (*close)(struct netserver_test *test, bool abandon);
};
extern const struct netserver_data netserver_tcp, netserver_udp;

struct netserver_test {
    const struct netserver_data *data; /* NULL: no test */
    struct netperf_omni omni;
    struct netperf_results results;
    unsigned events; /* grows whenever there is something from the client */
    bool over;       /* set once the results are there */

    uint64_t owed;  /* still to be sent: bytes (TCP), datagrams (UDP) */
    ip_addr_t peer; /* the client's address, by its control connection */
    struct udp_pcb *udp;
    struct tcp_pcb *listener;
    struct tcp_pcb *tcp;  /* the connection, if there is one */
    uint32_t part;        /* bytes of a request that is not complete */
    uint32_t returned;    /* bytes the client may send again once its responses have been sent */
    uint32_t kept;        /* bytes the client must not send, for it wants a smaller buffer */
    uint32_t kept_so_far; /* of these */
    bool answered;        /* the transaction of a connection that has only one */
};

#endif

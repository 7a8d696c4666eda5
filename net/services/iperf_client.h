/* SPDX-License-Identifier: BSD-2-Clause */
/* iperf 2's client: sends to an `iperf -s` server, or receives from it, as fast as possible. */
#ifndef IPERF_CLIENT_H
#define IPERF_CLIENT_H

#include "net/net.h"
#include "net/services/iperf_stream.h"
#include "net/services/talk.h"

/* Set the parameters, start it once, and keep it at its address from then on. */
struct iperf_client {
    struct talk stream; /* private; must be the first member */

    ip_addr_t peer;
    bool over_tcp;
    bool sends, receives; /* at least one of them; over UDP only `sends` */
    uint32_t size;        /* bytes per datagram, at least IPERF_DATAGRAM_MIN */
    uint32_t seconds;
    void (*done)(struct iperf_client *client); /* called at the end, when the results are
                                                * complete and nothing is in flight */

    const char *failure;        /* result: NULL on success, else the reason */
    uint64_t ns;                /* until the last bytes were sent, acknowledged or received */
    uint64_t sent_bytes;        /* as confirmed by the server */
    uint64_t received_bytes;    /* over TCP */
    struct iperf_report report; /* over UDP: the server's report */

    unsigned state; /* this and the rest are private */
    uint64_t state_since;
    uint64_t begun_at;
    uint64_t datagrams; /* sent */
    unsigned questions; /* requests for the report */
    struct net_poller poller;
};

/* Starts the test as soon as the guest has an address for it. */
void iperf_client_start(struct iperf_client *client);

#endif

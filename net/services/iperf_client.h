/* SPDX-License-Identifier: BSD-2-Clause */
/* iperf 2's client: it sends to what `iperf -s` serves, or receives from it, as fast as it can. */
#ifndef IPERF_CLIENT_H
#define IPERF_CLIENT_H

#include "net/net.h"
#include "net/services/iperf_stream.h"
#include "net/services/talk.h"

/* Set what is asked for, start it once, and leave it where it is from then on. */
struct iperf_client {
    struct talk stream; /* the client's own, and first */

    ip_addr_t peer;
    bool over_tcp;
    bool sends, receives; /* at least one of them; over UDP it only sends */
    uint32_t size;        /* bytes of a datagram, from IPERF_DATAGRAM_MIN on */
    uint32_t seconds;
    void (*done)(struct iperf_client *client); /* with the result; nothing of it is under way */

    const char *failure;        /* the result: NULL where it is one, and else what happened */
    uint64_t ns;                /* until the last bytes were sent, acknowledged or received */
    uint64_t sent_bytes;        /* that arrived */
    uint64_t received_bytes;    /* over TCP */
    struct iperf_report report; /* over UDP: the server's */

    unsigned state; /* the client's own, too */
    uint64_t state_since;
    uint64_t begun_at;
    uint64_t datagrams; /* sent */
    unsigned questions; /* for the report */
    struct net_poller poller;
};

/* Begins as soon as there is an address for it. */
void iperf_client_start(struct iperf_client *client);

#endif

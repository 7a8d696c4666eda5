/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a measured machine serves: echo (UDP and TCP port 7), sink (9) and source (19), netperf's
 * and iperf's tests, and what it counts meanwhile; docs/services.md says to whom. Each start function says on the console why where
 * it cannot, and returns whether it could.
 */
#ifndef SERVICES_H
#define SERVICES_H

#include <stdbool.h>

#include "boot/arguments.h"

enum {
    SERVICE_PORT_ECHO = 7,
    SERVICE_PORT_SINK = 9,
    SERVICE_PORT_SOURCE = 19,
    SERVICE_PORT_HTTP = 80,
    SERVICE_PORT_STATS = 81,
    SERVICE_PORT_IPERF = 5001,
    SERVICE_PORT_NETSERVER = 12865,
    SERVICE_MESSAGE = 1024, /* bytes of a message of the TCP source */
};

/*
 * Whether services= leaves a service in: BOOT_SERVICE_... of boot/arguments.h. A start function of one
 * that it leaves out does nothing, and returns true.
 */
static inline bool service_wanted(unsigned service)
{
    return (boot_arguments.services & service) != 0;
}

/* Sends back what comes, without copying it. */
bool echo_start(void);

/*
 * Discards what comes, and counts datagrams. An 8-byte one that begins with "STAT" is not counted
 * but answered with 24 bytes: itself, then datagrams and bytes, 64-bit big-endian each.
 */
bool sink_start(void);

/*
 * TCP: messages of SERVICE_MESSAGE bytes until the peer closes. UDP: a datagram "SEND", count, size
 * (32-bit big-endian each) makes it send `count` datagrams of `size` bytes to the asker, each
 * beginning with its number from 0, 32-bit big-endian; any further datagram ends that first.
 */
bool source_start(void);

/* What is counted, as JSON (net/stats.h): over TCP by HTTP's GET or HEAD of /, over UDP for any
 * datagram to SERVICE_PORT_STATS. */
bool stats_start(void);

/*
 * What netperf 2.7 (https://github.com/HewlettPackard/netperf) asks of its netserver: streams,
 * requests with responses and connections, over TCP and UDP. CPU figures are not measured.
 */
bool netserver_start(void);

/*
 * What `iperf -c` (iperf 2) talks to. TCP: -d, -r, -R and --full-duplex too, with up to 64
 * connections. UDP: the report on loss and jitter, of up to 32 streams at once.
 */
bool iperf_start(void);

#endif

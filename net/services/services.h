/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The services of a measured machine: echo (UDP and TCP port 7), sink (9), source (19), the servers
 * of netperf and iperf, and statistics. docs/services.md says which clients are served. Each start
 * function returns false, and prints a message, if it could not start.
 */
#ifndef SERVICES_H
#define SERVICES_H

#include <stdbool.h>

#include "net/config.h"

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
 * True if services= includes this service (NET_SERVICE_... in net/config.h). The start
 * function of an excluded service does nothing and returns true.
 */
static inline bool service_wanted(unsigned service)
{
    return (net_config()->services & service) != 0;
}

/* Sends received data back without copying it. */
bool echo_start(void);

/*
 * Discards received data and counts datagrams. An 8-byte datagram that begins with "STAT" is not
 * counted but answered with 24 bytes: itself, then the numbers of datagrams and bytes, 64-bit
 * big-endian each.
 */
bool sink_start(void);

/*
 * TCP: sends messages of SERVICE_MESSAGE bytes until the peer closes. UDP: the datagram "SEND",
 * count, size (32-bit big-endian each) requests `count` datagrams of `size` bytes. Each begins with
 * its number, from 0, 32-bit big-endian. Any further datagram ends the burst first.
 */
bool source_start(void);

/*
 * Statistics as JSON (net/stats.h): for an HTTP GET or HEAD of /, and for any UDP datagram to
 * SERVICE_PORT_STATS.
 */
bool stats_start(void);

/*
 * The server of netperf 2.7 (https://github.com/HewlettPackard/netperf): streams, requests with
 * responses, and connections, over TCP and UDP. CPU figures are not measured.
 */
bool netserver_start(void);

/*
 * The server for `iperf -c` (iperf 2). TCP: also -d, -r, -R and --full-duplex, with up to 64
 * connections. UDP: reports loss and jitter of up to 32 streams at once.
 */
bool iperf_start(void);

#endif

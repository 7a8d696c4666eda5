/* SPDX-License-Identifier: BSD-2-Clause */
/* The two directions of the UDP tests, and a run with one or both. */
#ifndef VTBENCH_UDP_H
#define VTBENCH_UDP_H

#include <sys/socket.h>

#include "vtbench.h"

#define BATCH 64

struct batch {
    unsigned char *data;
    struct iovec iov[BATCH];
    struct mmsghdr msg[BATCH];
};

struct udp_in {
    struct service service;
    int fd;
    struct batch batch;
    uint32_t query; /* tag of the last STAT, returned in its answer */
    uint64_t sent;
};

struct udp_out {
    struct service service;
    int fd;
    struct batch batch;
    uint32_t burst;     /* datagrams in one request */
    uint64_t active_ns; /* last datagram or request */
    uint64_t heard_ns;  /* last datagram */
    bool between;       /* requested again, no datagram of the new burst has arrived */
    uint32_t next;      /* the highest sequence number received in this burst, plus 1 */
    uint32_t in_burst;  /* datagrams received of this burst */
    uint64_t received, bytes, lost;
    unsigned bursts, stalls, wrong_length;
};

struct udp_run {
    const struct options *o;
    struct result *r;
    bool want_in, want_out;
    struct udp_in in;
    struct udp_out out;
    uint64_t start_ns;
};

struct sink_count {
    uint64_t datagrams, bytes;
    uint64_t at_ns;
};

/*
 * vtbench_udp_in.c. All except in_report() return false with the run's error set if they fail.
 * ask_sink() requests the counters; also before the first datagram, to know their start. in_send()
 * sends a batch, or the part that the socket accepts. in_report() adds the figures of a test whose
 * last datagram was sent at sent_ns.
 */
bool ask_sink(struct udp_run *u, struct sink_count *count);
bool in_send(struct udp_run *u);
void in_report(struct udp_run *u, const struct sink_count *before, uint64_t sent_ns);

/*
 * vtbench_udp_out.c, with the same results. out_start() requests the first burst and waits for it.
 * out_receive() receives a batch. out_ask_after_silence() requests another burst if the current one
 * has stopped. out_report() adds the figures of the time until end_ns. out_stop() ends the current
 * burst and reads its remaining datagrams, so that the next test starts without traffic.
 */
bool out_start(struct udp_run *u);
bool out_receive(struct udp_run *u);
bool out_ask_after_silence(struct udp_run *u, uint64_t now);
void out_report(struct udp_run *u, uint64_t end_ns);
void out_stop(struct udp_run *u);

#endif

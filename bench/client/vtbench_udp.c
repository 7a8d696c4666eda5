/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP bandwidth: datagrams to the peer's sink, from its source, or both at once. One thread with
 * one loop does it, so the other CPUs are free for the peer. Both directions are assumed to keep
 * the order of datagrams, as a tap, a veth pair and the loopback device do.
 */
#define _GNU_SOURCE
#include "vtbench_udp.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void batch_open(struct batch *b, unsigned size)
{
    b->data = must_alloc(BATCH, size);
    memset(b->data, 'v', (size_t)BATCH * size);
    for (unsigned i = 0; i < BATCH; i++) {
        b->iov[i] = (struct iovec){b->data + (size_t)i * size, size};
        b->msg[i].msg_hdr.msg_iov = &b->iov[i];
        b->msg[i].msg_hdr.msg_iovlen = 1;
    }
}

/*
 * One pass: a batch in each direction, then the clock. Returns false if the time is over or a
 * socket failed.
 */
static bool turn(struct udp_run *u, uint64_t until)
{
    struct pollfd p[2] = {
        {.fd = u->want_in ? u->in.fd : -1, .events = POLLOUT},
        {.fd = u->want_out ? u->out.fd : -1, .events = POLLIN},
    };
    uint64_t now;

    (void)poll(p, 2, 10);
    if (p[0].revents && !in_send(u)) {
        return false;
    }
    if (p[1].revents && !out_receive(u)) {
        return false;
    }
    now = now_ns();
    if (u->want_out && !out_ask_after_silence(u, now)) {
        return false;
    }
    progress_show(1 - (double)(until - (now < until ? now : until)) / 1e9 / u->o->seconds);
    return now < until;
}

static void exchange(struct udp_run *u)
{
    struct sink_count before = {0, 0, 0};
    uint64_t until, end;

    if (u->want_in && !ask_sink(u, &before)) {
        return;
    }
    if (u->want_out && !out_start(u)) {
        out_stop(u);
        return;
    }
    u->start_ns = now_ns();
    until = u->start_ns + (uint64_t)(u->o->seconds * 1e9);
    while (turn(u, until)) {
        ;
    }
    end = now_ns();
    if (u->want_in && !u->r->error[0]) {
        in_report(u, &before, end);
    }
    if (u->want_out) {
        out_report(u, end);
        out_stop(u);
    }
}

static void run_udp(const struct options *o, struct result *r, bool want_in, bool want_out)
{
    struct udp_run *u = must_alloc(1, sizeof(*u));

    u->o = o;
    u->r = r;
    u->want_in = want_in;
    u->want_out = want_out;
    u->in.service = (struct service){"udp sink", SOCK_DGRAM, o->sink_port};
    u->out.service = (struct service){"udp source", SOCK_DGRAM, o->source_port};
    u->in.fd = want_in ? net_connect(o, &u->in.service, r) : -1;
    u->out.fd = want_out ? net_connect(o, &u->out.service, r) : -1;
    batch_open(&u->in.batch, o->size);
    batch_open(&u->out.batch, o->size);

    if (!r->error[0]) {
        exchange(u);
    }
    if (want_in && want_out && !r->error[0]) {
        result_add_sum(r);
    }

    free(u->in.batch.data);
    free(u->out.batch.data);
    if (u->in.fd >= 0) {
        close(u->in.fd);
    }
    if (u->out.fd >= 0) {
        close(u->out.fd);
    }
    free(u);
}

void run_udp_in(const struct options *o, struct result *r)
{
    run_udp(o, r, true, false);
}

void run_udp_out(const struct options *o, struct result *r)
{
    run_udp(o, r, false, true);
}

void run_udp_both(const struct options *o, struct result *r)
{
    run_udp(o, r, true, true);
}

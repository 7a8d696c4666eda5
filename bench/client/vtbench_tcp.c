/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP bandwidth: a stream to the peer's sink, one from its source, or both at once. One thread with
 * one loop does it, so the other CPUs are free for the peer.
 *
 * "In" counts the bytes that the peer has acknowledged, because written bytes may still be in the
 * socket. The first half second (slow start) is not measured; o->seconds follow it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vtbench.h"

#define LEFT_OUT_NS (NS_PER_S / 2)

/* A stream has no messages. Large calls keep the cost of this process low. */
#define WRITE_BYTES (64u << 10)
#define READ_BYTES (256u << 10)

struct tcp_run {
    const struct options *o;
    struct result *r;
    bool want_in, want_out;
    struct service in_service, out_service;
    int in, out;
    unsigned char *data;
    uint64_t written, received;
    int unacknowledged;                 /* of `written`, when last checked */
    uint64_t moved_in_ns, moved_out_ns; /* when data last moved */
};

struct mark {
    uint64_t at_ns, acknowledged, received;
};

/*
 * On a slow path a full socket accepts nothing for a long time, although acknowledgements arrive.
 */
static void look_for_acknowledgements(struct tcp_run *t)
{
    int waiting = 0;

    if (ioctl(t->in, SIOCOUTQ, &waiting) < 0 || waiting == t->unacknowledged) {
        return;
    }
    t->unacknowledged = waiting;
    t->moved_in_ns = now_ns();
}

static bool take_mark(struct tcp_run *t, struct mark *m)
{
    int waiting = 0;

    /* SIOCOUTQ: written bytes that the peer has not acknowledged, sent or not. */
    if (t->want_in && ioctl(t->in, SIOCOUTQ, &waiting) < 0) {
        net_fail(t->o, &t->in_service, errno, t->r);
        return false;
    }
    m->at_ns = now_ns();
    m->acknowledged = t->written - (uint64_t)waiting;
    m->received = t->received;
    return true;
}

static bool in_write(struct tcp_run *t, short events)
{
    ssize_t n;

    if (events & (POLLRDHUP | POLLHUP)) {
        int error = 0;
        socklen_t length = sizeof(error);

        (void)getsockopt(t->in, SOL_SOCKET, SO_ERROR, &error, &length);
        net_fail(t->o, &t->in_service, error ? error : EPIPE, t->r);
        return false;
    }
    n = send(t->in, t->data, WRITE_BYTES, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
        t->written += (uint64_t)n;
        t->moved_in_ns = now_ns();
        return true;
    }
    if (errno == EAGAIN || errno == EINTR) {
        return true;
    }
    net_fail(t->o, &t->in_service, errno, t->r);
    return false;
}

static bool out_read(struct tcp_run *t)
{
    ssize_t n = recv(t->out, t->data, READ_BYTES, MSG_DONTWAIT);

    if (n > 0) {
        t->received += (uint64_t)n;
        t->moved_out_ns = now_ns();
        return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    net_fail(t->o, &t->out_service, n < 0 ? errno : EPIPE, t->r);
    return false;
}

/* Moves data until `until`. start, total: only for the progress line. */
static bool flow(struct tcp_run *t, uint64_t start, uint64_t until, uint64_t total)
{
    struct pollfd p[2] = {
        {.fd = t->want_in ? t->in : -1, .events = POLLOUT | POLLRDHUP},
        {.fd = t->want_out ? t->out : -1, .events = POLLIN},
    };
    uint64_t now;

    do {
        (void)poll(p, 2, 10);
        if (p[0].revents && !in_write(t, p[0].revents)) {
            return false;
        }
        if (t->want_in && !p[0].revents) {
            look_for_acknowledgements(t);
        }
        if (p[1].revents && !out_read(t)) {
            return false;
        }
        now = now_ns();
        progress_show((double)(now - start) / (double)total);
    } while (now < until);
    return true;
}

/* A stream that moved nothing in the second half has stalled, which the mean would hide. */
static void report(const struct tcp_run *t, const struct service *s, enum direction dir,
                   uint64_t bytes, const struct mark *from, const struct mark *to)
{
    uint64_t moved_ns = s == &t->in_service ? t->moved_in_ns : t->moved_out_ns;
    uint64_t ns = to->at_ns - from->at_ns;
    double seconds = (double)ns / 1e9;

    result_add(t->r, dir, FIG_MBIT, (double)bytes * 8 / seconds / 1e6);
    result_add(t->r, dir, FIG_BYTES, (double)bytes);
    result_add(t->r, dir, FIG_SECONDS, seconds);
    if (bytes == 0) {
        net_fail_text(t->o, s, t->r,
                      "connected, but not a byte went through in %.1f s; look at "
                      "the guest's console",
                      seconds);
    } else if (to->at_ns - moved_ns > ns / 2) {
        net_fail_text(t->o, s, t->r,
                      "no data moved in the last %.1f s; look at the guest's "
                      "console",
                      (double)(to->at_ns - moved_ns) / 1e9);
    }
}

static void exchange(struct tcp_run *t)
{
    uint64_t start = now_ns();
    uint64_t total = LEFT_OUT_NS + (uint64_t)(t->o->seconds * 1e9);
    struct mark from, to;

    if (!flow(t, start, start + LEFT_OUT_NS, total) || !take_mark(t, &from) ||
        !flow(t, start, start + total, total) || !take_mark(t, &to)) {
        return;
    }
    if (t->want_in) {
        report(t, &t->in_service, t->want_out ? DIR_IN : DIR_ONLY,
               to.acknowledged - from.acknowledged, &from, &to);
    }
    if (t->want_out) {
        report(t, &t->out_service, t->want_in ? DIR_OUT : DIR_ONLY, to.received - from.received,
               &from, &to);
    }
    if (t->want_in && t->want_out && !t->r->error[0]) {
        result_add_sum(t->r);
    }
}

/* Closes with a reset instead of a FIN, so that queued data does not disturb the next test. */
static void abort_connection(int fd)
{
    struct linger now = {1, 0};

    if (fd < 0) {
        return;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

static void run_tcp(const struct options *o, struct result *r, bool want_in, bool want_out)
{
    struct tcp_run t = {.o = o, .r = r, .want_in = want_in, .want_out = want_out};

    t.in_service = (struct service){"tcp sink", SOCK_STREAM, o->sink_port};
    t.out_service = (struct service){"tcp source", SOCK_STREAM, o->source_port};
    t.data = must_alloc(1, READ_BYTES);
    t.in = want_in ? net_connect(o, &t.in_service, r) : -1;
    t.out = want_out && !r->error[0] ? net_connect(o, &t.out_service, r) : -1;

    if (!r->error[0]) {
        exchange(&t);
    }

    abort_connection(t.in);
    abort_connection(t.out);
    free(t.data);
}

void run_tcp_in(const struct options *o, struct result *r)
{
    run_tcp(o, r, true, false);
}

void run_tcp_out(const struct options *o, struct result *r)
{
    run_tcp(o, r, false, true);
}

void run_tcp_both(const struct options *o, struct result *r)
{
    run_tcp(o, r, true, true);
}

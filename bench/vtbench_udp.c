/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP bandwidth: datagrams to the peer's sink, from its source, or both at once in one loop of one
 * thread, which leaves the other CPUs to the peer.
 *
 * In: the socket is filled as fast as it takes datagrams; what has arrived is the difference of
 * two STAT answers of the sink. Out: bursts are asked for until the time is up, and the sequence
 * numbers tell what is missing. Both ways are taken to keep the order of datagrams, as a tap, a
 * veth pair and the loopback device do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vtbench.h"

#define BATCH 64

/* A burst ends by itself soon after a client that died: 64 MiB is a fraction of a second. */
#define BURST_BYTES (64u << 20)
#define BURST_LEAST 256u

/* Silence after which a burst is taken to be over and the next one is asked for. */
#define SILENCE_NS (200 * NS_PER_MS)

/*
 * A burst that falls silent this close to its end has lost its last datagrams. Farther from it the
 * peer has stalled, and what it never sent is no loss of the path.
 */
#define TAIL 1024u

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
    uint32_t burst;     /* datagrams asked for at a time */
    uint64_t active_ns; /* last datagram or request */
    uint64_t heard_ns;  /* last datagram */
    bool between;       /* asked again, nothing of the new burst seen yet */
    uint32_t next;      /* sequence number that follows the highest seen in this burst */
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
 * Asks the sink for its counters. The first question comes right behind the data and waits with it
 * in the same queues, so its answer says when the sink had counted all that was before it. A
 * question lost to a full queue is repeated, soon at first.
 */
static bool ask_sink(struct udp_run *u, struct sink_count *count)
{
    struct udp_in *in = &u->in;
    uint64_t wait_ms = 2, now = now_ns();
    uint64_t give_up = now + UINT64_C(5) * u->o->timeout_ms * NS_PER_MS;
    unsigned char question[8] = "STAT", answer[24];

    put_be32(question + 4, ++in->query);
    while (now < give_up) {
        uint64_t until = now + wait_ms * NS_PER_MS;

        if (send(in->fd, question, sizeof(question), MSG_DONTWAIT) < 0 && errno != EAGAIN &&
            errno != ENOBUFS) {
            net_fail(u->o, &in->service, errno, u->r);
            return false;
        }
        while (net_wait(in->fd, POLLIN, until)) {
            ssize_t n = recv(in->fd, answer, sizeof(answer), MSG_DONTWAIT | MSG_TRUNC);

            if (n < 0 && errno != EAGAIN) {
                net_fail(u->o, &in->service, errno, u->r);
                return false;
            }
            if (n != sizeof(answer) || memcmp(answer, question, sizeof(question)) != 0) {
                continue;
            }
            count->at_ns = now_ns();
            count->datagrams = get_be64(answer + 8);
            count->bytes = get_be64(answer + 16);
            return true;
        }
        wait_ms = wait_ms < 250 ? wait_ms * 2 : wait_ms;
        now = now_ns();
    }
    net_fail_text(u->o, &in->service, u->r,
                  "no answer to STAT within %u ms; is the guest up and "
                  "does it serve the contract?",
                  5 * u->o->timeout_ms);
    return false;
}

static bool in_send(struct udp_run *u)
{
    int n = sendmmsg(u->in.fd, u->in.batch.msg, BATCH, MSG_DONTWAIT);

    if (n > 0) {
        u->in.sent += (unsigned)n;
        return true;
    }
    if (errno == ENOBUFS) {
        usleep(100); /* the interface's queue is full, which poll does not show */
    } else if (errno != EAGAIN && errno != EINTR) {
        net_fail(u->o, &u->in.service, errno, u->r);
    }
    return !u->r->error[0];
}

/* What sits in queues behind the first answer still counts as delivered: wait for it to settle. */
static bool settle_sink(struct udp_run *u, const struct sink_count *first, struct sink_count *last)
{
    uint64_t before = first->datagrams;

    for (unsigned i = 0; i < 40; i++) {
        usleep(20000);
        if (!ask_sink(u, last)) {
            return false;
        }
        if (last->datagrams == before) {
            return true;
        }
        before = last->datagrams;
    }
    return true;
}

/* `first` belongs to the bandwidth, the settled counter to the losses. */
static void in_report(struct udp_run *u, const struct sink_count *before, uint64_t sent_ns)
{
    enum direction dir = u->want_out ? DIR_IN : DIR_ONLY;
    struct sink_count first, last;
    double delivered, lost, seconds, sent = (double)u->in.sent;

    if (!ask_sink(u, &first) || !settle_sink(u, &first, &last)) {
        return;
    }
    if (first.datagrams < before->datagrams || last.datagrams < first.datagrams ||
        last.datagrams - before->datagrams > u->in.sent) {
        net_fail_text(u->o, &u->in.service, u->r,
                      "the sink's counter does not fit the %llu "
                      "datagrams sent; did it restart, or does another client use it?",
                      (unsigned long long)u->in.sent);
        return;
    }
    delivered = (double)(last.datagrams - before->datagrams);
    lost = sent - delivered;
    seconds = (double)(first.at_ns - u->start_ns) / 1e9;
    result_add(u->r, dir, FIG_MBIT, (double)(first.bytes - before->bytes) * 8 / seconds / 1e6);
    result_add(u->r, dir, FIG_OFFERED_MBIT,
               sent * u->o->size * 8 / ((double)(sent_ns - u->start_ns) / 1e9) / 1e6);
    result_add(u->r, dir, FIG_PACKETS_PER_S,
               (double)(first.datagrams - before->datagrams) / seconds);
    result_add(u->r, dir, FIG_PACKETS_SENT, sent);
    result_add(u->r, dir, FIG_PACKETS_RECEIVED, delivered);
    result_add(u->r, dir, FIG_PACKETS_LOST, lost);
    result_add(u->r, dir, FIG_LOSS_FRACTION, sent > 0 ? lost / sent : 0);
    result_add(u->r, dir, FIG_SECONDS, seconds);
    if (delivered == 0) {
        net_fail_text(u->o, &u->in.service, u->r,
                      "none of %llu datagrams was counted; is --size "
                      "%u beyond what the guest takes?",
                      (unsigned long long)u->in.sent, u->o->size);
    }
}

static bool out_ask(struct udp_run *u, uint32_t count)
{
    unsigned char question[12] = "SEND";

    put_be32(question + 4, count);
    put_be32(question + 8, u->o->size);
    u->out.active_ns = now_ns();
    if (send(u->out.fd, question, sizeof(question), MSG_DONTWAIT) < 0 && errno != EAGAIN &&
        errno != ENOBUFS) {
        net_fail(u->o, &u->out.service, errno, u->r);
        return false;
    }
    return true;
}

/* Charges what the burst is missing up to sequence number `end`. */
static void out_close_burst(struct udp_out *out, uint32_t end)
{
    if (end > out->in_burst) {
        out->lost += end - out->in_burst;
    }
    if (out->in_burst) {
        out->bursts++;
    }
    out->in_burst = 0;
}

static void out_take(struct udp_run *u, const unsigned char *p, unsigned length)
{
    struct udp_out *out = &u->out;
    uint32_t sequence = length >= 4 ? get_be32(p) : UINT32_MAX;

    if (length != u->o->size || sequence >= out->burst) {
        out->wrong_length++;
        return;
    }
    /* The rest of a burst cut short carries higher numbers than the start of the next one. */
    if (out->between && sequence < out->next) {
        out->between = false;
        out_close_burst(out, out->burst - out->next <= TAIL ? out->burst : out->next);
        out->next = 0;
    }
    out->received++;
    out->bytes += length;
    out->in_burst++;
    if (sequence >= out->next) {
        out->next = sequence + 1;
    }
}

static bool out_receive(struct udp_run *u)
{
    struct udp_out *out = &u->out;
    int n = recvmmsg(out->fd, out->batch.msg, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);

    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            net_fail(u->o, &out->service, errno, u->r);
        }
        return !u->r->error[0];
    }
    for (int i = 0; i < n; i++) {
        out_take(u, out->batch.iov[i].iov_base, out->batch.msg[i].msg_len);
    }
    out->heard_ns = out->active_ns = now_ns();

    if (!out->between && out->next == out->burst) {
        out->between = true;
        return out_ask(u, out->burst);
    }
    return true;
}

static bool out_ask_after_silence(struct udp_run *u, uint64_t now)
{
    struct udp_out *out = &u->out;

    if (now < out->active_ns + SILENCE_NS) {
        return true;
    }
    out->stalls++;
    out->between = true;
    return out_ask(u, out->burst);
}

/* Starts the first burst and waits for its first datagram, which starts the clock. */
static bool out_start(struct udp_run *u)
{
    struct udp_out *out = &u->out;
    uint64_t wait_ns = u->o->timeout_ms * NS_PER_MS;

    out->burst = BURST_BYTES / u->o->size;
    if (out->burst < BURST_LEAST) {
        out->burst = BURST_LEAST;
    }
    for (unsigned i = 0; i < 5; i++) {
        if (!out_ask(u, out->burst)) {
            return false;
        }
        if (net_wait(out->fd, POLLIN, now_ns() + wait_ns)) {
            return true;
        }
    }
    net_fail_text(u->o, &out->service, u->r,
                  "no answer to SEND, asked 5 times, %u ms each; is the "
                  "guest up and does it serve the contract?",
                  u->o->timeout_ms);
    return false;
}

/* Ends the burst under way and reads what still comes, so that the next test starts in silence. */
static void out_stop(struct udp_run *u)
{
    uint64_t now = now_ns(), end = now + NS_PER_S, asked = 0;
    struct udp_out *out = &u->out;
    struct result ignored = {.error = ""};
    struct udp_run quiet = {.o = u->o, .r = &ignored, .out = {.fd = out->fd}};

    quiet.out.service = out->service;
    while (now < end) {
        if (now >= asked + 50 * NS_PER_MS) {
            asked = now;
            if (!out_ask(&quiet, 0)) {
                return;
            }
        }
        if (!net_wait(out->fd, POLLIN, now + 30 * NS_PER_MS)) {
            return;
        }
        if (recvmmsg(out->fd, out->batch.msg, BATCH, MSG_DONTWAIT, NULL) < 0 && errno != EAGAIN) {
            return;
        }
        now = now_ns();
    }
}

static void out_report(struct udp_run *u, uint64_t end_ns)
{
    enum direction dir = u->want_in ? DIR_OUT : DIR_ONLY;
    struct udp_out *out = &u->out;
    double seconds = (double)(end_ns - u->start_ns) / 1e9;
    double expected;

    out_close_burst(out, out->next);
    expected = (double)(out->received + out->lost);
    result_add(u->r, dir, FIG_MBIT, (double)out->bytes * 8 / seconds / 1e6);
    result_add(u->r, dir, FIG_PACKETS_PER_S, (double)out->received / seconds);
    result_add(u->r, dir, FIG_PACKETS_RECEIVED, (double)out->received);
    result_add(u->r, dir, FIG_PACKETS_LOST, (double)out->lost);
    result_add(u->r, dir, FIG_LOSS_FRACTION, expected > 0 ? (double)out->lost / expected : 0);
    result_add(u->r, dir, FIG_BURSTS, out->bursts);
    result_add(u->r, dir, FIG_STALLS, out->stalls);
    result_add(u->r, dir, FIG_SECONDS, seconds);
    result_add(u->r, dir, FIG_WRONG_LENGTH, out->wrong_length);
    if (out->wrong_length) {
        net_fail_text(u->o, &out->service, u->r,
                      "%u datagrams were not of the %u bytes and the "
                      "sequence asked for",
                      out->wrong_length, u->o->size);
    } else if (out->received == 0) {
        net_fail_text(u->o, &out->service, u->r, "no datagram came; is the guest up?");
    } else if (end_ns - out->heard_ns > (end_ns - u->start_ns) / 2) {
        net_fail_text(u->o, &out->service, u->r,
                      "no datagram came in the last %.1f s; look at the "
                      "guest's console",
                      (double)(end_ns - out->heard_ns) / 1e9);
    }
}

/* One pass: a batch each way, then the clock; false when the time is up or a socket failed. */
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Round trips: one message is in flight; the next one is sent when the echo has arrived or has
 * taken too long. Each echo is compared byte by byte with its message.
 *
 * A message begins with its sequence number, and its other bytes are computed from that number. An
 * echo that arrives late is therefore recognised and can still be checked.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "vtbench.h"

/*
 * The number of losses in a row after which the peer counts as dead: before and after its first
 * answer.
 */
#define GIVE_UP_SILENT 5
#define GIVE_UP_AFTER_ANSWERS 20

enum answer { ANSWER_RIGHT, ANSWER_NONE, ANSWER_CORRUPT, ANSWER_ERROR };

struct rtt {
    const struct options *o;
    const struct service *service;
    struct result *r;
    int fd;
    uint32_t first;         /* sequence number of the first message */
    uint32_t current;       /* of the message in flight */
    unsigned char *message; /* the message in flight */
    unsigned char *other;   /* an earlier one, rebuilt to check its late answer */
    unsigned char *answer;
    size_t have;          /* TCP: bytes of an unfinished answer in `answer` */
    uint32_t stream_next; /* TCP: the message whose answer is next in the stream */
    uint64_t sent_ns;
    uint64_t answered_ns;
    double *sample_us;
    unsigned samples, losses, warmup_losses, late, corrupt;
};

static void fill_message(unsigned char *p, unsigned size, uint32_t sequence)
{
    uint32_t value = sequence * 2654435761u;

    put_be32(p, sequence);
    for (unsigned i = 4; i < size; i++) {
        p[i] = (unsigned char)((value >> 24) + i + (i >> 8));
    }
}

/* A late answer to an earlier message is correct, but not counted. */
static enum answer judge_other(struct rtt *t, uint32_t sequence)
{
    if (sequence - t->first >= t->current - t->first) {
        return ANSWER_CORRUPT;
    }
    fill_message(t->other, t->o->size, sequence);
    if (memcmp(t->answer, t->other, t->o->size) != 0) {
        return ANSWER_CORRUPT;
    }
    t->late++;
    return ANSWER_NONE;
}

static enum answer judge_datagram(struct rtt *t, size_t length)
{
    if (length != t->o->size) {
        return ANSWER_CORRUPT;
    }
    if (memcmp(t->answer, t->message, length) == 0) {
        return ANSWER_RIGHT;
    }
    return judge_other(t, get_be32(t->answer));
}

/* The stream has the answers in order, first those to messages that were given up. */
static enum answer judge_stream(struct rtt *t, size_t length)
{
    uint32_t sequence = t->stream_next;

    t->have += length;
    if (t->have < t->o->size) {
        return ANSWER_NONE;
    }
    t->have = 0;
    t->stream_next++;
    if (sequence != t->current) {
        return judge_other(t, sequence);
    }
    return memcmp(t->answer, t->message, t->o->size) == 0 ? ANSWER_RIGHT : ANSWER_CORRUPT;
}

static enum answer wait_answer(struct rtt *t)
{
    bool stream = t->service->type == SOCK_STREAM;
    uint64_t limit = t->sent_ns + t->o->timeout_ms * NS_PER_MS;

    do {
        /*
         * SO_RCVTIMEO limits this wait; a poll() before each receive would be part of the measured
         * time.
         */
        ssize_t n = recv(t->fd, t->answer + t->have, t->o->size - t->have, stream ? 0 : MSG_TRUNC);
        enum answer verdict;

        t->answered_ns = now_ns();
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        if (n < 0 || (n == 0 && stream)) {
            net_fail(t->o, t->service, n < 0 ? errno : EPIPE, t->r);
            return ANSWER_ERROR;
        }
        verdict = stream ? judge_stream(t, (size_t)n) : judge_datagram(t, (size_t)n);
        if (verdict != ANSWER_NONE) {
            return verdict;
        }
    } while (t->answered_ns < limit);
    return ANSWER_NONE;
}

/* SO_SNDTIMEO limits each send; after half a message the stream cannot be used any more. */
static bool send_message(struct rtt *t)
{
    size_t done = 0;

    fill_message(t->message, t->o->size, t->current);
    t->sent_ns = now_ns();
    while (done < t->o->size) {
        ssize_t n = send(t->fd, t->message + done, t->o->size - done, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            net_fail(t->o, t->service, errno == EAGAIN ? ETIMEDOUT : errno, t->r);
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

static bool account(struct rtt *t, enum answer verdict, bool warmup)
{
    switch (verdict) {
    case ANSWER_RIGHT:
        if (!warmup) {
            t->sample_us[t->samples++] = (double)(t->answered_ns - t->sent_ns) / 1e3;
        }
        return true;
    case ANSWER_CORRUPT:
        t->corrupt++;
        /* A stream that has lost its position cannot be used any more. */
        return t->service->type == SOCK_DGRAM;
    case ANSWER_NONE:
        if (warmup) {
            t->warmup_losses++;
        } else {
            t->losses++;
        }
        return true;
    default:
        return false;
    }
}

static void exchange(struct rtt *t)
{
    unsigned count = t->o->count, warmup = count / 20, in_a_row = 0;
    bool answered = false;

    for (unsigned i = 0; i < count; i++) {
        enum answer verdict;

        t->current = t->first + i;
        if (!send_message(t)) {
            return;
        }
        verdict = wait_answer(t);
        if (!account(t, verdict, i < warmup)) {
            return;
        }
        answered = answered || verdict != ANSWER_NONE;
        in_a_row = verdict == ANSWER_NONE ? in_a_row + 1 : 0;
        if (in_a_row == (answered ? GIVE_UP_AFTER_ANSWERS : GIVE_UP_SILENT)) {
            net_fail_text(t->o, t->service, t->r,
                          "no answer to %u messages in a row, %u ms each; "
                          "is the guest up and does it serve the contract?",
                          in_a_row, t->o->timeout_ms);
            return;
        }
        progress_show((double)(i + 1) / count);
    }
}

static void add_quantiles(struct result *r, const double *sorted_us, size_t n)
{
    r->has_quantiles = true;
    for (size_t i = 0; i < QUANTILES; i++) {
        r->quantile_us[i] = sorted_us[(n - 1) * i / (QUANTILES - 1)];
    }
}

static void report(struct rtt *t)
{
    size_t n = t->samples;
    double *us = t->sample_us;

    if (t->corrupt) {
        net_fail_text(t->o, t->service, t->r,
                      "%u answers differ from what was sent; the peer or "
                      "the path corrupts data",
                      t->corrupt);
    }
    if (n) {
        qsort(us, n, sizeof(*us), compare_doubles);
        result_add(t->r, DIR_ONLY, FIG_MIN_US, us[0]);
        result_add(t->r, DIR_ONLY, FIG_MEDIAN_US, median_of_sorted(us, n));
        result_add(t->r, DIR_ONLY, FIG_P99_US, us[(n * 99 + 99) / 100 - 1]);
        result_add(t->r, DIR_ONLY, FIG_MAX_US, us[n - 1]);
        add_quantiles(t->r, us, n);
    } else {
        net_fail_text(t->o, t->service, t->r,
                      "no answer at all; is the guest up and does it serve "
                      "the contract?");
    }
    result_add(t->r, DIR_ONLY, FIG_MESSAGES, (double)n + t->losses);
    result_add(t->r, DIR_ONLY, FIG_LOSSES, t->losses);
    result_add(t->r, DIR_ONLY, FIG_WARMUP_LOSSES, t->warmup_losses);
    result_add(t->r, DIR_ONLY, FIG_LATE, t->late);
    result_add(t->r, DIR_ONLY, FIG_CORRUPT, t->corrupt);
}

static void run_rtt(const struct options *o, const struct service *service, struct result *r)
{
    struct rtt t = {.o = o, .service = service, .r = r};
    struct timeval limit = {o->timeout_ms / 1000, (o->timeout_ms % 1000) * 1000L};

    t.fd = net_connect(o, service, r);
    if (t.fd < 0) {
        return;
    }
    if (setsockopt(t.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
        setsockopt(t.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0) {
        net_fail(o, service, errno, r);
        close(t.fd);
        return;
    }

    /*
     * Each round starts with another number, so that an echo to an earlier process on this port
     * does not match.
     */
    t.first = (uint32_t)(now_ns() >> 10);
    t.stream_next = t.first;
    t.message = must_alloc(1, o->size);
    t.other = must_alloc(1, o->size);
    t.answer = must_alloc(1, o->size);
    t.sample_us = must_alloc(o->count, sizeof(*t.sample_us));

    exchange(&t);
    report(&t);

    free(t.sample_us);
    free(t.answer);
    free(t.other);
    free(t.message);
    close(t.fd);
}

void run_udp_rtt(const struct options *o, struct result *r)
{
    const struct service service = {"udp echo", SOCK_DGRAM, o->echo_port};

    run_rtt(o, &service, r);
}

void run_tcp_rtt(const struct options *o, struct result *r)
{
    const struct service service = {"tcp echo", SOCK_STREAM, o->echo_port};

    run_rtt(o, &service, r);
}

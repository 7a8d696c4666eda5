/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP in: the socket is filled as fast as it takes datagrams; what has arrived is the difference of
 * two STAT answers of the sink.
 */
#define _GNU_SOURCE
#include "vtbench_udp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/*
 * Asks the sink for its counters. The first request follows the data through the same queues, so
 * its answer shows when the sink had counted all data before it. A request that is lost to a full
 * queue is repeated, at first after a short time.
 */
bool ask_sink(struct udp_run *u, struct sink_count *count)
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

bool in_send(struct udp_run *u)
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

/*
 * Datagrams that are in queues when the first answer comes also count as delivered: waits until the
 * counter stays the same.
 */
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

/* `first` gives the bandwidth, the last counter the losses. */
void in_report(struct udp_run *u, const struct sink_count *before, uint64_t sent_ns)
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP out: requests bursts until the time is over; the sequence numbers show the losses. */
#define _GNU_SOURCE
#include "vtbench_udp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/*
 * The size of a burst: 64 MiB take a fraction of a second, so it ends soon after a client that
 * died.
 */
#define BURST_BYTES (64u << 20)
#define BURST_LEAST 256u

/* After this time without a datagram the burst counts as over, and the next one is requested. */
#define SILENCE_NS (200 * NS_PER_MS)

/*
 * If a burst stops this close to its end, its last datagrams are lost. If it stops earlier, the
 * peer has stalled; datagrams that it never sent are not losses of the path.
 */
#define TAIL 1024u

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

/* Counts the missing datagrams of the burst up to sequence number `end` as lost. */
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
    /*
     * The last datagrams of a burst that was ended early have higher numbers than the first ones of
     * the next.
     */
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

bool out_receive(struct udp_run *u)
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

bool out_ask_after_silence(struct udp_run *u, uint64_t now)
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
bool out_start(struct udp_run *u)
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

/*
 * Ends the current burst and reads its remaining datagrams, so that the next test starts without
 * traffic.
 */
void out_stop(struct udp_run *u)
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

void out_report(struct udp_run *u, uint64_t end_ns)
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

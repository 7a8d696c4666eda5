/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp-burst keeps a burst of messages in flight to the peer's echo. Payload goes in both directions
 * at once, one message in each frame, and no queue holds more than the burst. Only echoes are
 * counted: each is one message delivered in and one out.
 *
 * The path is assumed to keep the order of datagrams. An answer therefore shows that earlier
 * messages without an answer are lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vtbench.h"

/*
 * The first tenth of a second is not measured: the path fills and the peer adapts its number of
 * buffers.
 */
#define LEFT_OUT_NS (NS_PER_S / 10)

/*
 * Without an answer for this time the whole burst is lost. After so many lost bursts in a row the
 * peer counts as dead.
 */
#define SILENCE_NS (50 * NS_PER_MS)
#define GIVE_UP_SILENT 20

struct burst_run {
    const struct options *o;
    struct result *r;
    struct service service;
    int fd;
    unsigned char *out, *in; /* IN_FLIGHT_MAX messages each */
    struct iovec out_iov[IN_FLIGHT_MAX], in_iov[IN_FLIGHT_MAX];
    struct mmsghdr out_msg[IN_FLIGHT_MAX], in_msg[IN_FLIGHT_MAX];
    uint32_t next;     /* sequence number of the next message */
    uint32_t expected; /* of the first message that may still be answered */
    uint64_t heard_ns;
    unsigned silent; /* stalls in a row */
    uint64_t sent, received, lost, late, corrupt, stalls;
};

static void open_messages(unsigned char **data, struct iovec *iov, struct mmsghdr *msg,
                          unsigned size)
{
    *data = must_alloc(IN_FLIGHT_MAX, size);
    memset(*data, 'v', (size_t)IN_FLIGHT_MAX * size);
    for (unsigned i = 0; i < IN_FLIGHT_MAX; i++) {
        iov[i] = (struct iovec){*data + (size_t)i * size, size};
        msg[i].msg_hdr.msg_iov = &iov[i];
        msg[i].msg_hdr.msg_iovlen = 1;
    }
}

/* Sends half a burst or more. Returns false with the error set if the socket failed. */
static bool top_up(struct burst_run *b)
{
    unsigned room = b->o->in_flight - (b->next - b->expected);
    int n;

    if (room < (b->o->in_flight + 1) / 2) {
        return true;
    }
    for (unsigned i = 0; i < room; i++) {
        put_be32(b->out_iov[i].iov_base, b->next + i);
    }
    n = sendmmsg(b->fd, b->out_msg, room, MSG_DONTWAIT);
    if (n > 0) {
        b->next += (unsigned)n;
        b->sent += (unsigned)n;
    } else if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
        net_fail(b->o, &b->service, errno, b->r);
        return false;
    }
    return true;
}

static void judge(struct burst_run *b, const unsigned char *answer, unsigned length)
{
    uint32_t sequence = get_be32(answer);
    unsigned size = b->o->size;

    if (length != size || memcmp(answer + 4, b->out + 4, size - 4) != 0) {
        b->corrupt++;
        return;
    }
    if (sequence - b->expected >= b->next - b->expected) {
        b->late++; /* of an earlier burst that was given up */
        return;
    }
    b->lost += sequence - b->expected;
    b->expected = sequence + 1;
    b->received++;
    b->silent = 0;
}

static bool take_answers(struct burst_run *b, uint64_t now)
{
    int n = recvmmsg(b->fd, b->in_msg, IN_FLIGHT_MAX, MSG_DONTWAIT, NULL);

    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        net_fail(b->o, &b->service, errno, b->r);
        return false;
    }
    for (int i = 0; i < n; i++) {
        judge(b, b->in_iov[i].iov_base, b->in_msg[i].msg_len);
    }
    if (n > 0) {
        b->heard_ns = now;
    }
    return true;
}

static bool look_for_silence(struct burst_run *b, uint64_t now)
{
    if (now - b->heard_ns < SILENCE_NS) {
        return true;
    }
    b->lost += b->next - b->expected;
    b->expected = b->next;
    b->heard_ns = now;
    b->stalls++;
    if (++b->silent == GIVE_UP_SILENT) {
        net_fail_text(b->o, &b->service, b->r,
                      "no answer to %u bursts in a row; is the guest up and does it serve the "
                      "contract?",
                      b->silent);
        return false;
    }
    return true;
}

/* start, total: only for the progress line. */
static bool flow(struct burst_run *b, uint64_t start, uint64_t until, uint64_t total)
{
    struct pollfd p = {.fd = b->fd, .events = POLLIN};
    uint64_t now;

    do {
        if (!top_up(b)) {
            return false;
        }
        (void)poll(&p, 1, 10);
        now = now_ns();
        if ((p.revents && !take_answers(b, now)) || !look_for_silence(b, now)) {
            return false;
        }
        progress_show((double)(now - start) / (double)total);
    } while (now < until);
    return true;
}

static void report(struct burst_run *b, uint64_t received, double seconds)
{
    double mbit = (double)received * b->o->size * 8 / seconds / 1e6;
    uint64_t answered_or_lost = b->received + b->lost;

    if (b->corrupt) {
        net_fail_text(b->o, &b->service, b->r,
                      "%llu answers differ from what was sent; the peer or the path corrupts data",
                      (unsigned long long)b->corrupt);
    } else if (received == 0) {
        net_fail_text(b->o, &b->service, b->r,
                      "no answer at all; is the guest up and does it serve the contract?");
    }
    result_add(b->r, DIR_IN, FIG_MBIT, mbit);
    result_add(b->r, DIR_OUT, FIG_MBIT, mbit);
    result_add(b->r, DIR_SUM, FIG_MBIT, 2 * mbit);
    result_add(b->r, DIR_ONLY, FIG_PACKETS_PER_S, (double)received / seconds);
    result_add(b->r, DIR_ONLY, FIG_PACKETS_SENT, (double)b->sent);
    result_add(b->r, DIR_ONLY, FIG_PACKETS_RECEIVED, (double)b->received);
    result_add(b->r, DIR_ONLY, FIG_PACKETS_LOST, (double)b->lost);
    result_add(b->r, DIR_ONLY, FIG_LOSS_FRACTION,
               answered_or_lost ? (double)b->lost / (double)answered_or_lost : 0);
    result_add(b->r, DIR_ONLY, FIG_LATE, (double)b->late);
    result_add(b->r, DIR_ONLY, FIG_STALLS, (double)b->stalls);
    result_add(b->r, DIR_ONLY, FIG_SECONDS, seconds);
}

static void exchange(struct burst_run *b)
{
    uint64_t start = now_ns(), total = LEFT_OUT_NS + (uint64_t)(b->o->seconds * 1e9);
    uint64_t from_ns, before;

    b->heard_ns = start;
    if (!flow(b, start, start + LEFT_OUT_NS, total)) {
        return;
    }
    from_ns = now_ns();
    before = b->received;
    if (flow(b, start, start + total, total)) {
        report(b, b->received - before, (double)(now_ns() - from_ns) / 1e9);
    }
}

void run_udp_burst(const struct options *o, struct result *r)
{
    struct burst_run *b = must_alloc(1, sizeof(*b));

    b->o = o;
    b->r = r;
    b->service = (struct service){"udp echo", SOCK_DGRAM, o->echo_port};
    /*
     * Each round starts with another number, so that an echo to an earlier process on this port
     * does not match.
     */
    b->next = b->expected = (uint32_t)(now_ns() >> 10);
    open_messages(&b->out, b->out_iov, b->out_msg, o->size);
    open_messages(&b->in, b->in_iov, b->in_msg, o->size);
    b->fd = net_connect(o, &b->service, r);
    if (b->fd >= 0) {
        exchange(b);
        close(b->fd);
    }
    free(b->in);
    free(b->out);
    free(b);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Echo, sink and source over UDP. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vtserve.h"

/* The largest UDP payload over IPv4, and the least that holds a sequence number. */
#define DATAGRAM_MAX 65507u
#define DATAGRAM_MIN 4u

/* The only burst of UDP port 19; `left` is 0 between bursts. */
struct burst {
    struct sockaddr_storage to;
    socklen_t to_length;
    uint32_t left, size, sequence;
};

static struct endpoint endpoints[ROLES];
static struct burst burst;
static uint64_t sink_datagrams, sink_bytes;
static unsigned char scratch[BATCH][BUFFER_BYTES];

static uint32_t get_be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(unsigned char *p, uint32_t value)
{
    p[0] = (unsigned char)(value >> 24);
    p[1] = (unsigned char)(value >> 16);
    p[2] = (unsigned char)(value >> 8);
    p[3] = (unsigned char)value;
}

static void put_be64(unsigned char *p, uint64_t value)
{
    put_be32(p, (uint32_t)(value >> 32));
    put_be32(p + 4, (uint32_t)value);
}

static ssize_t receive_from(int fd, struct sockaddr_storage *from, socklen_t *from_length)
{
    *from_length = sizeof(*from);
    return recvfrom(fd, scratch[0], BUFFER_BYTES, 0, (struct sockaddr *)from, from_length);
}

/* An answer that the socket does not accept now is dropped, which UDP allows. */
static void echo_event(struct endpoint *e, uint32_t events)
{
    struct sockaddr_storage from;
    socklen_t from_length;
    ssize_t n;

    (void)events;
    for (unsigned i = 0; i < BATCH; i++) {
        n = receive_from(e->fd, &from, &from_length);
        if (n < 0) {
            return;
        }
        (void)sendto(e->fd, scratch[0], (size_t)n, 0, (struct sockaddr *)&from, from_length);
    }
}

static void answer_stat(int fd, const unsigned char *question, const struct msghdr *m)
{
    unsigned char answer[24];

    memcpy(answer, question, 8);
    put_be64(answer + 8, sink_datagrams);
    put_be64(answer + 16, sink_bytes);
    (void)sendto(fd, answer, sizeof(answer), 0, m->msg_name, m->msg_namelen);
}

static void sink_event(struct endpoint *e, uint32_t events)
{
    static struct sockaddr_storage from[BATCH];
    static struct iovec iov[BATCH];
    static struct mmsghdr msg[BATCH];
    int n;

    (void)events;
    for (unsigned i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){scratch[i], BUFFER_BYTES};
        msg[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                         .msg_namelen = sizeof(from[i]),
                                         .msg_iov = &iov[i],
                                         .msg_iovlen = 1};
    }
    n = recvmmsg(e->fd, msg, BATCH, 0, NULL);
    for (int i = 0; i < n; i++) {
        if (msg[i].msg_len == 8 && memcmp(scratch[i], "STAT", 4) == 0) {
            answer_stat(e->fd, scratch[i], &msg[i].msg_hdr);
        } else {
            sink_datagrams++;
            sink_bytes += msg[i].msg_len;
        }
    }
}

/* Any datagram ends the current burst. A request for a size that UDP cannot carry starts none. */
static void obey(const unsigned char *order, size_t length, const struct sockaddr_storage *from,
                 socklen_t from_length)
{
    burst.left = 0;
    if (length != 12 || memcmp(order, "SEND", 4) != 0) {
        return;
    }
    burst.size = get_be32(order + 8);
    if (burst.size < DATAGRAM_MIN || burst.size > DATAGRAM_MAX) {
        return;
    }
    burst.left = get_be32(order + 4);
    burst.sequence = 0;
    burst.to = *from;
    burst.to_length = from_length;
}

static bool same_peer(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
    const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

    if (a->ss_family != b->ss_family) {
        return false;
    }
    if (a->ss_family == AF_INET) {
        return a4->sin_port == b4->sin_port && a4->sin_addr.s_addr == b4->sin_addr.s_addr;
    }
    return a6->sin6_port == b6->sin6_port &&
           memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0;
}

/*
 * Reads the socket's error queue to its end. If the network reports that the client of the burst is
 * gone, the burst ends. An error about an earlier client does not change the current burst.
 */
static void read_error_queue(int fd)
{
    struct sockaddr_storage to;
    unsigned char control[512];

    for (;;) {
        struct msghdr m = {.msg_name = &to,
                           .msg_namelen = sizeof(to),
                           .msg_control = control,
                           .msg_controllen = sizeof(control)};

        if (recvmsg(fd, &m, MSG_ERRQUEUE) < 0) {
            return;
        }
        if (same_peer(&to, &burst.to)) {
            burst.left = 0;
        }
    }
}

static void send_batch(int fd)
{
    static struct iovec iov[BATCH];
    static struct mmsghdr msg[BATCH];
    unsigned count = burst.left < BATCH ? burst.left : BATCH;
    int n;

    for (unsigned i = 0; i < count; i++) {
        put_be32(scratch[i], burst.sequence + i);
        iov[i] = (struct iovec){scratch[i], burst.size};
        msg[i].msg_hdr = (struct msghdr){.msg_name = &burst.to,
                                         .msg_namelen = burst.to_length,
                                         .msg_iov = &iov[i],
                                         .msg_iovlen = 1};
    }
    n = sendmmsg(fd, msg, count, 0);
    if (n < 0 && !would_block() && errno != ENOBUFS) {
        /* The first error may be about an earlier client: only the second one counts. */
        read_error_queue(fd);
        n = burst.left ? sendmmsg(fd, msg, count, 0) : 0;
    }
    if (n >= 0) {
        burst.left -= (unsigned)n;
        burst.sequence += (unsigned)n;
    } else if (errno == ENOBUFS) {
        usleep(100); /* the interface's queue is full, which epoll does not show */
    } else if (!would_block()) {
        burst.left = 0;
    }
}

static void source_event(struct endpoint *e, uint32_t events)
{
    struct sockaddr_storage from;
    socklen_t from_length;
    ssize_t n;

    if (events & EPOLLERR) {
        read_error_queue(e->fd);
    }
    for (unsigned i = 0; i < BATCH; i++) {
        n = receive_from(e->fd, &from, &from_length);
        if (n < 0) {
            break;
        }
        obey(scratch[0], (size_t)n, &from, from_length);
    }
    if (burst.left && (events & EPOLLOUT)) {
        send_batch(e->fd);
    }
    watch(e, burst.left ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void udp_open(const struct address *address, const unsigned ports[ROLES])
{
    static void (*const on_event[ROLES])(struct endpoint *, uint32_t) = {
        [ECHO] = echo_event,
        [SINK] = sink_event,
        [SOURCE] = source_event,
    };
    int source;
    int one = 1;

    for (unsigned i = 0; i < ROLES; i++) {
        endpoints[i] = (struct endpoint){.on_event = on_event[i],
                                         .role = (enum role)i,
                                         .fd = bound_socket(address, SOCK_DGRAM, ports[i])};
        watch_new(&endpoints[i], EPOLLIN);
    }
    /* Makes the network report that a client is gone: read_error_queue(). */
    source = endpoints[SOURCE].fd;
    (void)setsockopt(source, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
    if (address->storage.ss_family == AF_INET6) {
        (void)setsockopt(source, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtserve: the services that vtbench measures, as a process: echo (7), sink (9) and source (19)
 * over UDP and TCP. It is the native reference of the measurements and, linked statically, the
 * peer inside another guest.
 *
 * One thread, one epoll set, no socket ever blocks. Memory is fixed: MAX_CONNECTIONS connections
 * with a buffer each. Every event does one bounded piece of work, so no client starves another.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 64
#define BUFFER_BYTES 65536
#define BATCH 32
#define UDP_RECEIVE_BUFFER (8 << 20)

/* The largest UDP payload over IPv4, and the least that holds a sequence number. */
#define DATAGRAM_MAX 65507u
#define DATAGRAM_MIN 4u

/*
 * A client that answers nothing, or keeps its window shut, for so long has vanished. Shorter would
 * cut off a slow reader, whose bytes must not be lost.
 */
#define VANISHED_SECONDS 120

enum role { ECHO, SINK, SOURCE, ROLES };

/* What epoll hands back: each socket begins with one of these. */
struct endpoint {
    void (*on_event)(struct endpoint *e, uint32_t events);
    int fd; /* -1: a free connection */
    enum role role;
    uint32_t watched; /* events asked of epoll */
};

struct connection {
    struct endpoint endpoint;
    bool peer_done;  /* the peer has ended its side */
    size_t from, to; /* echo: bytes read and not yet written back */
    unsigned char buffer[BUFFER_BYTES];
};

/* The one burst of UDP port 19; `left` is 0 between bursts. */
struct burst {
    struct sockaddr_storage to;
    socklen_t to_length;
    uint32_t left, size, sequence;
};

static int epoll_fd;
static struct connection connections[MAX_CONNECTIONS];
static struct endpoint udp[ROLES], listeners[ROLES];
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

static void die(const char *what)
{
    fprintf(stderr, "vtserve: %s: %s\n", what, strerror(errno));
    exit(1);
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* Asks epoll for `events` of this endpoint, with no call when nothing changes. */
static void watch(struct endpoint *e, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = e};

    if (e->watched == events) {
        return;
    }
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, e->fd, &event) < 0) {
        die("epoll_ctl");
    }
    e->watched = events;
}

static void watch_new(struct endpoint *e, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = e};

    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, e->fd, &event) < 0) {
        die("epoll_ctl");
    }
    e->watched = events;
}

/* ---- UDP ---- */

static ssize_t receive_from(int fd, struct sockaddr_storage *from, socklen_t *from_length)
{
    *from_length = sizeof(*from);
    return recvfrom(fd, scratch[0], BUFFER_BYTES, 0, (struct sockaddr *)from, from_length);
}

/* An answer the socket does not take now is dropped, as UDP may. */
static void udp_echo_event(struct endpoint *e, uint32_t events)
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

static void udp_sink_event(struct endpoint *e, uint32_t events)
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

/* Any datagram ends the burst under way; one that asks for what UDP cannot carry starts none. */
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
 * Reads the socket's error queue to its end. When the network says that the asker is gone the
 * burst is over; an error of an earlier asker does not touch the burst of the present one.
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
        /* The error may be left over from an earlier asker: only the second one counts. */
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

static void udp_source_event(struct endpoint *e, uint32_t events)
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

/* ---- TCP ---- */

static void drop(struct connection *c)
{
    close(c->endpoint.fd);
    c->endpoint.fd = -1;
}

/* Echo: what was read is written before more is read, so a slow reader slows its own writes. */
static bool serve_echo(struct connection *c)
{
    ssize_t n;

    if (c->from == c->to && !c->peer_done) {
        n = recv(c->endpoint.fd, c->buffer, sizeof(c->buffer), 0);
        if (n < 0) {
            return would_block();
        }
        c->peer_done = n == 0;
        c->from = 0;
        c->to = (size_t)n;
    }
    if (c->from < c->to) {
        n = send(c->endpoint.fd, c->buffer + c->from, c->to - c->from, MSG_NOSIGNAL);
        if (n < 0 && !would_block()) {
            return false;
        }
        if (n > 0) {
            c->from += (size_t)n;
        }
    }
    watch(&c->endpoint, c->from < c->to ? EPOLLOUT : EPOLLIN);
    return c->from < c->to || !c->peer_done;
}

static bool serve_sink(struct connection *c)
{
    ssize_t n = recv(c->endpoint.fd, c->buffer, sizeof(c->buffer), 0);

    return n > 0 || (n < 0 && would_block());
}

/* The buffer holds 64 messages of 1,024 equal bytes: wherever a write ends, the next fits. */
static bool serve_source(struct connection *c, uint32_t events)
{
    unsigned char unwanted[1024];
    ssize_t n;

    if (events & EPOLLIN) {
        n = recv(c->endpoint.fd, unwanted, sizeof(unwanted), 0);
        if (n == 0 || (n < 0 && !would_block())) {
            return false;
        }
    }
    if (events & EPOLLOUT) {
        n = send(c->endpoint.fd, c->buffer, sizeof(c->buffer), MSG_NOSIGNAL);
        if (n < 0 && !would_block()) {
            return false;
        }
    }
    return true;
}

static void tcp_event(struct endpoint *e, uint32_t events)
{
    struct connection *c = (struct connection *)e;
    bool alive = false;

    if (!(events & EPOLLERR)) {
        if (e->role == ECHO) {
            alive = serve_echo(c);
        } else if (e->role == SINK) {
            alive = serve_sink(c);
        } else {
            alive = serve_source(c, events);
        }
    }
    if (!alive) {
        drop(c);
    }
}

static void set_tcp_options(int fd)
{
    int one = 1, idle = VANISHED_SECONDS / 4, limit_ms = VANISHED_SECONDS * 1000;

    /* A refused option costs latency or a slot for longer, so the results are not looked at. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms));
}

static void accept_event(struct endpoint *e, uint32_t events)
{
    int fd = accept4(e->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *c = NULL;

    (void)events;
    if (fd < 0) {
        return;
    }
    for (unsigned i = 0; i < MAX_CONNECTIONS && !c; i++) {
        if (connections[i].endpoint.fd < 0) {
            c = &connections[i];
        }
    }
    if (!c) {
        close(fd);
        return;
    }
    set_tcp_options(fd);
    c->endpoint = (struct endpoint){.on_event = tcp_event, .fd = fd, .role = e->role};
    c->peer_done = false;
    c->from = c->to = 0;
    if (e->role == SOURCE) {
        memset(c->buffer, 'v', sizeof(c->buffer));
    }
    watch_new(&c->endpoint, e->role == SOURCE ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* ---- Start ---- */

/* Fills in the address to bind; returns its length, 0 when `text` is no numeric address. */
static socklen_t parse_address(const char *text, struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        address->ss_family = AF_INET;
        return sizeof(*v4);
    }
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        address->ss_family = AF_INET6;
        return sizeof(*v6);
    }
    return 0;
}

static int bound_socket(struct sockaddr_storage *address, socklen_t length, int type, unsigned port)
{
    int fd = socket(address->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1, zero = 0, size = UDP_RECEIVE_BUFFER;
    char what[64];

    if (address->ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    } else {
        ((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
    }
    if (type == SOCK_STREAM) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    } else if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    }
    if (fd < 0 || bind(fd, (struct sockaddr *)address, length) < 0 ||
        (type == SOCK_STREAM && listen(fd, 16) < 0)) {
        snprintf(what, sizeof(what), "cannot serve %s port %u", type == SOCK_STREAM ? "tcp" : "udp",
                 port);
        die(what);
    }
    return fd;
}

static void open_all(struct sockaddr_storage *address, socklen_t length, const unsigned *ports)
{
    static void (*const udp_events[ROLES])(struct endpoint *, uint32_t) = {
        [ECHO] = udp_echo_event,
        [SINK] = udp_sink_event,
        [SOURCE] = udp_source_event,
    };
    int one = 1;

    for (unsigned i = 0; i < ROLES; i++) {
        udp[i] = (struct endpoint){.on_event = udp_events[i],
                                   .role = (enum role)i,
                                   .fd = bound_socket(address, length, SOCK_DGRAM, ports[i])};
        watch_new(&udp[i], EPOLLIN);
        listeners[i] =
            (struct endpoint){.on_event = accept_event,
                              .role = (enum role)i,
                              .fd = bound_socket(address, length, SOCK_STREAM, ports[i])};
        watch_new(&listeners[i], EPOLLIN);
    }
    /* Brings the network's "nobody there" about an asker who has gone: read_error_queue. */
    (void)setsockopt(udp[SOURCE].fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
    if (address->ss_family == AF_INET6) {
        (void)setsockopt(udp[SOURCE].fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
    }
}

static bool have_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static const char *parse_options(int argc, char **argv, unsigned *ports)
{
    static const struct option names[] = {
        {"echo-port", required_argument, NULL, ECHO},
        {"sink-port", required_argument, NULL, SINK},
        {"source-port", required_argument, NULL, SOURCE},
        {"bind", required_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *bind_to = have_ipv6() ? "::" : "0.0.0.0";
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (c == 'b') {
            bind_to = optarg;
        } else if (c == 'h') {
            puts("usage: vtserve [--bind ADDR] [--echo-port N] [--sink-port N] [--source-port N]\n"
                 "Serves echo (7), sink (9) and source (19) over UDP and TCP, on all addresses\n"
                 "unless --bind gives one (numeric), until it is killed.");
            exit(0);
        } else if (c == '?') {
            exit(2);
        } else {
            char *end;
            unsigned long port = strtoul(optarg, &end, 10);

            if (optarg[0] < '0' || optarg[0] > '9' || *end || port < 1 || port > 65535) {
                fprintf(stderr, "vtserve: a port is a number from 1 to 65535, not \"%s\"\n",
                        optarg);
                exit(2);
            }
            ports[c] = (unsigned)port;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "vtserve: unexpected \"%s\"; see vtserve --help\n", argv[optind]);
        exit(2);
    }
    return bind_to;
}

int main(int argc, char **argv)
{
    unsigned ports[ROLES] = {[ECHO] = 7, [SINK] = 9, [SOURCE] = 19};
    const char *bind_to = parse_options(argc, argv, ports);
    struct sockaddr_storage address;
    socklen_t length = parse_address(bind_to, &address);

    if (!length) {
        fprintf(stderr, "vtserve: --bind takes a numeric IPv4 or IPv6 address, not \"%s\"\n",
                bind_to);
        return 2;
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0) {
        die("epoll_create1");
    }
    for (unsigned i = 0; i < MAX_CONNECTIONS; i++) {
        connections[i].endpoint.fd = -1;
    }
    open_all(&address, length, ports);
    printf("vtserve: serving on %s, echo %u, sink %u, source %u\n", bind_to, ports[ECHO],
           ports[SINK], ports[SOURCE]);
    fflush(stdout);

    for (;;) {
        struct epoll_event events[BATCH];
        int n = epoll_wait(epoll_fd, events, BATCH, -1);

        if (n < 0 && errno != EINTR) {
            die("epoll_wait");
        }
        for (int i = 0; i < n; i++) {
            struct endpoint *e = events[i].data.ptr;

            e->on_event(e, events[i].events);
        }
    }
}

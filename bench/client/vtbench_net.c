/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock, the peer's address, connected sockets, waits with a time limit, and the texts of
 * network errors. Only this file of vtbench resolves names and opens sockets.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "vtbench.h"

/* The time of three SYNs of a Linux client. */
#define CONNECT_TIMEOUT_MS 5000

/* Room for datagrams that arrive while this process does not run. */
#define UDP_RECEIVE_BUFFER (8 << 20)

static struct addrinfo *peer;

uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint32_t get_be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t get_be64(const unsigned char *p)
{
    return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

void put_be32(unsigned char *p, uint32_t value)
{
    p[0] = (unsigned char)(value >> 24);
    p[1] = (unsigned char)(value >> 16);
    p[2] = (unsigned char)(value >> 8);
    p[3] = (unsigned char)value;
}

void *must_alloc(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (!p) {
        progress_clear();
        fprintf(stderr,
                "vtbench: no memory for %zu times %zu bytes; try a smaller --size, "
                "--count or --rounds\n",
                count, size);
        exit(1);
    }
    return p;
}

bool net_resolve(const struct options *o, const char **why)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int error = getaddrinfo(o->address, NULL, &hints, &peer);

    if (error) {
        *why = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
    }
    return error == 0;
}

void net_release(void)
{
    freeaddrinfo(peer);
    peer = NULL;
}

void net_fail_text(const struct options *o, const struct service *s, struct result *r,
                   const char *format, ...)
{
    va_list args;
    int used;

    if (r->error[0]) {
        return;
    }
    used =
        snprintf(r->error, sizeof(r->error), "%.100s port %u (%s): ", o->address, s->port, s->name);
    va_start(args, format);
    vsnprintf(r->error + used, sizeof(r->error) - (size_t)used, format, args);
    va_end(args);
}

static const char *advice(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "is the guest up and does it serve the contract?";
    case ETIMEDOUT:
        return "is the guest up and is this its address?";
    case ECONNRESET:
    case EPIPE:
        return "the peer ended the connection in the middle of the test; look at its console";
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
    case EINVAL:
        return "check the address and the host's route to it";
    case EMSGSIZE:
        return "choose a smaller --size";
    default:
        return "check the host's network set-up";
    }
}

void net_fail(const struct options *o, const struct service *s, int error, struct result *r)
{
    net_fail_text(o, s, r, "%s; %s", strerror(error), advice(error));
}

short net_wait(int fd, short events, uint64_t until_ns)
{
    struct pollfd p = {.fd = fd, .events = events};
    uint64_t now = now_ns();

    while (now < until_ns) {
        uint64_t left = until_ns - now;
        struct timespec t = {(time_t)(left / NS_PER_S), (long)(left % NS_PER_S)};

        if (ppoll(&p, 1, &t, NULL) > 0) {
            return p.revents;
        }
        now = now_ns();
    }
    return 0;
}

/* Connects within CONNECT_TIMEOUT_MS. Returns 0 or an errno value. */
static int connect_bounded(int fd, const struct addrinfo *to)
{
    socklen_t length = sizeof(int);
    int error = 0;

    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS) {
        return errno;
    }
    if (!net_wait(fd, POLLOUT, now_ns() + CONNECT_TIMEOUT_MS * NS_PER_MS)) {
        return ETIMEDOUT;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) {
        return errno;
    }
    return error;
}

static void set_options(int fd, int type)
{
    int one = 1;
    int size = UDP_RECEIVE_BUFFER;

    /* The results are not checked: a refused option makes figures less accurate, not wrong. */
    if (type == SOCK_STREAM) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    } else if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    }
}

static int open_to(const struct addrinfo *to, uint16_t port, int type)
{
    struct sockaddr_storage address;
    struct addrinfo target = *to;
    int fd = socket(to->ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    if (fd < 0) {
        return -1;
    }
    memcpy(&address, to->ai_addr, to->ai_addrlen);
    if (to->ai_family == AF_INET6) {
        ((struct sockaddr_in6 *)&address)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)&address)->sin_port = htons(port);
    }
    target.ai_addr = (struct sockaddr *)&address;

    error = connect_bounded(fd, &target);
    if (error == 0 && fcntl(fd, F_SETFL, 0) < 0) {
        error = errno;
    }
    if (error) {
        close(fd);
        errno = error;
        return -1;
    }
    set_options(fd, type);
    return fd;
}

int net_connect(const struct options *o, const struct service *s, struct result *r)
{
    int error = EADDRNOTAVAIL;

    for (const struct addrinfo *a = peer; a; a = a->ai_next) {
        int fd = open_to(a, (uint16_t)s->port, s->type);

        if (fd >= 0) {
            return fd;
        }
        error = errno;
    }
    net_fail(o, s, error, r);
    return -1;
}

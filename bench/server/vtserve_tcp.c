/* SPDX-License-Identifier: BSD-2-Clause */
/* Echo, sink and source over TCP. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "vtserve.h"

#define MAX_CONNECTIONS 64

/*
 * A client that answers nothing, or keeps its window closed, for this time counts as gone. A
 * shorter time would cut off slow readers, whose bytes must not be lost.
 */
#define VANISHED_SECONDS 120

struct connection {
    struct endpoint endpoint;
    bool peer_done;  /* the peer has ended its side */
    size_t from, to; /* echo: bytes read and not yet written back */
    unsigned char buffer[BUFFER_BYTES];
};

static struct connection connections[MAX_CONNECTIONS];
static struct endpoint listeners[ROLES];

static void drop(struct connection *c)
{
    close(c->endpoint.fd);
    c->endpoint.fd = -1;
}

/*
 * Echo: writes back all bytes before it reads more, so a slow reader slows down only its own
 * writes.
 */
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

/*
 * The buffer holds 64 messages of 1,024 equal bytes, so the next write may start where the last one
 * ended.
 */
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

    /*
     * The results are not checked: a refused option costs latency, or keeps a connection's place
     * longer.
     */
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

void tcp_open(const struct address *address, const unsigned ports[ROLES])
{
    for (unsigned i = 0; i < MAX_CONNECTIONS; i++) {
        connections[i].endpoint.fd = -1;
    }
    for (unsigned i = 0; i < ROLES; i++) {
        listeners[i] = (struct endpoint){.on_event = accept_event,
                                         .role = (enum role)i,
                                         .fd = bound_socket(address, SOCK_STREAM, ports[i])};
        watch_new(&listeners[i], EPOLLIN);
    }
}

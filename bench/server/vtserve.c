/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtserve: the services that vtbench measures, as a process: echo (7), sink (9) and source (19)
 * over UDP and TCP. It is the native reference of the measurements and, linked statically, the
 * peer inside another guest.
 *
 * One thread, one epoll set, no socket ever blocks. Memory is fixed: a number of connections with a
 * buffer each. Every event does one bounded piece of work, so no client starves another.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vtserve.h"

#define UDP_RECEIVE_BUFFER (8 << 20)

static int epoll_fd;

_Noreturn void die(const char *what)
{
    fprintf(stderr, "vtserve: %s: %s\n", what, strerror(errno));
    exit(1);
}

bool would_block(void)
{
    return errno == EAGAIN || errno == EINTR;
}

void watch(struct endpoint *e, uint32_t events)
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

void watch_new(struct endpoint *e, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = e};

    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, e->fd, &event) < 0) {
        die("epoll_ctl");
    }
    e->watched = events;
}

/* Returns the address to bind to. Its length is 0 if `text` is not a numeric address. */
static struct address parse_address(const char *text)
{
    struct address address = {.length = 0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address.storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.storage;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        address.storage.ss_family = AF_INET;
        address.length = sizeof(*v4);
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        address.storage.ss_family = AF_INET6;
        address.length = sizeof(*v6);
    }
    return address;
}

int bound_socket(const struct address *address, int type, unsigned port)
{
    struct sockaddr_storage to = address->storage;
    int fd = socket(to.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1, zero = 0, size = UDP_RECEIVE_BUFFER;
    char what[64];

    if (to.ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)&to)->sin6_port = htons((uint16_t)port);
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    } else {
        ((struct sockaddr_in *)&to)->sin_port = htons((uint16_t)port);
    }
    if (type == SOCK_STREAM) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    } else if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    }
    if (fd < 0 || bind(fd, (struct sockaddr *)&to, address->length) < 0 ||
        (type == SOCK_STREAM && listen(fd, 16) < 0)) {
        snprintf(what, sizeof(what), "cannot serve %s port %u", type == SOCK_STREAM ? "tcp" : "udp",
                 port);
        die(what);
    }
    return fd;
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
    struct address address = parse_address(bind_to);

    if (address.length == 0) {
        fprintf(stderr, "vtserve: --bind takes a numeric IPv4 or IPv6 address, not \"%s\"\n",
                bind_to);
        return 2;
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0) {
        die("epoll_create1");
    }
    udp_open(&address, ports);
    tcp_open(&address, ports);
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

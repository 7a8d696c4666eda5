/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of vtserve share:
 *
 *     vtserve.c         command line, sockets, the one loop
 *     vtserve_udp.c     echo, sink and source over UDP
 *     vtserve_tcp.c     the same over TCP
 */
#ifndef VTSERVE_H
#define VTSERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define BUFFER_BYTES 65536
#define BATCH 32

enum role { ECHO, SINK, SOURCE, ROLES };

/* Each socket's structure begins with one of these; epoll returns its address. */
struct endpoint {
    void (*on_event)(struct endpoint *e, uint32_t events);
    int fd; /* -1: a free connection */
    enum role role;
    uint32_t watched; /* events requested from epoll */
};

/* What to bind to. */
struct address {
    struct sockaddr_storage storage; /* without a port */
    socklen_t length;                /* its length in bytes; 0: none */
};

/*
 * vtserve.c. die() ends the program with errno's reason. would_block(): true if errno means "not
 * now".
 */
_Noreturn void die(const char *what);
bool would_block(void);

/*
 * Requests `events` of this endpoint from epoll; does nothing if they are the same. watch_new() is
 * for a new endpoint.
 */
void watch(struct endpoint *e, uint32_t events);
void watch_new(struct endpoint *e, uint32_t events);

/*
 * Returns a socket of type SOCK_DGRAM or SOCK_STREAM on that address and port, or ends the program.
 */
int bound_socket(const struct address *address, int type, unsigned port);

/* vtserve_udp.c, vtserve_tcp.c: serve each role on its port. */
void udp_open(const struct address *address, const unsigned ports[ROLES]);
void tcp_open(const struct address *address, const unsigned ports[ROLES]);

#endif

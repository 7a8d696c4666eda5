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

/* What epoll hands back: each socket begins with one of these. */
struct endpoint {
    void (*on_event)(struct endpoint *e, uint32_t events);
    int fd; /* -1: a free connection */
    enum role role;
    uint32_t watched; /* events asked of epoll */
};

/* What to bind to. */
struct address {
    struct sockaddr_storage storage; /* without a port */
    socklen_t length;                /* bytes of it; 0: none */
};

/* vtserve.c: ends the program with errno's reason; whether errno only says "not now". */
_Noreturn void die(const char *what);
bool would_block(void);

/* Asks epoll for `events` of this endpoint, with no call when nothing changes; of a new one. */
void watch(struct endpoint *e, uint32_t events);
void watch_new(struct endpoint *e, uint32_t events);

/* A socket of SOCK_DGRAM or SOCK_STREAM on that address and port, or the program's end. */
int bound_socket(const struct address *address, int type, unsigned port);

/* vtserve_udp.c, vtserve_tcp.c: serve every role on its port. */
void udp_open(const struct address *address, const unsigned ports[ROLES]);
void tcp_open(const struct address *address, const unsigned ports[ROLES]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other station: 10.0.0.1 and fd00::1. It makes frames with correct checksums, and TCP segments
 * with the connection's sequence numbers, so that an input passes the first checks.
 */
#ifndef FUZZ_PEER_H
#define FUZZ_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEER_CONNECTIONS = 8, PEER_FRAME = 66000 };

struct connection {
    bool used, ipv6;
    bool answered; /* the guest has sent its SYN */
    uint16_t port, guest_port;
    uint32_t next, ack; /* next number to send; next one expected */
};
extern struct connection connections[PEER_CONNECTIONS];

/* The last bytes received on a connection or in a datagram. */
extern uint8_t peer_heard[1500];
extern size_t peer_heard_length;

/* Forgets everything. */
void peer_reset(void);

/*
 * Builds a frame from its start: each function appends a header, and the input's bytes as its
 * payload. peer_send() sets lengths and checksums, changes some bytes if the input says so, and
 * passes it to the stack.
 */
void peer_ethernet(uint16_t type);
void peer_ip(bool ipv6, uint8_t protocol);
void peer_fragment(
    const uint8_t *fields); /* after peer_ip(): 4 bytes of the IPv4 header, or 8 of another
                             * header */
void peer_bytes(const void *bytes, size_t length);
void peer_payload(void); /* length and first bytes from the input */
void peer_send(void);

/* A segment of a connection with this payload. spoilt: sequence numbers from the input. */
void peer_segment(struct connection *c, uint8_t flags, const uint8_t *payload, size_t length,
                  bool spoilt);

/* A datagram with the input's payload. */
void peer_datagram(bool ipv6, uint16_t from, uint16_t to, const uint8_t *payload, size_t length);

/* Opens a connection to a port of the guest. NULL: there is no room for one. */
struct connection *peer_connect(bool ipv6, uint16_t guest_port);

#endif

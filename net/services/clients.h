/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which UDP datagrams are answered. Sender addresses can be forged, so an answer may reach a
 * station that did not ask. All functions are about the datagram being handled.
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stdbool.h>

#include "lwip/ip_addr.h"
#include "lwip/pbuf.h"
#include "net/services/services.h"

enum {
    CLIENT_TO_MANY = PBUF_FLAG_LLBCAST | PBUF_FLAG_LLMCAST, /* sent to several stations */
    SERVERS_HIGHEST = SERVICE_PORT_NETSERVER, /* client_is_server() is false for all higher ports */
};

/* client_may_be_answered() for the less common cases. */
bool client_may_be_answered_if(const struct pbuf *p, const ip_addr_t *from, u16_t port);

/*
 * True if the datagram may be answered with as many bytes as it has. It may not if the sender's
 * port is a server's, which might answer again, without end. It may not if it was sent to several
 * stations, as each would answer; except to the group of join= by a station of the local network.
 */
static inline bool client_may_be_answered(const struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    return (port > SERVERS_HIGHEST && !(p->flags & CLIENT_TO_MANY)) ||
           client_may_be_answered_if(p, from, port);
}

/*
 * True if the datagram may be answered with up to `bytes`, which may be more than it has. It must
 * have been sent to one station, by a station of the local network (with answer=any: by any). All
 * such answers together are limited to ANSWER_BYTES_A_SECOND; `bytes` count against that limit.
 */
bool client_may_have_more(const struct pbuf *p, const ip_addr_t *from, u16_t port, u32_t bytes);

/* True if servers use this port. */
bool client_is_server(u16_t port);

#endif

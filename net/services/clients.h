/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is answered over UDP. Anybody can write any sender into a datagram, so an answer may hit
 * somebody who has not asked. For a datagram that is being handled:
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stdbool.h>

#include "lwip/ip_addr.h"
#include "lwip/pbuf.h"
#include "net/services/services.h"

enum {
    CLIENT_TO_MANY = PBUF_FLAG_LLBCAST | PBUF_FLAG_LLMCAST, /* it was sent to many stations */
    SERVERS_HIGHEST = SERVICE_PORT_NETSERVER, /* for no port above client_is_server() is true */
};

/* client_may_be_answered() where that takes more than a look. */
bool client_may_be_answered_if(const struct pbuf *p, const ip_addr_t *from, u16_t port);

/*
 * Whether it may be answered with as much as it has: not where the sender's port is a server's, who
 * might answer again, and so on for ever; not where it was sent to many stations, of which each would
 * answer, unless to the group of join= by a station of the local network.
 */
static inline bool client_may_be_answered(const struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    return (port > SERVERS_HIGHEST && !(p->flags & CLIENT_TO_MANY)) ||
           client_may_be_answered_if(p, from, port);
}

/*
 * Whether it may be answered with more, up to `bytes`: besides, it must have been sent to one
 * station, by one of the local network (with answer=any: by anybody), and no more than
 * ANSWER_BYTES_A_SECOND go out that way, of which these are some.
 */
bool client_may_have_more(const struct pbuf *p, const ip_addr_t *from, u16_t port, u32_t bytes);

/* Whether a port is one that a server has. */
bool client_is_server(u16_t port);

#endif

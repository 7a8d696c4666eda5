/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iperf 2 over TCP: a server that discards what it receives. The header at the start of a
 * connection says whether the client wants data in return: on a second connection to the client, at
 * once (-d) or afterwards (-r), or on the same connection (-R, --full-duplex). Names of fields are
 * those of iperf's payloads.h.
 */
#include <stdlib.h>

#include "arch/arch.h"
#include "lwip/timeouts.h"
#include "net/services/iperf.h"
#include "net/services/limits.h"
#include "net/services/listen.h"
#include "net/services/places.h"
#include "net/services/services.h"
#include "net/services/zeros.h"

enum {
    POLL_INTERVAL = 2,              /* in lwIP's units of half a second */
    PIECE_MIN = 4096,               /* bytes, unless it is the last piece */
    SECONDS_MAX = 3600,             /* limit of the sending time, whatever the client requested */
    ATTEMPTS = 30,                  /* to connect to a client that does not listen yet */
    ATTEMPT_MS = 100,               /* from one to the next */
    REFUSED_MAX = PLACES_IPERF / 2, /* clients that are tried again */
};

static const uint64_t SECOND_NS = 1000000000;

/* client_hdr_v1, and the part of client_hdrext that is used; big-endian. */
struct client_hdr {
    u32_t flags;
    u32_t num_threads;
    u32_t port; /* where the client listens for the second connection */
    u32_t buffer_length;
    u32_t win_band;
    u32_t amount; /* bytes; negative: units of 10 ms */
    u32_t type;
    u32_t length;
    u16_t upperflags;
    u16_t lowerflags;
};
_Static_assert(sizeof(struct client_hdr) == 36, "a wire format");

enum { CLIENT_HDR_V1 = 24 }; /* bytes */

static const u32_t HEADER_VERSION1 = 0x80000000;
static const u32_t HEADER_EXTEND = 0x40000000;
static const u32_t HEADER_VERSION2 = 0x04000000;
static const u32_t HEADER_V2PEERDETECT = 0x02000000;
static const u32_t HEADER_BOUNCEBACK = 0x00800000;
static const u32_t RUN_NOW = 0x00000001;
static const u16_t HEADER_REVERSE = 0x0400;
static const u16_t HEADER_FULLDUPLEX = 0x0800;

struct connection {
    struct tcp_pcb *pcb;
    struct client_hdr header;
    unsigned header_length; /* bytes received; of a connection to the client: all */
    bool sending;
    bool send_afterwards; /* on a second connection, when the client has sent everything */
    bool received_all;
    u32_t left;        /* bytes to send; UINT32_MAX if only the time limits it */
    uint64_t until_ns; /* latest end of sending */
    uint64_t since_ns; /* when the header was complete */
    uint64_t received; /* bytes */

    /* Of -d: the client's connection, and the one to the client. NULL: it has ended, or no -d. */
    struct connection *other;

    /* Of a connection to the client, until it is established. */
    ip_addr_t local, client;
    unsigned attempts; /* left */
    struct connection *next;
};

/*
 * Connections to clients that refused the last attempt. They are few enough that attempts for all of
 * them at once leave places for others.
 */
static struct connection *refused;
static unsigned refused_count;

static err_t connected(void *context, struct tcp_pcb *pcb, err_t error);
static void attach(struct connection *c, struct tcp_pcb *pcb);

static void release(struct connection *c)
{
    if (c->other != NULL) {
        c->other->other = NULL;
    }
    free(c);
}

/* Frees the connection's state; lwIP closes the pcb. Returns ERR_ABRT if it was aborted. */
static err_t close_connection(struct connection *c)
{
    struct tcp_pcb *pcb = c->pcb;

    release(c);
    return leave_tcp(pcb);
}

/* lwIP's tcp_err callback frees the state. */
static err_t abort_connection(struct connection *c)
{
    tcp_abort(c->pcb);
    return ERR_ABRT;
}

/* Everything is sent: sends the FIN. The peer then closes. */
static err_t end_sending(struct connection *c)
{
    c->sending = false;
    if (c->received_all) {
        return close_connection(c);
    }
    return tcp_shutdown(c->pcb, 0, 1) == ERR_OK ? ERR_OK : abort_connection(c);
}

/* The first zeros are a header without requests. */
static err_t send_more(struct connection *c)
{
    bool in_time = arch_clock_ns() < c->until_ns;

    while (in_time && c->left > 0) {
        u32_t room = LWIP_MIN(tcp_sndbuf(c->pcb), ZEROS_SIZE);
        u32_t length = LWIP_MIN(room, c->left);

        if ((length < PIECE_MIN && length < c->left) ||
            tcp_write(c->pcb, zeros, (u16_t)length, 0) != ERR_OK) {
            break;
        }
        if (c->left != UINT32_MAX) {
            c->left -= length;
        }
    }
    if (!in_time || c->left == 0) {
        return end_sending(c);
    }
    tcp_output(c->pcb);
    return ERR_OK;
}

/* The header says how much or how long to send. */
static err_t begin_sending(struct connection *c)
{
    u32_t amount = lwip_ntohl(c->header.amount);
    uint64_t ns = SECONDS_MAX * SECOND_NS;

    c->sending = true;
    c->left = amount;
    if (amount >> 31 != 0) {
        c->left = UINT32_MAX;
        ns = LWIP_MIN(ns, (0 - amount) * (SECOND_NS / 100));
    }
    c->until_ns = arch_clock_ns() + ns;
    return send_more(c);
}

/* Takes ownership of `back`. Without memory there is no connection, which the client reports. */
static void attempt(struct connection *back, const struct tcp_pcb *asking)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(&back->client));

    if (pcb == NULL || !places_enter_for(pcb, SERVICE_PORT_IPERF, asking)) {
        release(back);
        if (pcb != NULL) {
            tcp_abort(pcb);
        }
        return;
    }
    attach(back, pcb);
    back->attempts--;
    if (tcp_bind(pcb, &back->local, 0) != ERR_OK ||
        tcp_connect(pcb, &back->client, (u16_t)lwip_ntohl(back->header.port), connected) !=
            ERR_OK) {
        close_connection(back);
    }
}

/*
 * Connects to the client's own port. With -r, iperf begins to listen there only after it has
 * finished sending, so the first attempts may be refused.
 */
static void connect_back(struct connection *c, bool at_once)
{
    struct connection *back = calloc(1, sizeof *back);

    if (back == NULL) {
        return;
    }
    if (at_once) {
        back->other = c;
        c->other = back;
    }
    back->header = c->header;
    back->header_length = sizeof back->header;
    back->local = c->pcb->local_ip;
    back->client = c->pcb->remote_ip;
    back->attempts = ATTEMPTS;
    attempt(back, c->pcb);
}

/* sys_timeout_handler */
static void attempt_again(void *context)
{
    struct connection *back = refused;

    (void)context;
    refused = NULL;
    refused_count = 0;
    while (back != NULL) {
        struct connection *next = back->next;

        if (back->attempts != 0) {
            attempt(back, NULL);
        } else {
            release(back);
        }
        back = next;
    }
}

static void give_up_most_tried(void)
{
    struct connection **most_tried = &refused;
    struct connection *back;

    for (struct connection **link = &refused; *link != NULL; link = &(*link)->next) {
        if ((*link)->attempts < (*most_tried)->attempts) {
            most_tried = link;
        }
    }
    back = *most_tried;
    if (back == NULL) {
        return; /* there is none */
    }
    *most_tried = back->next;
    refused_count--;
    release(back);
}

/* So a client that has just asked is not given up for others that never listen. */
static void keep_refused(struct connection *back)
{
    if (refused_count == REFUSED_MAX) {
        give_up_most_tried();
    }
    if (refused == NULL) {
        sys_timeout(ATTEMPT_MS, attempt_again, NULL);
    }
    back->next = refused;
    refused = back;
    refused_count++;
}

static err_t obey_header(struct connection *c)
{
    u32_t flags = lwip_ntohl(c->header.flags);
    u16_t upperflags = (flags & HEADER_EXTEND) != 0 ? lwip_ntohs(c->header.upperflags) : 0;

    if ((flags & HEADER_BOUNCEBACK) != 0 ||
        ((flags & HEADER_VERSION2) != 0 && (flags & HEADER_V2PEERDETECT) != 0)) {
        return abort_connection(c); /* the client waits for a reply that this server does not
                                     * implement */
    }
    if ((flags & HEADER_VERSION2) != 0) {
        return (upperflags & (HEADER_REVERSE | HEADER_FULLDUPLEX)) != 0 ? begin_sending(c) : ERR_OK;
    }
    if ((flags & HEADER_VERSION1) != 0 && (flags & RUN_NOW) != 0) {
        connect_back(c, true);
    } else {
        c->send_afterwards = (flags & HEADER_VERSION1) != 0;
    }
    return ERR_OK;
}

/* Collects the header, which may arrive in several pieces. */
static err_t take_header(struct connection *c, const struct pbuf *p)
{
    unsigned wanted = CLIENT_HDR_V1;
    unsigned before = c->header_length;

    c->header_length +=
        pbuf_copy_partial(p, (uint8_t *)&c->header + before, (u16_t)(sizeof c->header - before), 0);
    if (c->header_length >= CLIENT_HDR_V1 && (lwip_ntohl(c->header.flags) & HEADER_EXTEND) != 0) {
        wanted = sizeof c->header;
    }
    if (c->header_length < wanted) {
        return ERR_OK;
    }
    c->header_length = sizeof c->header;
    c->since_ns = arch_clock_ns();
    return obey_header(c);
}

/*
 * True if the client has sent what its header says: all the bytes, or for the time. Half of the time
 * suffices, as the header may have come late.
 */
static bool has_finished(const struct connection *c)
{
    u32_t amount = lwip_ntohl(c->header.amount);

    return amount >> 31 == 0
               ? c->received >= amount
               : (arch_clock_ns() - c->since_ns) * 2 >= (0 - amount) * (SECOND_NS / 100);
}

/*
 * The client was ended before it had finished: it will not listen. Another attempt could reach the
 * next client, which would take it for its own.
 */
static void give_up_attempts(const struct connection *c)
{
    if (c->other != NULL) {
        c->other->attempts = 0;
    }
}

static err_t tcp_received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct connection *c = context;
    err_t result = ERR_OK;

    (void)error;
    if (p == NULL) {
        c->received_all = true;
        if (c->sending) {
            return ERR_OK;
        }
        if (!has_finished(c)) {
            give_up_attempts(c);
        } else if (c->send_afterwards) {
            connect_back(c, false);
        }
        return close_connection(c);
    }
    tcp_recved(pcb, p->tot_len);
    c->received += p->tot_len;
    if (c->header_length < sizeof c->header) {
        result = take_header(c, p);
    }
    pbuf_free(p);
    return result;
}

static err_t tcp_acknowledged(void *context, struct tcp_pcb *pcb, u16_t length)
{
    struct connection *c = context;

    (void)pcb, (void)length;
    return c->sending ? send_more(c) : ERR_OK;
}

static err_t tcp_polled(void *context, struct tcp_pcb *pcb)
{
    struct connection *c = context;

    (void)pcb;
    return c->sending ? send_more(c) : ERR_OK;
}

/* lwIP has already freed the pcb, or is about to. */
static void tcp_failed(void *context, err_t error)
{
    struct connection *c = context;

    if (error == ERR_RST && c->attempts != 0) {
        keep_refused(c);
    } else {
        give_up_attempts(c);
        release(c);
    }
}

static err_t connected(void *context, struct tcp_pcb *pcb, err_t error)
{
    struct connection *c = context;

    (void)pcb;
    (void)error;
    c->attempts = 0;
    return begin_sending(c);
}

static void attach(struct connection *c, struct tcp_pcb *pcb)
{
    c->pcb = pcb;
    tcp_arg(pcb, c);
    tcp_recv(pcb, tcp_received);
    tcp_sent(pcb, tcp_acknowledged);
    tcp_poll(pcb, tcp_polled, POLL_INTERVAL);
    tcp_err(pcb, tcp_failed);
}

static err_t tcp_opened(void *context, struct tcp_pcb *pcb, err_t error)
{
    struct connection *c = calloc(1, sizeof *c);

    (void)context, (void)error;
    if (c == NULL) {
        return ERR_MEM; /* lwIP then aborts the connection */
    }
    attach(c, pcb);
    return ERR_OK;
}

bool iperf_tcp_start(void)
{
    return listen_tcp(SERVICE_PORT_IPERF, tcp_opened);
}

bool iperf_start(void)
{
    return !service_wanted(NET_SERVICE_IPERF) || (iperf_udp_start() && iperf_tcp_start());
}

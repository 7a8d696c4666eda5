/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest counts, as JSON: a GET or HEAD of / by HTTP/1.0 (RFC 1945) on TCP port 80, or any
 * datagram to UDP port 81. A connection has one request and one answer. A browser, which asks for
 * text/html and takes gzip, gets a page that asks for the JSON and draws it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwip/ip.h"
#include "net/services/clients.h"
#include "net/services/http_request.h"
#include "net/services/limits.h"
#include "net/services/listen.h"
#include "net/services/page.h"
#include "net/services/services.h"
#include "net/stats.h"

enum {
    LINE_MAX = 256,     /* characters of a line of a request that count */
    REQUEST_MAX = 8192, /* bytes of a whole request */
    POLL_INTERVAL = 2,  /* of lwIP's half seconds */
    HEADER_MAX = 256,
};

/* What is at the root depends on these fields of the request. */
#define VARY "Vary: Accept, Accept-Encoding\r\n"

/* A connection whose request is not complete. */
struct client {
    char line[LINE_MAX];             /* the one that is read, as far as it fits */
    unsigned length;                 /* of it */
    unsigned received;               /* bytes in all */
    unsigned polls;                  /* without a whole request */
    bool have_line;                  /* the first one is complete */
    struct http_judgement judgement; /* once it is */
    bool html;                       /* it asks for text/html */
    bool gzip;                       /* and takes it compressed */
};

/* Room for a whole answer: header and JSON. Taken at the start, so that there is no memory to lack
 * when somebody asks why. */
static char *answer;
static size_t answer_room;

static void udp_receive(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    bool permitted = client_may_have_more(p, from, port, (u32_t)answer_room);
    struct pbuf *reply;
    size_t length;

    (void)context;
    pbuf_free(p);
    if (!permitted) {
        return;
    }
    length = stats_json(answer, answer_room);
    reply = pbuf_alloc(PBUF_TRANSPORT, (u16_t)length, PBUF_RAM);
    if (reply == NULL) {
        return;
    }
    if (length != 0) {
        memcpy(reply->payload, answer, length);
        answer_udp(pcb, reply, from, port, ip_current_dest_addr());
    }
    pbuf_free(reply);
}

/* A line has ended, or is too long for the request. The first one is judged, the others are fields. */
static void end_line(struct client *client)
{
    bool cut = client->length == LINE_MAX;

    client->line[cut ? LINE_MAX - 1 : client->length] = '\0';
    client->length = 0;
    if (!client->have_line) {
        client->have_line = true;
        client->judgement = http_judge(client->line, cut);
    } else {
        client->html |= http_field_lists(client->line, "accept", "text/html");
        client->gzip |= http_field_lists(client->line, "accept-encoding", "gzip");
    }
}

/* The answer does not wait for the end of such a request, which may have none. */
static bool is_malformed(const char *status)
{
    return memcmp(status, "400", 3) == 0 || memcmp(status, "414", 3) == 0;
}

/* Takes bytes of a request. Returns whether it can be answered: it is complete, or will never be. */
static bool take(struct client *client, const struct pbuf *p)
{
    for (u16_t i = 0; i < p->tot_len; i++) {
        char c = (char)pbuf_get_at(p, i);

        if (++client->received > REQUEST_MAX) {
            if (client->have_line) {
                client->judgement.status = "400 Bad Request";
            } else {
                end_line(client);
            }
            return true;
        }
        if (c == '\n') {
            if (client->length == 0) {
                if (client->have_line) {
                    return true;
                }
                continue; /* RFC 9112 §2.2: an empty line before the first is none */
            }
            end_line(client);
            if (is_malformed(client->judgement.status)) {
                return true;
            }
        } else if (c != '\r' && client->length < LINE_MAX) {
            client->line[client->length++] = c != '\0' ? c : '?';
        }
    }
    return false;
}

static void forget(struct client *client, struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    tcp_err(pcb, NULL);
    free(client);
}

static err_t abort_connection(struct client *client, struct tcp_pcb *pcb)
{
    forget(client, pcb);
    tcp_abort(pcb);
    return ERR_ABRT;
}

/* What an answer sends besides its status. */
struct document {
    const char *fields; /* of its header, each with its end of line */
    const char *body;
    size_t length;
    u8_t write_flags; /* TCP_WRITE_FLAG_COPY: the body does not stay as it is */
};

static struct document choose(const struct client *client)
{
    const char *status = client->judgement.status;
    struct document document = {.body = answer, .write_flags = TCP_WRITE_FLAG_COPY};

    if (memcmp(status, "200", 3) != 0) {
        document.fields = memcmp(status, "405", 3) == 0
                              ? "Content-Type: text/plain\r\nAllow: GET, HEAD\r\n"
                              : "Content-Type: text/plain\r\n";
        document.length = (size_t)snprintf(answer, answer_room, "%s\n", status);
    } else if (client->html && client->gzip && stats_page_size != 0) {
        document.fields = "Content-Type: text/html\r\nContent-Encoding: gzip\r\n" VARY;
        document.body = stats_page;
        document.length = stats_page_size;
        document.write_flags = 0;
    } else {
        document.fields = "Content-Type: application/json\r\n" VARY;
        document.length = stats_json(answer, answer_room);
    }
    return document;
}

/* Answers and closes: lwIP sees to it that what is sent arrives. */
static err_t reply(struct client *client, struct tcp_pcb *pcb)
{
    struct document document = choose(client);
    char header[HEADER_MAX];
    int header_length = snprintf(
        header, sizeof header, "HTTP/1.0 %s\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n",
        client->judgement.status, document.fields, document.length);

    if (tcp_write(pcb, header, (u16_t)header_length, TCP_WRITE_FLAG_COPY) != ERR_OK ||
        (!client->judgement.head &&
         tcp_write(pcb, document.body, (u16_t)document.length, document.write_flags) != ERR_OK)) {
        return abort_connection(client, pcb);
    }
    forget(client, pcb);
    if (tcp_close(pcb) != ERR_OK) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    return ERR_OK;
}

static err_t tcp_received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct client *client = context;
    bool complete;

    (void)error;
    if (p == NULL) { /* without having asked */
        return abort_connection(client, pcb);
    }
    tcp_recved(pcb, p->tot_len);
    complete = take(client, p);
    pbuf_free(p);
    return complete ? reply(client, pcb) : ERR_OK;
}

static err_t tcp_polled(void *context, struct tcp_pcb *pcb)
{
    struct client *client = context;

    return ++client->polls > REQUEST_SECONDS ? abort_connection(client, pcb) : ERR_OK;
}

static void tcp_failed(void *context, err_t error)
{
    (void)error;
    free(context); /* the pcb is gone already */
}

static err_t tcp_opened(void *context, struct tcp_pcb *pcb, err_t error)
{
    struct client *client;

    (void)context, (void)error;
    client = calloc(1, sizeof *client);
    if (client == NULL) {
        return ERR_MEM; /* lwIP aborts the connection */
    }
    tcp_arg(pcb, client);
    tcp_recv(pcb, tcp_received);
    tcp_poll(pcb, tcp_polled, POLL_INTERVAL);
    tcp_err(pcb, tcp_failed);
    return ERR_OK;
}

bool stats_start(void)
{
    if (!service_wanted(NET_SERVICE_STATS)) {
        return true;
    }
    answer_room = stats_json_room();
    answer = malloc(answer_room);
    if (answer == NULL) {
        printf("vtnet: no memory for %zu bytes of statistics\n", answer_room);
        return false;
    }
    return listen_udp(SERVICE_PORT_STATS, udp_receive) && listen_tcp(SERVICE_PORT_HTTP, tcp_opened);
}

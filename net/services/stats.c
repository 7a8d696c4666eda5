/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest counts, as JSON: a GET or HEAD of / by HTTP/1.0 (RFC 1945) on TCP port 80, or any
 * datagram to UDP port 81. A connection has one request and one answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwip/ip.h"
#include "net/services/clients.h"
#include "net/services/http_request.h"
#include "net/services/limits.h"
#include "net/services/listen.h"
#include "net/services/services.h"
#include "net/stats.h"

enum {
    LINE_MAX = 256,     /* characters of a request's first line that count */
    REQUEST_MAX = 8192, /* bytes of a whole request */
    POLL_INTERVAL = 2,  /* of lwIP's half seconds */
    HEADER_MAX = 192,
};

/* A connection whose request is not complete. */
struct client {
    char line[LINE_MAX];             /* the first one, as far as it fits */
    unsigned length;                 /* of it */
    unsigned received;               /* bytes in all */
    unsigned polls;                  /* without a whole request */
    bool have_line;                  /* the first one is complete */
    struct http_judgement judgement; /* once it is */
    bool at_start_of_line;           /* an end of line here ends the request */
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

/* The first line has ended, or is too long for the request. */
static void end_line(struct client *client)
{
    bool cut = client->length == LINE_MAX;

    client->have_line = true;
    client->line[cut ? LINE_MAX - 1 : client->length] = '\0';
    client->judgement = http_judge(client->line, cut);
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
            if (!client->have_line) {
                if (client->length == 0) {
                    continue; /* RFC 9112 §2.2: an empty line before the first is none */
                }
                end_line(client);
                if (is_malformed(client->judgement.status)) {
                    return true;
                }
            } else if (client->at_start_of_line) {
                return true;
            }
            client->at_start_of_line = true;
        } else if (c != '\r') {
            client->at_start_of_line = false;
            if (!client->have_line && client->length < LINE_MAX) {
                client->line[client->length++] = c != '\0' ? c : '?';
            }
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

/* Answers and closes: lwIP sees to it that what is sent arrives. */
static err_t reply(struct client *client, struct tcp_pcb *pcb)
{
    const char *status = client->judgement.status;
    bool good = memcmp(status, "200", 3) == 0;
    char header[HEADER_MAX];
    size_t length = 0;
    int header_length;

    if (good) {
        length = stats_json(answer, answer_room);
    } else {
        length = (size_t)snprintf(answer, answer_room, "%s\n", status);
    }
    header_length = snprintf(header, sizeof header,
                             "HTTP/1.0 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
                             "Connection: close\r\n\r\n",
                             status, good ? "application/json" : "text/plain", length,
                             memcmp(status, "405", 3) == 0 ? "Allow: GET, HEAD\r\n" : "");
    if (tcp_write(pcb, header, (u16_t)header_length, TCP_WRITE_FLAG_COPY) != ERR_OK ||
        (!client->judgement.head &&
         tcp_write(pcb, answer, (u16_t)length, TCP_WRITE_FLAG_COPY) != ERR_OK)) {
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
    if (!service_wanted(BOOT_SERVICE_STATS)) {
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

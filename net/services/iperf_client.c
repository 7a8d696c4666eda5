/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/iperf_client.h"

#include "arch/arch.h"
#include "lwip/def.h"
#include "net/services/services.h"
#include "net/services/zeros.h"

enum {
    PER_PASS = 32,  /* datagrams or pieces */
    QUESTIONS = 10, /* requests for the report, as in iperf */
};
#define SECOND_NS UINT64_C(1000000000)
#define RESOLVE_NS UINT64_C(100000000)  /* time for the peer's Ethernet address to be resolved */
#define QUESTION_NS UINT64_C(250000000) /* between two requests */
#define PATIENCE_NS UINT64_C(5000000000)
#define EARLY_NS UINT64_C(500000000) /* how much earlier than our own clock the server may end */
#define LINGER_NS UINT64_C(50000000) /* time for the last frames to leave */

enum { WAITING, RESOLVING, CONNECTING, RUNNING, ENDING, CLOSED, DONE };

static void enter(struct iperf_client *client, unsigned state)
{
    client->state = state;
    client->state_since = arch_clock_ns();
}

static void fail(struct iperf_client *client, const char *failure)
{
    client->failure = failure;
    enter(client, CLOSED);
}

static void progress(struct iperf_client *client)
{
    client->ns = arch_clock_ns() - client->begun_at;
}

static void connected(struct talk *talk)
{
    struct iperf_client *client = (struct iperf_client *)talk;
    static uint8_t header[IPERF_HEADER];

    enter(client, RUNNING);
    client->begun_at = client->state_since;
    if (client->receives) {
        iperf_header_write(header, client->seconds, client->sends);
        talk_send(talk, header, sizeof header);
        talk_flush(talk);
    }
}

/* Over UDP, what is received is the report. */
static void received(struct talk *talk, struct pbuf *p)
{
    struct iperf_client *client = (struct iperf_client *)talk;
    uint8_t bytes[IPERF_REPORT];

    if (client->over_tcp) {
        client->received_bytes += p->tot_len;
        progress(client);
    } else if (client->state == ENDING &&
               iperf_report_read(&client->report, bytes,
                                 pbuf_copy_partial(p, bytes, sizeof bytes, 0))) {
        client->sent_bytes = client->report.bytes;
        enter(client, CLOSED);
    }
    pbuf_free(p);
}

static void acknowledged(struct talk *talk, unsigned bytes)
{
    struct iperf_client *client = (struct iperf_client *)talk;

    client->sent_bytes += bytes;
    progress(client);
}

/* TCP: the server has closed, or the connection is lost. A server that sends may end first. */
static void ended(struct talk *talk)
{
    struct iperf_client *client = (struct iperf_client *)talk;
    uint64_t end = client->begun_at + client->seconds * SECOND_NS;
    bool in_time =
        client->state == ENDING || (client->receives && arch_clock_ns() + EARLY_NS > end);

    if (client->state == CONNECTING) {
        fail(client, "no connection");
    } else if (client->state < CLOSED && (talk->tcp == NULL || !in_time)) {
        fail(client, "the connection broke");
    } else if (client->state < CLOSED) {
        enter(client, CLOSED);
        talk_close(talk);
    }
}

/*
 * The first datagrams over UDP would be lost while the peer's Ethernet address is resolved. So one
 * is sent to another port first.
 */
static void open(struct iperf_client *client)
{
    static struct talk ahead;

    if (client->over_tcp) {
        enter(client, CONNECTING);
        if (!talk_open(&client->stream, true, &client->peer, SERVICE_PORT_IPERF)) {
            fail(client, "no memory for a connection");
        }
    } else {
        enter(client, RESOLVING);
        if (talk_open(&ahead, false, &client->peer, SERVICE_PORT_SINK)) {
            talk_send(&ahead, zeros, 1);
        }
    }
}

static err_t send_datagram(struct iperf_client *client, uint64_t number, bool last)
{
    uint8_t head[IPERF_DATAGRAM_HEAD];
    struct iperf_datagram datagram = {
        .number = number, .sent_us = (int64_t)(arch_clock_ns() / 1000), .last = last};

    iperf_datagram_write(&datagram, head);
    return talk_send_headed(&client->stream, head, (u16_t)LWIP_MIN(sizeof head, client->size),
                            zeros, (u16_t)client->size);
}

/*
 * Sends zeros, as much as the ring or the send buffer takes. Over TCP the first zeros are a header
 * without requests. Returns true if anything was sent.
 */
static bool send_some(struct iperf_client *client)
{
    unsigned sent = 0;

    if (client->over_tcp) {
        while (sent < PER_PASS && talk_send(&client->stream, zeros, ZEROS_SIZE) == ERR_OK) {
            sent++;
        }
        talk_flush(&client->stream);
        return sent > 0;
    }
    while (sent < PER_PASS && send_datagram(client, client->datagrams + 1, false) == ERR_OK) {
        client->datagrams++;
        sent++;
    }
    progress(client);
    return sent > 0;
}

/*
 * Over UDP the last datagram requests the report. Over TCP the server closes when it has received
 * everything.
 */
static void await_end(struct iperf_client *client, uint64_t waited)
{
    if (client->over_tcp) {
        if (waited > PATIENCE_NS) {
            fail(client, "the server does not close the connection");
        }
    } else if (client->questions == 0 || waited >= QUESTION_NS) {
        if (client->questions == QUESTIONS) {
            fail(client, "no report");
        } else if (send_datagram(client, client->datagrams + 1, true) == ERR_OK) {
            client->questions++;
            enter(client, ENDING); /* the next waits for its time even if this one is late */
        }
    }
}

static bool run(struct iperf_client *client, uint64_t elapsed)
{
    if (elapsed < client->seconds * SECOND_NS) {
        return client->sends && send_some(client);
    }
    enter(client, ENDING);
    if (client->over_tcp && client->sends) {
        talk_close(&client->stream);
    }
    return true;
}

static bool poll(void *context)
{
    struct iperf_client *client = context;
    uint64_t now = arch_clock_ns();
    uint64_t elapsed = now > client->state_since ? now - client->state_since : 0;

    if (client->state == WAITING && talk_possible(&client->peer)) {
        open(client);
    } else if (client->state == RESOLVING && elapsed > RESOLVE_NS) {
        if (!talk_open(&client->stream, false, &client->peer, SERVICE_PORT_IPERF)) {
            fail(client, "no memory for datagrams");
        }
    } else if (client->state == CONNECTING && elapsed > PATIENCE_NS) {
        fail(client, "no connection within 5 s");
    } else if (client->state == RUNNING) {
        return run(client, elapsed);
    } else if (client->state == ENDING) {
        await_end(client, elapsed);
    } else if (client->state == CLOSED && elapsed > LINGER_NS) {
        client->state = DONE;
        client->done(client);
    }
    return false;
}

void iperf_client_start(struct iperf_client *client)
{
    client->stream = (struct talk){
        .ready = connected, .received = received, .acknowledged = acknowledged, .failed = ended};
    client->poller = (struct net_poller){.poll = poll, .context = client};
    net_add_poller(&client->poller);
}

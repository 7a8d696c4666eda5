/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Netserver: the control connections. lwIP's callbacks only record what happens. The loop's poller
 * ends tests and connections, so that nothing is freed inside a callback.
 */
#include <stdlib.h>
#include <string.h>

#include "lwip/sys.h"
#include "net/net.h"
#include "net/services/limits.h"
#include "net/services/listen.h"
#include "net/services/netserver_test.h"
#include "net/services/places.h"
#include "net/services/services.h"

enum {
    FIRST_DATA_MS = 10 * 1000, /* limit for a test to begin */
    QUIET_MS = 1000,           /* after the time of a test: no more data will arrive */
    SECONDS_MAX = 3600,        /* limit of a test, also of one that ends by amount */
    KEEP_IDLE_MS = 60 * 1000,  /* then keepalive probes check the client */
};

/* A control connection. */
struct session {
    struct session *next;
    struct tcp_pcb *control; /* NULL: connection lost */
    bool ended;              /* by the client, or because of a protocol error */
    unsigned length;         /* bytes of the message received so far */
    uint8_t message[NETPERF_MESSAGE_SIZE];
    struct netserver_test test;
    unsigned events; /* test.events when the poller last checked */
    /* Times in ms. */
    u32_t since; /* when the test was set up or the last one ended */
    u32_t first; /* first event of the client in this test */
    u32_t last;
};

static struct session *sessions;

static bool poll_sessions(void *context);
static struct net_poller poller = {.poll = poll_sessions}; /* added with the first session */

static void reply(struct session *session)
{
    if (tcp_write(session->control, session->message, NETPERF_MESSAGE_SIZE, TCP_WRITE_FLAG_COPY) !=
        ERR_OK) {
        session->ended = true;
        return;
    }
    tcp_output(session->control);
}

static void start_test(struct session *session)
{
    struct netserver_test *test = &session->test;
    enum netperf_error error;

    memset(test, 0, sizeof *test);
    error = netperf_read_omni(session->message, &test->omni);
    if (error == NETPERF_OK && test->omni.ipv6 && !LWIP_IPV6) {
        error = NETPERF_EAFNOSUPPORT;
    }
    if (error == NETPERF_OK) {
        const struct netserver_data *data = test->omni.tcp ? &netserver_tcp : &netserver_udp;

        error = data->open(test, &session->control->remote_ip);
        if (error == NETPERF_OK) {
            test->data = data;
        }
    }
    if (error != NETPERF_OK) {
        netperf_write_error(session->message, NETPERF_OMNI_RESPONSE, error);
    } else {
        netperf_write_response(session->message, &test->omni, test->omni.data_port);
        session->events = 0;
        session->since = sys_now();
    }
    reply(session);
}

static void handle_message(struct session *session)
{
    uint32_t type = netperf_type(session->message);

    switch (type) {
    case NETPERF_PASSPHRASE:
        break;
    case NETPERF_DO_OMNI:
        start_test(session);
        break;
    default:
        netperf_write_error(session->message, type, NETPERF_UNKNOWN_TEST);
        reply(session);
    }
}

static err_t received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct session *session = context;
    u16_t at = 0;

    (void)error;
    if (p == NULL) {
        session->ended = true;
        return ERR_OK;
    }
    while (at < p->tot_len && !session->ended) {
        u16_t part = pbuf_copy_partial(p, session->message + session->length,
                                       (u16_t)(NETPERF_MESSAGE_SIZE - session->length), at);

        if (session->test.data != NULL) {
            session->ended = true; /* a client sends no messages during a test */
            break;
        }
        at += part;
        session->length += part;
        if (session->length == NETPERF_MESSAGE_SIZE) {
            session->length = 0;
            handle_message(session);
        }
    }
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static void failed(void *context, err_t error)
{
    struct session *session = context;

    (void)error;
    session->control = NULL; /* lwIP has freed it */
    session->ended = true;
}

static err_t accepted(void *context, struct tcp_pcb *pcb, err_t error)
{
    struct session *session;

    (void)context, (void)error;
    session = calloc(1, sizeof *session);
    if (session == NULL) {
        return ERR_MEM; /* lwIP aborts the connection */
    }
    session->control = pcb;
    session->since = sys_now();
    session->next = sessions;
    sessions = session;
    net_add_poller(&poller);
    tcp_arg(pcb, session);
    tcp_recv(pcb, received);
    tcp_err(pcb, failed);
    tcp_nagle_disable(pcb);
    ip_set_option(pcb, SOF_KEEPALIVE);
    pcb->keep_idle = KEEP_IDLE_MS;
    return ERR_OK;
}

/*
 * True if a test's time is over. A test that is not limited by time is ended by the client's
 * actions.
 */
static bool time_is_up(const struct session *session, u32_t now)
{
    const struct netperf_omni *omni = &session->test.omni;
    u32_t ms = (omni->seconds < SECONDS_MAX ? omni->seconds : SECONDS_MAX) * 1000;
    bool sends_only = omni->transmit && !omni->receive;
    u32_t since = sends_only ? session->first + ms : session->last;

    if (session->events == 0) {
        return now - session->since >= ms + FIRST_DATA_MS;
    }
    /*
     * The client has a clock of its own and ends the test itself, except in two cases: with one
     * connection per transaction it sends no end, and over UDP the end may be lost. The server
     * waits longer than the client, because a client that only receives must not see the end too
     * early: after a run that its alarm ended, netperf leaves the next run's alarm on.
     */
    return (ms != 0 && now - session->first >= ms && now - since >= QUIET_MS) ||
           now - session->first >= SECONDS_MAX * 1000 + FIRST_DATA_MS;
}

static bool poll_test(struct session *session, u32_t now)
{
    struct netserver_test *test = &session->test;
    bool busy = test->data->poll(test);

    if (test->events != session->events) {
        session->first = session->events == 0 ? now : session->first;
        session->last = now;
        session->events = test->events;
        places_moved(session->control);
    }
    if (!test->over && !time_is_up(session, now)) {
        return busy;
    }
    test->data->close(test, false);
    test->data = NULL;
    if (session->events != 0) {
        test->results.elapsed_ms = (test->omni.receive ? session->last : now) - session->first;
    }
    if (test->omni.tcp && test->omni.transmit) {
        test->results.send_calls = (uint32_t)(test->results.bytes_sent / test->omni.send_size);
    }
    netperf_write_results(session->message, &test->omni, &test->results);
    reply(session);
    session->since = now;
    return true;
}

static void end_session(struct session *session)
{
    struct tcp_pcb *pcb = session->control;

    if (session->test.data != NULL) {
        session->test.data->close(&session->test, true);
    }
    if (pcb != NULL) {
        leave_tcp(pcb);
    }
    free(session);
}

static bool poll_sessions(void *context)
{
    struct session **link = &sessions;
    bool busy = false;
    u32_t now;

    (void)context;
    if (sessions == NULL) {
        return false;
    }
    now = sys_now();
    while (*link != NULL) {
        struct session *session = *link;

        if (!session->ended && session->test.data != NULL) {
            busy |= poll_test(session, now);
        } else if (now - session->since >= IDLE_MS) {
            session->ended = true;
        }
        if (session->ended) {
            *link = session->next;
            end_session(session);
            busy = true;
        } else {
            link = &session->next;
        }
    }
    return busy;
}

bool netserver_start(void)
{
    return !service_wanted(NET_SERVICE_NETPERF) || listen_tcp(SERVICE_PORT_NETSERVER, accepted);
}

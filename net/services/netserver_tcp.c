/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Netserver's tests over TCP. Received data is counted and freed. Sent data is the pattern, without
 * a copy. The client's FIN ends a test, or the connection of one transaction.
 */
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "net/services/netserver_test.h"
#include "net/services/places.h"
#include "net/services/zeros.h"

enum {
    BUFFER_MIN = 2 * TCP_MSS, /* bytes; with less, the two sides wait for each other's timers */
    WRITE_MIN = 1024,         /* bytes, unless it is the last */
};

static void put_off(struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    tcp_err(pcb, NULL);
}

static void open_window(struct tcp_pcb *pcb, uint32_t bytes)
{
    while (bytes > 0) {
        u16_t part = (u16_t)(bytes < UINT16_MAX ? bytes : UINT16_MAX);

        tcp_recved(pcb, part);
        bytes -= part;
    }
}

/*
 * Opens the window by `bytes`, except for the part by which the client's requested buffer is
 * smaller than the window.
 */
static void give_back(struct netserver_test *test, uint32_t bytes)
{
    uint32_t missing = test->kept - test->kept_so_far;
    uint32_t keep = bytes < missing ? bytes : missing;

    test->kept_so_far += keep;
    open_window(test->tcp, bytes - keep);
}

/*
 * lwIP keeps the connection until everything written has been acknowledged. Returns ERR_ABRT if it
 * had to be aborted: an lwIP callback must return that.
 */
static err_t close_connection(struct netserver_test *test)
{
    struct tcp_pcb *pcb = test->tcp;

    open_window(pcb, test->kept_so_far + test->returned); /* else lwIP sends a reset */
    put_off(pcb);
    test->tcp = NULL;
    if (tcp_close(pcb) != ERR_OK) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    return ERR_OK;
}

static void fill(struct netserver_test *test)
{
    for (;;) {
        u32_t queued = TCP_SND_BUF - test->tcp->snd_buf; /* tcp_sndbuf() has 16 bits */
        u32_t length = queued < test->omni.send_buf_size ? test->omni.send_buf_size - queued : 0;

        if (length > ZEROS_SIZE) {
            length = ZEROS_SIZE;
        }
        if (length >= test->owed) {
            length = (u32_t)test->owed;
        } else {
            length -= length % WRITE_MIN;
        }
        if (length == 0 || tcp_write(test->tcp, zeros, (u16_t)length, 0) != ERR_OK) {
            break;
        }
        test->owed -= length;
        test->results.bytes_sent += length;
    }
    tcp_output(test->tcp);
}

static bool has_all_transactions(const struct netserver_test *test)
{
    return test->omni.receive == test->omni.transmit && test->omni.units > 0 &&
           test->results.trans_received >= test->omni.units;
}

/*
 * Sends what is owed, as far as there is room. When all of it is sent, opens the window for the
 * client.
 */
static err_t go_on(struct netserver_test *test)
{
    fill(test);
    if (test->owed > 0) {
        return ERR_OK;
    }
    give_back(test, test->returned);
    test->returned = 0;
    test->over |= has_all_transactions(test) || (test->omni.transmit && !test->omni.receive);
    return test->answered ? close_connection(test) : ERR_OK;
}

/* Counts the requests that these bytes complete. */
static void take_requests(struct netserver_test *test, uint32_t bytes)
{
    uint32_t sum = test->part + bytes; /* at most one request and one pbuf */
    uint32_t requests = sum / test->omni.recv_size;

    test->part = sum % test->omni.recv_size;
    if (test->omni.connect_test) {
        requests = requests > 0 && !test->answered;
        test->answered |= requests > 0;
    }
    if (!has_all_transactions(test)) {
        test->results.trans_received += requests;
        test->owed += (uint64_t)requests * test->omni.send_size;
    }
}

static err_t received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct netserver_test *test = context;
    u16_t length;

    (void)pcb, (void)error;
    test->events++;
    if (p == NULL) {
        test->over = true;
        return ERR_OK;
    }
    length = p->tot_len;
    pbuf_free(p);
    test->results.bytes_received += length;
    test->results.recv_calls++;
    if (!test->omni.receive || !test->omni.transmit) {
        give_back(test, length);
        return ERR_OK;
    }
    test->returned += length;
    take_requests(test, length);
    return go_on(test);
}

static err_t acknowledged(void *context, struct tcp_pcb *pcb, u16_t length)
{
    struct netserver_test *test = context;

    (void)pcb, (void)length;
    test->events++;
    return test->owed > 0 ? go_on(test) : ERR_OK;
}

static err_t polled(void *context, struct tcp_pcb *pcb)
{
    struct netserver_test *test = context;

    (void)pcb;
    return test->owed > 0 ? go_on(test) : ERR_OK; /* retries when tcp_write() found no memory */
}

static void failed(void *context, err_t error)
{
    struct netserver_test *test = context;

    (void)error;
    test->tcp = NULL; /* lwIP has freed it */
    test->over |= !test->omni.connect_test;
}

/*
 * In a test with one connection per transaction, the server closes many of them. The client reuses
 * its ports before TIME_WAIT ends, and lwIP searches the list of those connections for each
 * segment.
 */
static void forget_closed_connections(u16_t port)
{
    struct tcp_pcb *next;

    for (struct tcp_pcb *pcb = tcp_tw_pcbs; pcb != NULL; pcb = next) {
        next = pcb->next;
        if (pcb->local_port == port) {
            tcp_abort(pcb); /* sends nothing */
        }
    }
}

static err_t accepted(void *context, struct tcp_pcb *pcb, err_t error)
{
    struct netserver_test *test = context;
    struct netperf_omni *omni = &test->omni;

    if (error != ERR_OK || pcb == NULL) {
        return ERR_VAL;
    }
    if (test->tcp != NULL || test->over || (test->events > 0 && !omni->connect_test)) {
        return ERR_USE; /* one connection at a time; lwIP aborts this one */
    }
    places_enter(pcb);
    test->events++;
    test->tcp = pcb;
    test->part = test->returned = test->kept_so_far = 0;
    test->owed = 0;
    test->answered = false;
    tcp_arg(pcb, test);
    tcp_recv(pcb, received);
    tcp_sent(pcb, acknowledged);
    tcp_poll(pcb, polled, 1);
    tcp_err(pcb, failed);
    if (omni->no_delay) {
        tcp_nagle_disable(pcb);
    }
    if (omni->connect_test) {
        forget_closed_connections(omni->data_port);
    }
    if (!omni->receive && omni->transmit) {
        test->owed = omni->units > 0 ? omni->units : UINT64_MAX;
        fill(test);
    }
    if (!omni->receive && !omni->transmit) { /* a test of connecting alone */
        test->results.trans_received++;
        test->answered = true;
    }
    return ERR_OK;
}

static uint32_t buffer_size(uint32_t wanted, uint32_t most)
{
    if (wanted == 0 || wanted > most) {
        return most;
    }
    return wanted > BUFFER_MIN ? wanted : BUFFER_MIN;
}

static enum netperf_error open(struct netserver_test *test, const ip_addr_t *peer)
{
    struct netperf_omni *omni = &test->omni;
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);

    (void)peer;
    if (pcb == NULL) {
        return NETPERF_ENOMEM;
    }
    /* A repeated test requests its previous port, where connections may remain. */
    if (tcp_bind(pcb, IP_ANY_TYPE, omni->data_port) != ERR_OK &&
        tcp_bind(pcb, IP_ANY_TYPE, 0) != ERR_OK) {
        tcp_close(pcb);
        return NETPERF_EADDRINUSE;
    }
    test->listener = tcp_listen(pcb);
    if (test->listener == NULL) {
        tcp_close(pcb);
        return NETPERF_ENOMEM;
    }
    tcp_arg(test->listener, test);
    tcp_accept(test->listener, accepted);
    places_watch(test->listener);
    omni->data_port = test->listener->local_port;
    omni->recv_buf_size = buffer_size(omni->recv_buf_size, TCP_WND);
    omni->send_buf_size = buffer_size(omni->send_buf_size, TCP_SND_BUF);
    test->kept = TCP_WND - omni->recv_buf_size;
    return NETPERF_OK;
}

/* Ends a transaction without data: closes the connection. */
static bool poll(struct netserver_test *test)
{
    if (test->tcp == NULL || !test->answered || test->owed > 0) {
        return false;
    }
    go_on(test);
    return true;
}

static void close(struct netserver_test *test, bool abandon)
{
    tcp_close(test->listener);
    if (test->tcp == NULL) {
        return;
    }
    if (abandon) {
        put_off(test->tcp);
        tcp_abort(test->tcp);
        test->tcp = NULL;
    } else {
        close_connection(test);
    }
}

const struct netserver_data netserver_tcp = {.open = open, .poll = poll, .close = close};

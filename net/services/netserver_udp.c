/* SPDX-License-Identifier: BSD-2-Clause */
/* Netserver's tests over UDP. An empty datagram from either side ends a test. */
#include "lwip/ip.h"
#include "lwip/udp.h"
#include "net/local.h"
#include "net/net.h"
#include "net/services/clients.h"
#include "net/services/netserver_test.h"
#include "net/services/zeros.h"

enum {
    DATAGRAMS_PER_PASS = 32,
    LAST_DATAGRAMS = 3, /* sent three times, as some may be lost */
};

/* A datagram's pbufs refer to the pattern. */
static struct pbuf *make_datagram(uint32_t size)
{
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, 0, PBUF_RAM);

    while (p != NULL && p->tot_len < size) {
        uint32_t left = size - p->tot_len;
        u16_t part = (u16_t)(left < ZEROS_SIZE ? left : ZEROS_SIZE);
        struct pbuf *q = pbuf_alloc(PBUF_RAW, part, PBUF_ROM);

        if (q == NULL) {
            pbuf_free(p);
            return NULL;
        }
        ((struct pbuf_rom *)q)->payload = zeros;
        pbuf_cat(p, q);
    }
    return p;
}

static err_t send_datagram(struct udp_pcb *pcb, uint32_t size)
{
    struct pbuf *p = make_datagram(size);
    err_t error = ERR_MEM;

    if (p != NULL) {
        error = udp_send(pcb, p);
        pbuf_free(p);
    }
    return error;
}

static bool poll(struct netserver_test *test)
{
    uint32_t size = test->omni.send_size;
    unsigned sent = 0;

    while (test->owed > 0 && sent < DATAGRAMS_PER_PASS &&
           net_may_send(&test->udp->remote_ip, size)) {
        err_t error = send_datagram(test->udp, size);

        if (error == ERR_MEM) {
            break; /* the ring or the memory is full: retry in a later pass */
        }
        if (error == ERR_OK) {
            test->results.bytes_sent += size;
            test->results.send_calls++;
        } else {
            test->results.failed_sends++;
        }
        test->owed--;
        sent++;
    }
    if (!test->omni.receive && test->owed == 0) {
        test->over = true;
    }
    return sent > 0;
}

/*
 * True if a datagram may be the client's: from its address, or from the local network, as it may
 * have several addresses.
 */
static bool is_client(const struct netserver_test *test, const struct pbuf *p,
                      const ip_addr_t *from, u16_t port)
{
    return client_may_be_answered(p, from, port) &&
           (ip_addr_eq(from, &test->peer) || net_is_local(from));
}

static void received(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                     u16_t port)
{
    struct netserver_test *test = context;

    if (!is_client(test, p, from, port)) {
        pbuf_free(p);
        return;
    }
    test->events++;
    udp_connect(pcb, from, port); /* other senders are ignored from now on */
    if (IP_IS_V6(from) && !ip_addr_ismulticast(ip_current_dest_addr())) {
        pcb->local_ip = *ip_current_dest_addr(); /* of several addresses, the one the client uses */
    }
    if (p->tot_len == 0) {
        test->over = true;
    } else if (test->omni.receive) {
        test->results.bytes_received += p->tot_len;
        test->results.recv_calls++;
        if (test->omni.transmit) {
            test->results.trans_received++;
            test->owed++;
        }
    }
    pbuf_free(p);
}

static enum netperf_error open(struct netserver_test *test, const ip_addr_t *peer)
{
    struct netperf_omni *omni = &test->omni;

    if (!omni->receive && client_is_server((u16_t)omni->netperf_port)) {
        return NETPERF_EINVAL; /* port 0, or a server's port */
    }
    test->peer = *peer;
    test->udp = udp_new_ip_type(IPADDR_TYPE_ANY);
    if (test->udp == NULL) {
        return NETPERF_ENOMEM;
    }
    if (udp_bind(test->udp, IP_ANY_TYPE, omni->data_port) != ERR_OK &&
        udp_bind(test->udp, IP_ANY_TYPE, 0) != ERR_OK) {
        udp_remove(test->udp);
        return NETPERF_EADDRINUSE;
    }
    udp_recv(test->udp, received, test);
    omni->data_port = test->udp->local_port;
    omni->recv_buf_size = 0; /* no buffer */
    omni->send_buf_size = 0;
    if (!omni->receive) {
        udp_connect(test->udp, peer, omni->netperf_port);
        test->owed = omni->units > 0 ? (omni->units - 1) / omni->send_size + 1 : UINT64_MAX;
        test->events++; /* the client sends nothing first */
    }
    return NETPERF_OK;
}

static void close(struct netserver_test *test, bool abandon)
{
    if (!test->omni.receive && !abandon) {
        for (unsigned i = 0; i < LAST_DATAGRAMS; i++) {
            send_datagram(test->udp, 0);
        }
    }
    udp_remove(test->udp);
}

const struct netserver_data netserver_udp = {.open = open, .poll = poll, .close = close};

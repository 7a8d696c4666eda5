/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Burst: sink and source, or with peer= the active side, which for seconds= sends messages of size=
 * bytes to the peer's sink, receives them from its source, or both at once (dir=), as fast as it
 * can, over UDP or TCP (proto=). Bandwidth is payload that arrived: what the peer's sink counted or
 * TCP acknowledged, and what came here.
 */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/boot.h"
#include "lwip/inet.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"
#include "net/net.h"
#include "net/services/services.h"

enum { MESSAGE_MAX = 1472, DATAGRAMS_PER_PASS = 32 };
#define SECOND_NS UINT64_C(1000000000)

static uint8_t message[MESSAGE_MAX];
static ip_addr_t peer;
static struct udp_pcb *to_sink;
static struct udp_pcb *from_source;
static bool failed;
static uint64_t delivered_bytes; /* sent by us, arrived at the peer */
static uint64_t received_bytes;
static uint64_t sink_before; /* the peer's counter at the start */
static uint64_t next_request;
static enum { WAITING, ASKING, RUNNING, SETTLING } state;
static uint64_t state_since;

static bool sends(void)
{
    return boot_arguments.dir != BOOT_DIRECTION_RECEIVE;
}

static bool receives(void)
{
    return boot_arguments.dir != BOOT_DIRECTION_SEND;
}

static bool over_tcp(void)
{
    return boot_arguments.proto == BOOT_PROTOCOL_TCP;
}

static void enter(int next, uint64_t now)
{
    state = next;
    state_since = now;
    next_request = 0;
}

static void fail(const char *why)
{
    printf("vtnet: burst: %s: is peer= right, and does it serve sink and source?\n", why);
    failed = true;
    net_stop();
}

static void print_rate(const char *name, uint64_t bytes)
{
    /* tenths of a Mbit/s: bytes * 8 / 10^5 / seconds */
    uint32_t tenths = (uint32_t)(bytes * 8 / 100000 / boot_arguments.seconds);

    printf(" %s %u.%u Mbit/s", name, (unsigned)(tenths / 10), (unsigned)(tenths % 10));
}

static void finish(void)
{
    printf("vtnet: burst: %s, %u bytes, %u s:", over_tcp() ? "TCP" : "UDP", boot_arguments.size,
           boot_arguments.seconds);
    if (sends()) {
        print_rate("sent", delivered_bytes);
    }
    if (receives()) {
        print_rate("received", received_bytes);
    }
    printf("\n");
    failed = (sends() && delivered_bytes == 0) || (receives() && received_bytes == 0);
    net_stop();
}

/* Sends a datagram whose payload is `length` bytes at `data`, which stay as they are. */
static err_t send_datagram(struct udp_pcb *pcb, const void *data, u16_t length)
{
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, length, PBUF_ROM);
    err_t error = ERR_MEM;

    if (p != NULL) {
        ((struct pbuf_rom *)p)->payload = data;
        error = udp_send(pcb, p);
        pbuf_free(p);
    }
    return error;
}

/* "SEND", count, size: the source sends until it is told otherwise; count 0 stops it. */
static void ask_source(uint32_t count)
{
    static uint8_t request[12] = "SEND";
    uint32_t words[2] = {lwip_htonl(count), lwip_htonl(boot_arguments.size)};

    memcpy(request + 4, words, sizeof words);
    send_datagram(from_source, request, sizeof request);
}

static uint64_t get_big_endian64(struct pbuf *p, u16_t offset)
{
    uint64_t value = 0;

    for (u16_t i = 0; i < 8; i++) {
        value = value << 8 | pbuf_get_at(p, (u16_t)(offset + i));
    }
    return value;
}

/* The sink's answer to "STAT": its count of bytes is at 16. */
static void sink_answered(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                          u16_t port)
{
    (void)context, (void)pcb, (void)from, (void)port;
    if (p->tot_len == 24 && state == ASKING) {
        sink_before = get_big_endian64(p, 16);
        enter(RUNNING, arch_clock_ns());
        if (receives()) {
            ask_source(UINT32_MAX);
        }
    } else if (p->tot_len == 24 && state == SETTLING) {
        delivered_bytes = get_big_endian64(p, 16) - sink_before;
        finish();
    }
    pbuf_free(p);
}

static void source_sent(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    (void)context, (void)pcb, (void)from, (void)port;
    received_bytes += state == RUNNING ? p->tot_len : 0;
    pbuf_free(p);
}

static void fill(struct tcp_pcb *pcb)
{
    while (tcp_sndbuf(pcb) >= boot_arguments.size &&
           tcp_write(pcb, message, (u16_t)boot_arguments.size, 0) == ERR_OK) {
    }
    tcp_output(pcb);
}

static err_t tcp_acknowledged(void *context, struct tcp_pcb *pcb, u16_t length)
{
    (void)context;
    delivered_bytes += length;
    fill(pcb);
    return ERR_OK;
}

static err_t tcp_received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    (void)context, (void)error;
    if (p == NULL) {
        fail("the peer has closed a connection");
        return ERR_OK;
    }
    received_bytes += p->tot_len;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t tcp_ready(void *context, struct tcp_pcb *pcb, err_t error)
{
    (void)error;
    if (context != NULL) {
        fill(pcb);
    }
    return ERR_OK;
}

static void tcp_failed(void *context, err_t error)
{
    (void)context, (void)error;
    fail("a TCP connection failed");
}

static void connect(u16_t port, void *is_sink)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);

    tcp_arg(pcb, is_sink);
    tcp_recv(pcb, tcp_received);
    tcp_sent(pcb, tcp_acknowledged);
    tcp_err(pcb, tcp_failed);
    tcp_connect(pcb, &peer, port, tcp_ready);
}

static struct udp_pcb *open_udp(u16_t port, udp_recv_fn receive)
{
    struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY);

    udp_recv(pcb, receive, NULL);
    udp_connect(pcb, &peer, port);
    return pcb;
}

static void start(uint64_t now)
{
    if (over_tcp()) {
        enter(RUNNING, now);
        if (sends()) {
            connect(SERVICE_PORT_SINK, message);
        }
        if (receives()) {
            connect(SERVICE_PORT_SOURCE, NULL);
        }
        return;
    }
    to_sink = open_udp(SERVICE_PORT_SINK, sink_answered);
    from_source = open_udp(SERVICE_PORT_SOURCE, source_sent);
    enter(ASKING, now);
}

/* Asks the sink for its counters, five times a second until it answers. */
static void ask_sink(uint64_t now)
{
    if (now >= next_request) {
        next_request = now + SECOND_NS / 5;
        send_datagram(to_sink, "STAT\0\0\0", 8);
    }
    if (now - state_since > 5 * SECOND_NS) {
        fail("the sink does not answer");
    }
}

static bool run(uint64_t now)
{
    unsigned sent = 0;

    if (now - state_since >= boot_arguments.seconds * SECOND_NS) {
        if (over_tcp()) {
            finish();
        } else {
            if (receives()) {
                ask_source(0);
            }
            enter(SETTLING, now);
        }
        return false;
    }
    while (!over_tcp() && sends() && sent < DATAGRAMS_PER_PASS &&
           send_datagram(to_sink, message, (u16_t)boot_arguments.size) == ERR_OK) {
        sent++;
    }
    return sent > 0;
}

static bool poll(void *context)
{
    uint64_t now = arch_clock_ns();

    (void)context;
    switch (state) {
    case WAITING:
        if (!ip4_addr_isany(netif_ip4_addr(netif_default))) {
            start(now);
        }
        return false;
    case RUNNING:
        return run(now);
    default:
        ask_sink(now);
        return false;
    }
}

int main(void)
{
    static struct net_poller poller = {.poll = poll};

    if (!net_start()) {
        return 1;
    }
    if (boot_arguments.peer.address == 0) {
        if (!sink_start() || !source_start()) {
            return 1;
        }
        net_run();
        return 0;
    }
    ip_addr_set_ip4_u32_val(peer, lwip_htonl(boot_arguments.peer.address));
    net_add_poller(&poller);
    net_run();
    return failed ? 1 : 0;
}

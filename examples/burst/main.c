/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Burst: sink and source. With peer= it is the client, which for seconds= sends messages of size=
 * bytes to the peer's sink, receives them from its source, or both at once (dir=), as fast as
 * possible, over UDP or TCP (proto=). Bandwidth is the payload that arrived: counted by the peer's
 * sink, acknowledged by TCP, or received here.
 */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/boot.h"
#include "examples/net_config.h"
#include "lwip/inet.h"
#include "net/net.h"
#include "net/services/services.h"
#include "net/services/talk.h"

enum { MESSAGE_MAX = 1472, MESSAGES_PER_PASS = 32 };
#define SECOND_NS UINT64_C(1000000000)

/* Over UDP the sink's counter is requested before and after. */
enum state { WAITING, ASKING, RUNNING, SETTLING };

static uint8_t message[MESSAGE_MAX];
static struct talk sink;
static struct talk source;
static bool failed;
static uint64_t delivered_bytes; /* sent by us, arrived at the peer */
static uint64_t received_bytes;
static uint64_t sink_before;
static enum state state;
static uint64_t state_since;
static uint64_t next_question;

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

static void enter(enum state next, uint64_t now)
{
    state = next;
    state_since = now;
    next_question = now;
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

static void fail(struct talk *talk)
{
    (void)talk;
    printf("vtnet: burst: no answer: check that peer= is right and serves sink and source\n");
    failed = true;
    net_stop();
}

/* "SEND", count, size: the source sends until the next request; count 0 stops it. */
static void ask_source(uint32_t count)
{
    static uint8_t request[12] = "SEND";
    uint32_t words[2] = {lwip_htonl(count), lwip_htonl(boot_arguments.size)};

    memcpy(request + 4, words, sizeof words);
    talk_send(&source, request, sizeof request);
}

/* The sink's answer to "STAT": its byte count is the big-endian number at offset 16. */
static void sink_answered(struct talk *talk, struct pbuf *p)
{
    uint64_t bytes = 0;

    (void)talk;
    for (u16_t i = 16; i < 24 && p->tot_len == 24; i++) {
        bytes = bytes << 8 | pbuf_get_at(p, i);
    }
    if (p->tot_len == 24 && state == ASKING) {
        sink_before = bytes;
        enter(RUNNING, arch_clock_ns());
        if (receives()) {
            ask_source(UINT32_MAX);
        }
    } else if (p->tot_len == 24 && state == SETTLING) {
        delivered_bytes = bytes - sink_before;
        finish();
    }
    pbuf_free(p);
}

static void source_sent(struct talk *talk, struct pbuf *p)
{
    (void)talk;
    received_bytes += state == RUNNING ? p->tot_len : 0;
    pbuf_free(p);
}

/* Sends messages until the ring or the send buffer is full. Returns true if any was sent. */
static bool send_messages(void)
{
    unsigned sent = 0;

    while (sent < MESSAGES_PER_PASS &&
           talk_send(&sink, message, (u16_t)boot_arguments.size) == ERR_OK) {
        sent++;
    }
    talk_flush(&sink);
    return sent > 0;
}

static void sink_acknowledged(struct talk *talk, unsigned bytes)
{
    (void)talk;
    delivered_bytes += bytes;
}

static struct talk sink = {
    .received = sink_answered, .acknowledged = sink_acknowledged, .failed = fail};
static struct talk source = {.received = source_sent, .failed = fail};

static void start(const ip_addr_t *peer, uint64_t now)
{
    bool need_sink = sends() || !over_tcp();

    enter(over_tcp() ? RUNNING : ASKING, now);
    if ((need_sink && !talk_open(&sink, over_tcp(), peer, SERVICE_PORT_SINK)) ||
        (receives() && !talk_open(&source, over_tcp(), peer, SERVICE_PORT_SOURCE))) {
        fail(NULL);
    }
}

/* Requests the sink's counters, five times a second until it answers. */
static void ask_sink(uint64_t now)
{
    if (now >= next_question) {
        next_question += SECOND_NS / 5;
        talk_send(&sink, "STAT\0\0\0", 8);
    }
    if (now - state_since > 5 * SECOND_NS) {
        fail(NULL);
    }
}

static bool poll(void *context)
{
    uint64_t now = arch_clock_ns();

    if (state == WAITING) {
        if (talk_possible(context)) {
            start(context, now);
        }
    } else if (state != RUNNING) {
        ask_sink(now);
    } else if (now - state_since < boot_arguments.seconds * SECOND_NS) {
        return sends() && send_messages();
    } else if (over_tcp()) {
        finish();
    } else {
        if (receives()) {
            ask_source(0);
        }
        enter(SETTLING, now);
    }
    return false;
}

int main(void)
{
    static ip_addr_t peer;
    static struct net_poller poller = {.poll = poll, .context = &peer};

    if (!net_start(net_config_from_boot())) {
        return 1;
    }
    if (!talk_peer(&peer)) {
        if (!sink_start() || !source_start()) {
            return 1;
        }
        net_run();
        return 0;
    }
    net_add_poller(&poller);
    net_run();
    return failed ? 1 : 0;
}

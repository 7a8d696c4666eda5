/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ping-pong: the echo server. With peer= it is the client, which sends a message of size= bytes,
 * waits for its echo, and repeats that count= times, over UDP or TCP (proto=). The guest's clock
 * measures the round trips; the first twentieth is a warm-up and not counted.
 */
#include <stdio.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/boot.h"
#include "examples/net_config.h"
#include "net/net.h"
#include "net/services/services.h"
#include "net/services/talk.h"

enum { MESSAGE_MAX = 1472, LOSSES_IN_A_ROW_MAX = 5 };
#define LOSS_NS UINT64_C(1000000000)
#define CONNECT_NS UINT64_C(5000000000)

static uint8_t message[MESSAGE_MAX];
static uint32_t *samples; /* ns */
static unsigned taken;
static unsigned warmup;
static unsigned sent;
static unsigned losses;
static unsigned losses_in_a_row;
static unsigned received; /* bytes of the message under way */
static bool waiting;      /* for the message under way to come back */
static uint64_t started_at;
static uint64_t sent_at;

static void sort(uint32_t *values, unsigned count)
{
    for (unsigned gap = count / 2; gap > 0; gap /= 2) {
        for (unsigned i = gap; i < count; i++) {
            uint32_t value = values[i];
            unsigned at = i;

            for (; at >= gap && values[at - gap] > value; at -= gap) {
                values[at] = values[at - gap];
            }
            values[at] = value;
        }
    }
}

static void print_us(const char *name, uint32_t ns)
{
    printf("%s %u.%u us, ", name, (unsigned)(ns / 1000), (unsigned)(ns / 100 % 10));
}

static void finish(void)
{
    waiting = false;
    printf("vtnet: pingpong: %s, %u bytes: ",
           boot_arguments.proto == BOOT_PROTOCOL_TCP ? "TCP" : "UDP", boot_arguments.size);
    if (taken > 0) {
        sort(samples, taken);
        print_us("min", samples[0]);
        print_us("median", samples[taken / 2]);
        print_us("p99", samples[(uint64_t)taken * 99 / 100]);
        print_us("max", samples[taken - 1]);
    }
    printf("%u round trips, %u lost\n", taken, losses);
    net_stop();
}

static void give_up(const char *why)
{
    printf("vtnet: pingpong: %s: check that peer= is right and serves port %d\n", why,
           SERVICE_PORT_ECHO);
    finish();
}

static void send_next(struct talk *talk)
{
    if (sent == boot_arguments.count + warmup) {
        finish();
        return;
    }
    sent++;
    for (unsigned i = 0; i < 4; i++) {
        message[i] = (uint8_t)(sent >> (24 - 8 * i));
    }
    received = 0;
    waiting = true;
    sent_at = arch_clock_ns();
    talk_send(talk, message, (u16_t)boot_arguments.size);
    talk_flush(talk);
}

/* Only an exact copy of the current message counts, not a late answer to an earlier one. */
static void take(struct talk *talk, struct pbuf *p)
{
    u16_t length = p->tot_len;
    bool ours = waiting && received + length <= boot_arguments.size &&
                pbuf_memcmp(p, 0, message + received, length) == 0;

    pbuf_free(p);
    if (!ours) {
        return;
    }
    received += length;
    if (received == boot_arguments.size) {
        uint64_t ns = arch_clock_ns() - sent_at;

        if (sent > warmup) {
            samples[taken++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
        }
        losses_in_a_row = 0;
        send_next(talk);
    }
}

static void fail(struct talk *talk)
{
    (void)talk;
    give_up("the connection failed");
}

static struct talk talk = {.ready = send_next, .received = take, .failed = fail};

/* Starts when there is an address. A message that does not come back within a second is lost. */
static bool watch(void *context)
{
    uint64_t now = arch_clock_ns();
    bool over_tcp = boot_arguments.proto == BOOT_PROTOCOL_TCP;
    ip_addr_t *peer = context;

    if (started_at == 0) {
        if (talk_possible(peer)) {
            started_at = now;
            if (!talk_open(&talk, over_tcp, peer, SERVICE_PORT_ECHO)) {
                give_up("no memory to connect");
            }
        }
    } else if (sent == 0 && now - started_at > CONNECT_NS) {
        give_up("no connection within 5 s");
    } else if (waiting && now - sent_at > LOSS_NS) {
        losses++;
        if (over_tcp || ++losses_in_a_row == LOSSES_IN_A_ROW_MAX) {
            give_up("no answer");
        } else {
            send_next(&talk);
        }
    }
    return false;
}

int main(void)
{
    static ip_addr_t peer;
    static struct net_poller poller = {.poll = watch, .context = &peer};

    if (!net_start(net_config_from_boot())) {
        return 1;
    }
    if (!talk_peer(&peer)) {
        if (!echo_start()) {
            return 1;
        }
        net_run();
        return 0;
    }
    warmup = boot_arguments.count / 20;
    samples = malloc(sizeof *samples * boot_arguments.count);
    if (samples == NULL) {
        printf("vtnet: pingpong: no memory for count=%u\n", boot_arguments.count);
        return 1;
    }
    for (unsigned i = 0; i < MESSAGE_MAX; i++) {
        message[i] = (uint8_t)i;
    }
    net_add_poller(&poller);
    net_run();
    return taken == boot_arguments.count ? 0 : 1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ping-pong: the echo side, or with peer= the active side, which sends a message of size= bytes,
 * waits until it has come back, and so count= times, over UDP or TCP (proto=). The guest's clock
 * times the round trips; the first twentieth warms up and is not counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "boot/arguments.h"
#include "boot/boot.h"
#include "lwip/inet.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"
#include "net/net.h"
#include "net/services/services.h"

enum { MESSAGE_MAX = 1472, LOSSES_IN_A_ROW_MAX = 5 };
#define LOSS_NS UINT64_C(1000000000)
#define CONNECT_NS UINT64_C(10000000000)

static uint8_t message[MESSAGE_MAX];
static ip_addr_t peer;
static struct udp_pcb *udp;
static struct tcp_pcb *tcp;
static uint32_t *samples; /* ns */
static unsigned taken;
static unsigned warmup;
static unsigned sent;
static unsigned losses;
static unsigned losses_in_a_row;
static unsigned received; /* bytes of the message under way, TCP */
static uint64_t started_at;
static uint64_t sent_at;
static bool started;
static bool waiting; /* for a message to come back */

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

static void send_next(void)
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
    if (boot_arguments.proto == BOOT_PROTOCOL_TCP) {
        tcp_write(tcp, message, (u16_t)boot_arguments.size, TCP_WRITE_FLAG_COPY);
        tcp_output(tcp);
    } else {
        struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)boot_arguments.size, PBUF_RAM);

        if (p != NULL) {
            pbuf_take(p, message, (u16_t)boot_arguments.size);
            udp_send(udp, p);
            pbuf_free(p);
        }
    }
}

static void take_sample(void)
{
    uint64_t ns = arch_clock_ns() - sent_at;

    if (sent > warmup) {
        samples[taken++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
    }
    waiting = false;
    losses_in_a_row = 0;
    send_next();
}

static void udp_received(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                         u16_t port)
{
    (void)context, (void)pcb, (void)from, (void)port;
    /* Only the message under way, whole: not a late answer to an earlier one. */
    bool ours = waiting && p->tot_len == boot_arguments.size &&
                pbuf_memcmp(p, 0, message, (u16_t)boot_arguments.size) == 0;

    pbuf_free(p);
    if (ours) {
        take_sample();
    }
}

static err_t tcp_received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    (void)context, (void)error;
    if (p == NULL) {
        printf("vtnet: pingpong: the peer has closed the connection\n");
        finish();
        return ERR_OK;
    }
    received += p->tot_len;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    if (waiting && received >= boot_arguments.size) {
        take_sample();
    }
    return ERR_OK;
}

static err_t tcp_ready(void *context, struct tcp_pcb *pcb, err_t error)
{
    (void)context, (void)error;
    tcp_nagle_disable(pcb);
    send_next();
    return ERR_OK;
}

static void tcp_failed(void *context, err_t error)
{
    (void)context;
    printf("vtnet: pingpong: the connection to port %d failed (lwIP error %d)\n", SERVICE_PORT_ECHO,
           error);
    net_stop();
}

static void start(void)
{
    started = true;
    started_at = arch_clock_ns();
    if (boot_arguments.proto == BOOT_PROTOCOL_TCP) {
        tcp = tcp_new_ip_type(IPADDR_TYPE_ANY);
        tcp_recv(tcp, tcp_received);
        tcp_err(tcp, tcp_failed);
        tcp_connect(tcp, &peer, SERVICE_PORT_ECHO, tcp_ready);
    } else {
        udp = udp_new_ip_type(IPADDR_TYPE_ANY);
        udp_recv(udp, udp_received, NULL);
        udp_connect(udp, &peer, SERVICE_PORT_ECHO);
        send_next();
    }
}

/* Starts when there is an address; a message that does not come back within a second is lost. */
static bool watch(void *context)
{
    uint64_t now = arch_clock_ns();

    (void)context;
    if (!started) {
        if (!ip4_addr_isany(netif_ip4_addr(netif_default))) {
            start();
        }
    } else if (sent == 0 && now - started_at > CONNECT_NS) {
        printf("vtnet: pingpong: no connection within 10 s: is peer= right?\n");
        net_stop();
    } else if (waiting && now - sent_at > LOSS_NS) {
        waiting = false;
        losses++;
        if (++losses_in_a_row == LOSSES_IN_A_ROW_MAX || boot_arguments.proto == BOOT_PROTOCOL_TCP) {
            printf("vtnet: pingpong: no answer from port %d: is peer= right?\n", SERVICE_PORT_ECHO);
            finish();
        } else {
            send_next();
        }
    }
    return false;
}

int main(void)
{
    static struct net_poller poller = {.poll = watch};

    if (!net_start()) {
        return 1;
    }
    if (boot_arguments.peer.address == 0) {
        if (!echo_start()) {
            return 1;
        }
        net_run();
        return 0;
    }
    ip_addr_set_ip4_u32_val(peer, lwip_htonl(boot_arguments.peer.address));
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

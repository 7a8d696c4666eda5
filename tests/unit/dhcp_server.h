/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP's DHCP client on its own netif, and a server whose replies `offer` determines. */
#ifndef DHCP_SERVER_H
#define DHCP_SERVER_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#undef BYTE_ORDER /* lwIP defines its own */
#include "core/def.c"
#include "core/ipv4/dhcp.c"
#include "core/ipv4/ip4_addr.c"
#include "core/mem.c"
#include "core/pbuf.c"
#include "net/lease.c"

enum { SERVER = 0x0a000001, OTHER = 0x0a000006, OURS = 0x0a00004d, MASK = 0xffffff00 };

/* Functions that the guest provides otherwise. */

struct netif *netif_list;
struct ip_globals ip_data;
struct udp_pcb *udp_pcbs;
struct tcp_pcb *tcp_active_pcbs;
static struct udp_pcb pcb;
static struct interface our_port;

void port_assertion_failed(const char *message);
void port_assertion_failed(const char *message)
{
    fail_msg("%s", message);
    abort();
}

struct interface *net_interface(unsigned number)
{
    assert_int_equal(number, 0);
    return &our_port;
}

uint32_t lwip_port_random(void)
{
    static uint32_t random = 7;

    return random++;
}

void *memp_malloc(memp_t type)
{
    return malloc(type == MEMP_PBUF_POOL ? 4096 : 256);
}

void memp_free(memp_t type, void *memory)
{
    (void)type;
    free(memory);
}

void tcp_free_ooseq(struct tcp_pcb *of)
{
    (void)of;
}

struct udp_pcb *udp_new(void)
{
    pcb = (struct udp_pcb){0};
    udp_pcbs = &pcb;
    return &pcb;
}

err_t udp_bind(struct udp_pcb *bound, const ip_addr_t *address, u16_t port)
{
    (void)address;
    bound->local_port = port;
    return ERR_OK;
}

err_t udp_connect(struct udp_pcb *connected, const ip_addr_t *address, u16_t port)
{
    (void)connected;
    (void)address;
    (void)port;
    return ERR_OK;
}

void udp_recv(struct udp_pcb *of, udp_recv_fn recv, void *arg)
{
    of->recv = recv;
    of->recv_arg = arg;
}

void udp_remove(struct udp_pcb *removed)
{
    assert_ptr_equal(removed, &pcb);
    udp_pcbs = NULL;
}

void netif_set_addr(struct netif *netif, const ip4_addr_t *address, const ip4_addr_t *mask,
                    const ip4_addr_t *gateway)
{
    ip4_addr_copy(*ip_2_ip4(&netif->ip_addr), *address);
    ip4_addr_copy(*ip_2_ip4(&netif->netmask), *mask);
    ip4_addr_copy(*ip_2_ip4(&netif->gw), *gateway);
}

void netif_set_gw(struct netif *netif, const ip4_addr_t *gateway)
{
    ip4_addr_copy(*ip_2_ip4(&netif->gw), *gateway);
}

/* The server. */

/* How it handles requests; NULL: according to `offer`. */
static struct offer {
    uint32_t address, server, mask, router;
    bool no_lease, no_server, no_mask, cut, overload;
    uint32_t lease, t1, t2; /* 0 for T1 and T2: omit the option */
    bool zero_t1;
    unsigned refusals; /* NAKs before the leases */
    unsigned silent;   /* messages left unanswered */
} offer;
static unsigned sent; /* messages from the client */
static unsigned sent_of[DHCP_RELEASE + 1];
static unsigned seconds; /* since the start */
static unsigned last_sent;
static struct dhcp_msg question;
static bool asked;            /* and the request was not answered yet */
static uint32_t asked_server; /* the server identifier in it, or 0 */

static uint8_t *put(uint8_t *to, uint8_t code, uint32_t value)
{
    *to++ = code;
    *to++ = 4;
    for (unsigned i = 0; i < 4; i++) {
        *to++ = (uint8_t)(value >> (24 - 8 * i));
    }
    return to;
}

static void deliver(const struct dhcp_msg *message, size_t length)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)length, PBUF_RAM);

    assert_int_equal(pbuf_take(p, message, (u16_t)length), ERR_OK);
    ip_data.current_input_netif = &our_port.netif;
    if (udp_pcbs == NULL) {
        pbuf_free(p);
    } else {
        pcb.recv(pcb.recv_arg, &pcb, p, &ip_addr_any, 67);
    }
}

static void say(uint8_t type)
{
    struct dhcp_msg message = question;
    uint8_t *at = message.options;
    uint8_t *file = message.file;

    message.op = DHCP_BOOTREPLY;
    message.yiaddr.addr = lwip_htonl(offer.address);
    memcpy(at, (const uint8_t[]){DHCP_OPTION_MESSAGE_TYPE, 1, type}, 3);
    at += 3;
    if (offer.overload) {
        memcpy(at, (const uint8_t[]){DHCP_OPTION_OVERLOAD, 1, DHCP_OVERLOAD_FILE}, 3);
        at += 3;
        file = put(file, DHCP_OPTION_SERVER_ID, offer.server);
        *file = DHCP_OPTION_END;
    } else if (!offer.no_server) {
        at = put(at, DHCP_OPTION_SERVER_ID, offer.server);
    }
    if (!offer.no_lease) {
        at = put(at, DHCP_OPTION_LEASE_TIME, offer.lease);
    }
    if (offer.t1 != 0 || offer.zero_t1) {
        at = put(at, DHCP_OPTION_T1, offer.t1);
    }
    if (offer.t2 != 0) {
        at = put(at, DHCP_OPTION_T2, offer.t2);
    }
    if (!offer.no_mask) {
        at = put(at, DHCP_OPTION_SUBNET_MASK, offer.mask);
    }
    at = put(at, DHCP_OPTION_ROUTER, offer.router);
    *at++ = DHCP_OPTION_END;
    deliver(&message, (size_t)(at - (uint8_t *)&message) - (offer.cut ? 3 : 0));
}

static void answer(void)
{
    uint8_t type = question.options[2];

    asked = false;
    if (offer.silent != 0) {
        offer.silent--;
    } else if (type == DHCP_DISCOVER) {
        say(DHCP_OFFER);
    } else if (type == DHCP_REQUEST && offer.refusals != 0) {
        offer.refusals--;
        say(DHCP_NAK);
    } else if (type == DHCP_REQUEST) {
        say(DHCP_ACK);
    }
}

static err_t take(struct pbuf *p)
{
    memset(&question, 0, sizeof question);
    assert_true(pbuf_copy_partial(p, &question, sizeof question, 0) > DHCP_OPTIONS_OFS);
    asked = true;
    asked_server = 0;
    for (unsigned at = 3; at + 6 < sizeof question.options; at += 2U + question.options[at + 1]) {
        if (question.options[at] == DHCP_OPTION_SERVER_ID) {
            memcpy(&asked_server, &question.options[at + 2], 4);
            asked_server = lwip_ntohl(asked_server);
        }
    }
    sent++;
    sent_of[question.options[2]]++;
    last_sent = seconds;
    return ERR_OK;
}

err_t udp_sendto_if(struct udp_pcb *from, struct pbuf *p, const ip_addr_t *to, u16_t port,
                    struct netif *netif)
{
    (void)from;
    (void)to;
    (void)port;
    (void)netif;
    return take(p);
}

err_t udp_sendto_if_src(struct udp_pcb *from, struct pbuf *p, const ip_addr_t *to, u16_t port,
                        struct netif *netif, const ip_addr_t *source)
{
    (void)source;
    return udp_sendto_if(from, p, to, port, netif);
}

/* Replies within the client's pass, like a server on the same machine. */
static void run(unsigned for_seconds)
{
    for (unsigned i = 0; i < for_seconds; i++) {
        for (unsigned answers = 0; asked; answers++) {
            assert_true(answers < 100); /* limits replies at the same time */
            answer();
        }
        dhcp_fine_tmr();
        for (unsigned answers = 0; asked; answers++) {
            assert_true(answers < 100);
            answer();
        }
        dhcp_fine_tmr();
        dhcp_coarse_tmr();
        seconds++;
    }
}

static uint32_t address(void)
{
    return lwip_ntohl(ip4_addr_get_u32(netif_ip4_addr(&our_port.netif)));
}

static int start(void **state)
{
    (void)state;
    our_port = (struct interface){.netif = {.mtu = 1500,
                                            .hwaddr = {0x52, 0x54, 0, 0, 0, 1},
                                            .hwaddr_len = 6,
                                            .state = &our_port,
                                            .flags = NETIF_FLAG_UP | NETIF_FLAG_LINK_UP}};
    netif_list = &our_port.netif;
    memset(histories, 0, sizeof histories);
    memset(sent_of, 0, sizeof sent_of);
    sent = seconds = last_sent = 0;
    asked = false;
    offer = (struct offer){
        .address = OURS, .server = SERVER, .mask = MASK, .router = SERVER, .lease = 3600};
    assert_int_equal(dhcp_start(&our_port.netif), ERR_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    dhcp_release_and_stop(&our_port.netif);
    dhcp_cleanup(&our_port.netif);
    return 0;
}

#endif

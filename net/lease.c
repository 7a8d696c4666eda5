/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters DHCP messages for lwIP's client, which trusts any server: it restarts at once on a
 * refusal (DHCPNAK), accepts one from any server, and accepts any address and time. Here:
 *
 * - Offers and leases of an address that no station can have are dropped.
 * - Only the chosen server may refuse; the client then waits 0.5, 1, 2, ... 64 s.
 * - A server that has refused twice, or has not answered a request, is chosen again only if no
 *   other makes an offer.
 * - The times of a lease are corrected (RFC 2131 §4.4.5).
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "boot/ipv4.h"
#include "lwip/dhcp.h"
#include "lwip/ip.h"
#include "lwip/prot/dhcp.h"
#include "lwip/prot/iana.h"
#include "lwip/udp.h"
#include "net/cards.h"
#include "net/lwip_port/hooks.h"

enum {
    WAIT_FIRST_MS = 500, /* after a refusal; doubles with each one */
    WAIT_MAX_MS = 64000, /* RFC 2131 §4.1 */
    /*
     * How much blame a server gets for a failure, and the amount from which other servers are
     * preferred.
     */
    BLAME_REFUSED = 1,
    BLAME_SILENT = 2,
    BLAME_MAX = 2,
    /*
     * A shorter lease, or one without a time, cannot be renewed before its end and is treated as
     * one of 60 s.
     */
    LEASE_LEAST_S = 4,
    LEASE_ASSUMED_S = 60,
    RENEWAL_LEAST_S = 60, /* if the lease is long enough (RFC 2131 §4.4.5) */
};
#define LEASE_FOR_EVER UINT32_MAX

/* What is known about a card's servers. */
static struct history {
    uint32_t wait_ms; /* after the last refusal; 0: none since the last lease */
    uint32_t server;  /* the server chosen last */
    unsigned blame;   /* since the last lease */
    bool told;        /* an invalid offer was reported */
} histories[NIC_CARDS];

/* The content of a reply. Addresses are in the processor's byte order; 0: the option is missing. */
struct reply {
    uint8_t type;
    uint8_t overload;
    uint32_t address, server, mask;
    bool has_mask;
};

static udp_recv_fn believe; /* lwIP's receive function */

static uint32_t get32(const struct pbuf *p, uint32_t at)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++) {
        value = value << 8 | pbuf_get_at(p, (u16_t)(at + i));
    }
    return value;
}

/* Like in lwIP, the first option of a kind counts. */
static void read_option(struct reply *reply, uint8_t code, const struct pbuf *p, uint32_t at,
                        uint32_t length)
{
    if (length == 1 && code == DHCP_OPTION_MESSAGE_TYPE && reply->type == 0) {
        reply->type = pbuf_get_at(p, (u16_t)at);
    } else if (length == 1 && code == DHCP_OPTION_OVERLOAD && reply->overload == 0) {
        reply->overload = pbuf_get_at(p, (u16_t)at);
    } else if (length == 4 && code == DHCP_OPTION_SERVER_ID && reply->server == 0) {
        reply->server = get32(p, at);
    } else if (length == 4 && code == DHCP_OPTION_SUBNET_MASK && !reply->has_mask) {
        reply->mask = get32(p, at);
        reply->has_mask = true;
    }
}

/* Reads the options from `at` to `end`. lwIP drops a message with a truncated option. */
static void read_options(struct reply *reply, const struct pbuf *p, uint32_t at, uint32_t end)
{
    while (at + 1 < end) {
        uint8_t code = pbuf_get_at(p, (u16_t)at++);
        uint32_t length;

        if (code == DHCP_OPTION_END) {
            break;
        }
        if (code == DHCP_OPTION_PAD) {
            continue;
        }
        length = pbuf_get_at(p, (u16_t)at++);
        if (at + length > end) {
            break;
        }
        read_option(reply, code, p, at, length);
        at += length;
    }
}

/* Reads a message. Returns false if it does not answer one of our requests. */
static bool read_reply(struct reply *reply, const struct pbuf *p, const struct netif *netif)
{
    const struct dhcp *dhcp = netif_dhcp_data(netif);
    const struct dhcp_msg *message = p->payload;

    if (p->len < DHCP_SNAME_OFS || p->tot_len < DHCP_OPTIONS_OFS || message->op != DHCP_BOOTREPLY ||
        lwip_ntohl(message->xid) != dhcp->xid ||
        memcmp(message->chaddr, netif->hwaddr, netif->hwaddr_len) != 0 ||
        get32(p, DHCP_OPTIONS_OFS - sizeof message->cookie) != DHCP_MAGIC_COOKIE) {
        return false;
    }
    *reply = (struct reply){.address = get32(p, offsetof(struct dhcp_msg, yiaddr))};
    read_options(reply, p, DHCP_OPTIONS_OFS, p->tot_len);
    if (reply->overload & DHCP_OVERLOAD_FILE) {
        read_options(reply, p, DHCP_FILE_OFS, DHCP_FILE_OFS + DHCP_FILE_LEN);
    }
    if (reply->overload & DHCP_OVERLOAD_SNAME) {
        read_options(reply, p, DHCP_SNAME_OFS, DHCP_SNAME_OFS + DHCP_SNAME_LEN);
    }
    return true;
}

static const char *text_of(uint32_t address, char text[IP4ADDR_STRLEN_MAX])
{
    ip4_addr_t network = {lwip_htonl(address)};

    return ip4addr_ntoa_r(&network, text, IP4ADDR_STRLEN_MAX);
}

/* True if the offered or leased address can be ours, in a network with that mask. */
static bool is_usable(const struct reply *reply)
{
    uint32_t hosts = ~reply->mask;
    unsigned prefix = reply->has_mask ? (unsigned)__builtin_popcount(reply->mask) : 32;

    return (!reply->has_mask || (hosts & (hosts + 1)) == 0) &&
           ipv4_is_station(reply->address, prefix) && reply->address != reply->server;
}

static bool may_be_address(const struct interface *interface, struct history *history,
                           const struct reply *reply)
{
    char address[IP4ADDR_STRLEN_MAX], server[IP4ADDR_STRLEN_MAX], mask[IP4ADDR_STRLEN_MAX];

    if (is_usable(reply)) {
        return true;
    }
    if (!history->told) {
        history->told = true;
        printf("vtnet: %sDHCP server %s offers %s with mask %s, which is no valid address of a "
               "station: the offer is ignored\n",
               interface->label, text_of(reply->server, server), text_of(reply->address, address),
               text_of(reply->mask, mask));
    }
    return false;
}

/*
 * Any server may make an offer. The offer of a server that others are preferred to is ignored until
 * our next request.
 */
static bool may_choose(struct history *history, const struct dhcp *dhcp, const struct reply *reply)
{
    if (dhcp->state != DHCP_STATE_SELECTING || !ipv4_is_unicast(reply->server)) {
        return false;
    }
    if (reply->server != history->server) {
        history->server = reply->server;
        history->blame = 0;
    } else if (history->blame >= BLAME_MAX && dhcp->tries < 2) {
        return false;
    }
    history->blame += BLAME_SILENT; /* until it answers */
    return true;
}

static bool is_chosen(const struct dhcp *dhcp, const struct reply *reply)
{
    return reply->server == lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(&dhcp->server_ip_addr)));
}

/*
 * Any server may lease the address while we ask all of them (RFC 2131 §4.4.5 REBINDING). A reply
 * without a server identifier is accepted.
 */
static bool may_lease(const struct dhcp *dhcp, const struct reply *reply)
{
    return reply->server == 0 || is_chosen(dhcp, reply) || dhcp->state == DHCP_STATE_REBINDING ||
           dhcp->state == DHCP_STATE_REBOOTING;
}

/* Does what lwIP does after a refusal, except for the immediate request. */
static void refused(struct netif *netif, struct history *history)
{
    const struct interface *interface = netif->state;
    struct dhcp *dhcp = netif_dhcp_data(netif);
    char server[IP4ADDR_STRLEN_MAX];

    if (dhcp->state != DHCP_STATE_REQUESTING && dhcp->state != DHCP_STATE_REBOOTING &&
        dhcp->state != DHCP_STATE_RENEWING && dhcp->state != DHCP_STATE_REBINDING) {
        return;
    }
    history->wait_ms = LWIP_MIN(2 * history->wait_ms, (uint32_t)WAIT_MAX_MS);
    if (history->wait_ms == 0) {
        history->wait_ms = WAIT_FIRST_MS;
    }
    history->blame -= LWIP_MIN(history->blame, (unsigned)(BLAME_SILENT - BLAME_REFUSED));
    printf("vtnet: %sDHCP server %s refuses the address: asking again in %u ms\n", interface->label,
           ip4addr_ntoa_r(ip_2_ip4(&dhcp->server_ip_addr), server, sizeof server),
           (unsigned)history->wait_ms);
    dhcp->state = DHCP_STATE_BACKING_OFF;
    dhcp->tries = 0;
    dhcp->request_timeout = history->wait_ms / DHCP_FINE_TIMER_MSECS;
    dhcp->t0_timeout = dhcp->t1_renew_time = dhcp->t2_rebind_time = 0;
    netif_set_addr(netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4);
}

/*
 * Renewal at T1, rebinding at T2, and the end: corrected to this order, and late enough that there
 * is less than a message per second. lwIP counts them down in seconds; 0: never.
 */
static void settle_times(struct dhcp *dhcp)
{
    uint32_t lease = dhcp->offered_t0_lease;
    uint32_t t1 = dhcp->offered_t1_renew, t2 = dhcp->offered_t2_rebind;

    if (lease == LEASE_FOR_EVER) {
        lease = t1 = t2 = 0;
    } else {
        lease = lease < LEASE_LEAST_S ? LEASE_ASSUMED_S : lease;
        if (t1 < LWIP_MIN(lease / 2, RENEWAL_LEAST_S) || t1 >= t2 || t2 >= lease) {
            t1 = lease / 2;
            t2 = lease - lease / 8 - (lease % 8 != 0); /* 7/8 */
        }
    }
    dhcp->t0_timeout = lease;
    dhcp->t1_timeout = dhcp->t1_renew_time = t1;
    dhcp->t2_timeout = dhcp->t2_rebind_time = t2;
}

/* lwIP has accepted a lease. */
static void leased(struct netif *netif, struct history *history, const struct reply *reply)
{
    struct dhcp *dhcp = netif_dhcp_data(netif);
    const ip4_addr_t *router = netif_ip4_gw(netif);

    *history = (struct history){.server = reply->server};
    settle_times(dhcp);
    if (ipv4_is_unicast(reply->server)) {
        ip_addr_set_ip4_u32(&dhcp->server_ip_addr, lwip_htonl(reply->server));
    }
    if (!ip4_addr_isany(router) && (!ipv4_is_unicast(lwip_ntohl(ip4_addr_get_u32(router))) ||
                                    ip4_addr_eq(router, netif_ip4_addr(netif)))) {
        netif_set_gw(netif, IP4_ADDR_ANY4);
    }
}

/* udp_recv_fn: replaces lwIP's. */
static void receive(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                    u16_t port)
{
    struct netif *netif = ip_current_input_netif();
    struct history *history = &histories[(struct interface *)netif->state - net_interface(0)];
    struct dhcp *dhcp = netif_dhcp_data(netif);
    struct reply reply;
    bool pass = false;

    if (dhcp == NULL || !read_reply(&reply, p, netif)) {
        pbuf_free(p);
        return;
    }
    if (reply.type == DHCP_OFFER) {
        pass = may_be_address(netif->state, history, &reply) && may_choose(history, dhcp, &reply);
    } else if (reply.type == DHCP_ACK) {
        pass = may_lease(dhcp, &reply) && may_be_address(netif->state, history, &reply);
    } else if (reply.type == DHCP_NAK && is_chosen(dhcp, &reply)) {
        refused(netif, history);
    }
    if (!pass) {
        pbuf_free(p);
        return;
    }
    pass = dhcp->state != DHCP_STATE_BOUND;
    believe(arg, pcb, p, from, port);
    if (pass && dhcp->state == DHCP_STATE_BOUND) {
        leased(netif, history, &reply);
    }
}

/*
 * LWIP_HOOK_DHCP_APPEND_OPTIONS: installs the filter before a request, as no reply comes earlier.
 * lwIP has one pcb for all netifs, and creates it again when none of them has needed it.
 */
void port_dhcp_sending(void)
{
    for (struct udp_pcb *pcb = udp_pcbs; pcb != NULL; pcb = pcb->next) {
        if (pcb->local_port == LWIP_IANA_PORT_DHCP_CLIENT && pcb->recv != receive) {
            believe = pcb->recv;
            udp_recv(pcb, receive, pcb->recv_arg);
        }
    }
}

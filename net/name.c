/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/name.h"

#include <stdio.h>
#include <string.h>

#include "lwip/apps/mdns.h"
#include "lwip/apps/mdns_out.h"
#include "lwip/ip.h"
#include "lwip/prot/iana.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"
#include "net/cards.h"
#include "net/config.h"
#include "net/local.h"

enum {
    NAME_MAX = MDNS_LABEL_MAXLEN,
    TRIES_MAX = 99,
    ANSWER_WAITS_MS = 1000, /* much longer than lwIP intends */
    TRY_AGAIN_MS = 1000,    /* if mDNS cannot start */
};

static struct name {
    char text[NAME_MAX + 1];
    unsigned tries; /* attempts to find a free name */
    bool ours;      /* no other station has it */
    /* To be printed. */
    bool news;
    char refused[NAME_MAX + 1]; /* the previous name if it was taken; empty: none */
} names[NIC_CARDS];
static bool news; /* of any card */

const char *name_of(unsigned number)
{
    struct name *name = &names[number];

    if (name->text[0] == '\0' && number == 0) {
        snprintf(name->text, sizeof name->text, "%s", net_config()->name);
    } else if (name->text[0] == '\0') {
        snprintf(name->text, sizeof name->text, "%s-%u", net_config()->name, number);
    }
    return name->text;
}

/* RFC 6762 §9: chooses another name, initially different from those of other cards. */
static void find_another(struct netif *netif, struct name *name)
{
    if (name->tries > TRIES_MAX) {
        return; /* already printed */
    }
    memcpy(name->refused, name->text, sizeof name->refused);
    name->ours = false;
    name->news = news = true;
    if (++name->tries > TRIES_MAX) {
        return;
    }
    snprintf(name->text, sizeof name->text, "%s-%u", net_config()->name, NIC_CARDS + name->tries);
    mdns_resp_rename_netif(netif, name->text);
}

/* mdns_name_result_cb_t */
static void probed(struct netif *netif, u8_t result, s8_t slot)
{
    const struct interface *interface = netif->state;
    struct name *name = &names[interface - net_interface(0)];

    (void)slot;
    if (result != MDNS_PROBING_SUCCESSFUL) {
        find_another(netif, name);
    } else if (!name->ours) {
        name->ours = true;
        name->news = news = true;
    }
}

static void tell(const struct interface *interface, struct name *name)
{
    if (name->tries > TRIES_MAX) {
        printf("vtnet: %s%s.local is used by another station, and so are all names tried before\n",
               interface->label, name->refused);
    } else if (name->refused[0] != '\0') {
        printf("vtnet: %s%s.local is used by another station; trying %s.local\n", interface->label,
               name->refused, name->text);
    }
    if (name->ours) {
        printf("vtnet: %sname %s.local\n", interface->label, name->text);
    }
    name->refused[0] = '\0';
}

bool name_tell(void)
{
    if (!news) {
        return false;
    }
    news = false;
    for (unsigned i = 0; i < net_interface_count(); i++) {
        if (names[i].news) {
            names[i].news = false;
            tell(net_interface(i), &names[i]);
        }
    }
    return true;
}

/*
 * While lwIP delays an answer to a single station it accepts no other. If the answer could not be
 * sent, it stays delayed forever. An answer that was already there a second ago is dropped.
 */
static void forget_answer(struct netif *netif, sys_timeout_handler send, u8_t *waits, u8_t *seen)
{
    if (*waits && *seen) {
        sys_untimeout(send, netif);
        *waits = 0;
    }
    *seen = *waits;
}

/* sys_timeout_handler */
static void forget_answers(void *context)
{
    static u8_t seen[NIC_CARDS][2];

    (void)context;
    for (unsigned i = 0; i < net_interface_count(); i++) {
        struct netif *netif = &net_interface(i)->netif;
        struct mdns_host *mdns = mdns_resp_netif_active(netif) ? netif_mdns_data(netif) : NULL;

        if (mdns != NULL) {
            forget_answer(netif, mdns_send_unicast_msg_delayed_ipv4, &mdns->ipv4.unicast_msg_in_use,
                          &seen[i][0]);
            forget_answer(netif, mdns_send_unicast_msg_delayed_ipv6, &mdns->ipv6.unicast_msg_in_use,
                          &seen[i][1]);
        }
    }
    sys_timeout(ANSWER_WAITS_MS, forget_answers, NULL);
}

enum { DNS_FLAGS = 2, DNS_RESPONSE = 0x80 };

static udp_recv_fn handle; /* lwIP's mDNS */

/*
 * Questions from other networks are not answered. Responses from there count only if they were sent
 * to the group, which a router does not forward (RFC 6762 §11 Source Address Check).
 */
static void received(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                     u16_t port)
{
    bool response = p->tot_len > DNS_FLAGS && (pbuf_get_at(p, DNS_FLAGS) & DNS_RESPONSE) != 0;

    if (net_is_local(from) || (response && ip_addr_ismulticast(ip_current_dest_addr()))) {
        handle(context, pcb, p, from, port);
    } else {
        pbuf_free(p);
    }
}

static void check_senders(void)
{
    for (struct udp_pcb *pcb = udp_pcbs; pcb != NULL; pcb = pcb->next) {
        if (pcb->local_port == LWIP_IANA_PORT_MDNS) {
            handle = pcb->recv;
            pcb->recv = received;
        }
    }
}

/*
 * lwIP's mDNS asserts that there is memory and that its port is free; a netperf client may use that
 * port already.
 */
static bool can_start(void)
{
    struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
    bool can = pcb != NULL && udp_bind(pcb, IP_ANY_TYPE, LWIP_IANA_PORT_MDNS) == ERR_OK;

    if (pcb != NULL) {
        udp_remove(pcb);
    }
    return can;
}

/* sys_timeout_handler: makes the loop call name_claim() again. */
static void try_again(void *context)
{
    (void)context;
    news = true;
}

void name_claim(struct netif *netif, unsigned number)
{
    static bool started;

    if (!(net_config()->services & NET_SERVICE_MDNS)) {
        return;
    }
    if (!started) {
        if (!can_start()) {
            sys_untimeout(try_again, NULL);
            sys_timeout(TRY_AGAIN_MS, try_again, NULL);
            return;
        }
        started = true;
        mdns_resp_init();
        check_senders();
        mdns_resp_register_name_result_cb(probed);
        sys_timeout(ANSWER_WAITS_MS, forget_answers, NULL);
    }
    if (!mdns_resp_netif_active(netif)) {
        mdns_resp_add_netif(netif, name_of(number));
    }
}

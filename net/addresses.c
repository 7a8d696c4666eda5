/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/addresses.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lwip/autoip.h"
#include "lwip/dhcp.h"
#include "lwip/igmp.h"
#include "lwip/inet.h"
#include "lwip/mld6.h"
#include "lwip/timeouts.h"
#include "net/cards.h"
#include "net/config.h"
#include "net/name.h"

enum {
    DHCP_PATIENCE_MS = 2000,
    /*
     * Delay after the start, so that the first ping does not wait for it. RFC 4862 §5.4.2 requires
     * a delay of up to a second.
     */
    IPV6_DELAY_MS = 100,
    STATIC_SLOT = 1, /* index in lwIP's IPv6 addresses; the first is link-local */
};

static void (*on_ready)(const struct netif *netif); /* or NULL */
static bool changed = true; /* an address has changed since the console was told */

/* What was printed about a card's addresses. */
static struct told {
    bool no_server; /* nothing printed about DHCP yet */
    ip4_addr_t ipv4;
    ip6_addr_t ipv6[LWIP_IPV6_NUM_ADDRESSES];
} told[NIC_CARDS];

/* A lease that has not expired is kept, even while the server does not answer. */
static bool has_leased(const struct netif *netif)
{
    return !ip4_addr_isany(netif_ip4_addr(netif)) && netif_dhcp_data(netif) != NULL;
}

/* sys_timeout_handler: DHCP's time is over. A netif whose link is down falls back when it is up. */
static void fall_back(void *context)
{
    struct interface *interface = context;
    struct netif *netif = &interface->netif;
    unsigned number = (unsigned)(interface - net_interface(0));
    ip4_addr_t address, mask;

    if (has_leased(netif) || !netif_is_link_up(netif)) {
        return;
    }
    if (net_config()->dhcp) {
        printf("vtnet: %sno DHCP server has answered yet; dhcp keeps asking\n", interface->label);
        return;
    }
    dhcp_release_and_stop(netif);
    dhcp_cleanup(netif);
    told[number].no_server = true;
    IP4_ADDR(&address, 10, 0, number, 2);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    netif_set_addr(netif, &address, &mask, &net_config()->card[number].gateway);
}

/* netif_ext_callback_fn */
static void netif_changed(struct netif *netif, netif_nsc_reason_t reason,
                          const netif_ext_callback_args_t *args)
{
    changed = true;
    if (reason & LWIP_NSC_LINK_CHANGED && args->link_changed.state &&
        netif_dhcp_data(netif) != NULL && !has_leased(netif)) {
        sys_untimeout(fall_back, netif->state);
        sys_timeout(DHCP_PATIENCE_MS, fall_back, netif->state);
    }
}

static void start_ipv4(struct interface *interface, unsigned number)
{
    struct netif *netif = &interface->netif;
    const struct net_config *config = net_config();
    const struct net_card_config *card = &config->card[number];
    bool given = !ip4_addr_isany_val(card->address);

    if (given && !config->dhcp) {
        netif_set_addr(netif, &card->address, &card->mask, &card->gateway);
    } else if (config->linklocal && !config->dhcp) {
        autoip_start(netif);
    } else {
        if (given) {
            printf("vtnet: %sip= is ignored: dhcp asks for an address\n", interface->label);
        }
        dhcp_start(netif);
        sys_timeout(DHCP_PATIENCE_MS, fall_back, interface);
    }
}

static void start_static_ipv6(struct netif *netif, unsigned number)
{
    const ip6_addr_t *given = &net_config()->card[number].address6;

    if (!ip6_addr_isany(given)) {
        netif_ip6_addr_set(netif, STATIC_SLOT, given);
        netif_ip6_addr_set_state(netif, STATIC_SLOT, IP6_ADDR_TENTATIVE);
    }
}

static void join_group_ipv6(struct netif *netif)
{
    ip6_addr_t group = net_config()->group6;
    char text[IP6ADDR_STRLEN_MAX];

    if (ip6_addr_isany_val(group)) {
        return;
    }
    ip6_addr_assign_zone(&group, IP6_MULTICAST, netif);
    interface_text_ipv6(&group, text);
    printf("vtnet: %s %s\n",
           mld6_joingroup_netif(netif, &group) == ERR_OK ? "joined" : "cannot join", text);
}

/* sys_timeout_handler */
static void start_ipv6(void *context)
{
    (void)context;
    for (unsigned i = 0; i < net_interface_count(); i++) {
        struct interface *interface = net_interface(i);

        if (!interface_start_ipv6(interface)) {
            printf("vtnet: %sno IPv6: the MTU is %u, and IPv6 needs %u\n", interface->label,
                   interface->netif.mtu, IP6_MIN_MTU_LENGTH);
            continue;
        }
        start_static_ipv6(&interface->netif, i);
        if (i == 0) {
            join_group_ipv6(&interface->netif);
        }
    }
}

static void join_group(void)
{
    const ip4_addr_t *group = &net_config()->group;
    char text[IP4ADDR_STRLEN_MAX];

    if (ip4_addr_isany(group)) {
        return;
    }
    printf("vtnet: %s %s\n",
           igmp_joingroup_netif(&net_interface(0)->netif, group) == ERR_OK ? "joined"
                                                                           : "cannot join",
           ip4addr_ntoa_r(group, text, sizeof text));
}

/* The first card with a gateway becomes the default route. */
static void choose_default(void)
{
    for (unsigned i = 0; i < net_interface_count(); i++) {
        struct netif *netif = &net_interface(i)->netif;

        if (!ip4_addr_isany(netif_ip4_gw(netif))) {
            netif_set_default(netif);
            break;
        }
    }
}

void addresses_start(void)
{
    NETIF_DECLARE_EXT_CALLBACK(changes)

    if (net_interface_count() == 0) {
        return;
    }
    netif_add_ext_callback(&changes, netif_changed);
    for (unsigned i = 0; i < net_interface_count(); i++) {
        netif_set_hostname(&net_interface(i)->netif, name_of(i));
        start_ipv4(net_interface(i), i);
    }
    join_group();
    sys_timeout(IPV6_DELAY_MS, start_ipv6, NULL);
}

void addresses_on_ready(void (*ready)(const struct netif *netif))
{
    on_ready = ready;
}

static void tell_ipv4(const struct interface *interface, struct told *card)
{
    const ip4_addr_t *address = netif_ip4_addr(&interface->netif);
    uint32_t mask = lwip_ntohl(ip4_addr_get_u32(netif_ip4_netmask(&interface->netif)));
    char text[IP4ADDR_STRLEN_MAX];

    if (ip4_addr_eq(&card->ipv4, address)) {
        return;
    }
    card->ipv4 = *address;
    if (ip4_addr_isany(address)) {
        return;
    }
    ip4addr_ntoa_r(address, text, sizeof text);
    if (card->no_server) {
        card->no_server = false;
        printf("vtnet: %sno DHCP server answered: the address is %s/24\n", interface->label, text);
    }
    printf("vtnet: %sready at %s/%u\n", interface->label, text, (unsigned)__builtin_popcount(mask));
    if (on_ready != NULL) {
        on_ready(&interface->netif);
    }
}

/* Prints one of a netif's addresses when it has been confirmed as unique or as a duplicate. */
static void tell_ipv6(const struct interface *interface, s8_t slot, ip6_addr_t *known)
{
    const ip6_addr_t *address = netif_ip6_addr(&interface->netif, slot);
    uint8_t state = netif_ip6_addr_state(&interface->netif, slot);
    char text[IP6ADDR_STRLEN_MAX];

    if (ip6_addr_isinvalid(state)) {
        *known = (ip6_addr_t){0};
        return;
    }
    if (ip6_addr_istentative(state) || ip6_addr_eq(known, address)) {
        return;
    }
    *known = *address;
    interface_text_ipv6(address, text);
    if (ip6_addr_isduplicated(state)) {
        printf("vtnet: %sIPv6 address %s is already used by another station: it is not used here\n",
               interface->label, text);
    } else {
        printf("vtnet: %sIPv6 address %s/64\n", interface->label, text);
    }
}

/*
 * True if the name can be claimed. lwIP probes for it over IPv4 and IPv6, and forever if it has no
 * address of one of them. The link-local address may have been a duplicate.
 */
static bool can_claim_name(const struct netif *netif)
{
    bool valid = false;

    for (s8_t slot = 0; slot < LWIP_IPV6_NUM_ADDRESSES; slot++) {
        valid |= ip6_addr_isvalid(netif_ip6_addr_state(netif, slot)) != 0;
    }
    return valid && !ip4_addr_isany(netif_ip4_addr(netif)) &&
           !ip6_addr_istentative(netif_ip6_addr_state(netif, 0));
}

bool addresses_announce(void)
{
    if (!name_tell() && !changed) {
        return false;
    }
    changed = false;
    choose_default();
    for (unsigned i = 0; i < net_interface_count(); i++) {
        struct interface *interface = net_interface(i);
        struct netif *netif = &interface->netif;

        tell_ipv4(interface, &told[i]);
        for (s8_t slot = 0; slot < LWIP_IPV6_NUM_ADDRESSES; slot++) {
            tell_ipv6(interface, slot, &told[i].ipv6[slot]);
        }
        if (can_claim_name(netif)) {
            name_claim(netif, i);
        }
    }
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The groups that a netif has joined, as Ethernet addresses for the card. 32 IPv4 groups share an
 * address (RFC 1112 §6.4), so each address is counted.
 */
#include <stdlib.h>
#include <string.h>

#include "lwip/igmp.h"
#include "lwip/mld6.h"
#include "lwip/timeouts.h"
#include "net/lwip_port/interface_internal.h"

enum { TOLD_MAX = 65 }; /* most addresses passed to a card: more than any table holds */

struct interface_group {
    struct interface_group *next;
    uint8_t mac[6];
    uint16_t joined;
};

/* Also a sys_timeout_handler: if the card did not do it, it is told again. */
static void tell_card(void *context)
{
    struct interface *interface = context;
    uint8_t macs[TOLD_MAX][6] = {0};
    unsigned count = interface->all_groups ? TOLD_MAX : 0;

    for (const struct interface_group *group = interface->groups; group != NULL && count < TOLD_MAX;
         group = group->next) {
        memcpy(macs[count++], group->mac, 6);
    }
    sys_untimeout(tell_card, interface);
    if (!interface->nic.driver->set_groups(interface->nic.state, (const uint8_t(*)[6])macs,
                                           count)) {
        sys_timeout(INTERFACE_ASK_CARD_AGAIN_MS, tell_card, interface);
    }
}

static void groups_changed(struct interface *interface)
{
    if (!interface->all_groups) {
        tell_card(interface);
    }
}

static err_t join(struct interface *interface, struct interface_group **link, const uint8_t mac[6])
{
    if (*link == NULL) {
        struct interface_group *group = calloc(1, sizeof *group);

        if (group == NULL) {
            return ERR_MEM;
        }
        memcpy(group->mac, mac, 6);
        *link = group;
        groups_changed(interface);
    }
    (*link)->joined++;
    return ERR_OK;
}

static err_t leave(struct interface *interface, struct interface_group **link)
{
    struct interface_group *group = *link;

    if (group == NULL) {
        return ERR_VAL;
    }
    if (--group->joined == 0) {
        *link = group->next;
        free(group);
        groups_changed(interface);
    }
    return ERR_OK;
}

static err_t filter(struct netif *netif, const uint8_t mac[6], enum netif_mac_filter_action action)
{
    struct interface *interface = netif->state;
    struct interface_group **link = &interface->groups;

    while (*link != NULL && memcmp((*link)->mac, mac, 6) != 0) {
        link = &(*link)->next;
    }
    return action == NETIF_ADD_MAC_FILTER ? join(interface, link, mac) : leave(interface, link);
}

static err_t filter_ip4(struct netif *netif, const ip4_addr_t *group,
                        enum netif_mac_filter_action action)
{
    const uint8_t mac[6] = {
        0x01, 0x00, 0x5e, ip4_addr2(group) & 0x7f, ip4_addr3(group), ip4_addr4(group)};

    return filter(netif, mac, action);
}

/* RFC 2464 §7 */
static err_t filter_ip6(struct netif *netif, const ip6_addr_t *group,
                        enum netif_mac_filter_action action)
{
    uint8_t mac[6] = {0x33, 0x33};

    memcpy(mac + 2, &group->addr[3], 4);
    return filter(netif, mac, action);
}

void interface_groups_init(struct netif *netif)
{
    struct interface *interface = netif->state;

    netif->flags |= NETIF_FLAG_IGMP;
    netif_set_igmp_mac_filter(netif, filter_ip4);
    if (interface->all_groups) {
        tell_card(interface);
    }
}

void interface_groups_init_ipv6(struct netif *netif)
{
    ip6_addr_t all_nodes;

    netif->flags |= NETIF_FLAG_MLD6;
    netif_set_mld_mac_filter(netif, filter_ip6);
    ip6_addr_set_allnodes_linklocal(&all_nodes); /* lwIP does not join it explicitly */
    filter_ip6(netif, &all_nodes, NETIF_ADD_MAC_FILTER);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/conflict.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/prot/etharp.h"
#include "lwip/prot/ethernet.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "net/lwip_port/port.h"

enum {
    NEWCOMER_MS = 1000,
    DEFEND_INTERVAL_MS = 10000, /* RFC 5227 §1.1 DEFEND_INTERVAL */
    DEFENCES_AT_ONCE = 8,
    DHCP_PAUSE_MS = 10000, /* RFC 2131 §3.1 */
};

void conflict_address_changed(struct netif *netif)
{
    ((struct lwip_port *)netif->state)->address_since = sys_now();
}

/* The ARP message in a frame, with or without a VLAN tag, or NULL where it has none. */
static const struct etharp_hdr *find_arp(const void *data, uint32_t length)
{
    const struct eth_hdr *ethernet = data;
    uint32_t offset = SIZEOF_ETH_HDR;
    uint16_t type;

    if (length < SIZEOF_ETH_HDR + SIZEOF_ETHARP_HDR) {
        return NULL;
    }
    type = ethernet->type;
    if (type == PP_HTONS(ETHTYPE_VLAN)) {
        type = ((const struct eth_vlan_hdr *)(ethernet + 1))->tpid;
        offset += SIZEOF_VLAN_HDR;
    }
    return type == PP_HTONS(ETHTYPE_ARP) && length >= offset + SIZEOF_ETHARP_HDR
               ? (const struct etharp_hdr *)((const uint8_t *)data + offset)
               : NULL;
}

/* Whether to speak of a conflict now: so that two guests that both defend an address, or somebody
 * who forges claims, do not fill network and console. Some at once, then one in ten seconds. */
static bool may_defend(void)
{
    static uint32_t spent; /* when the claims answered so far will be forgotten */
    uint32_t now = sys_now();

    if (spent - now > DEFENCES_AT_ONCE * DEFEND_INTERVAL_MS) {
        spent = now; /* it lies in the past, however long ago */
    }
    if (spent - now >= DEFENCES_AT_ONCE * DEFEND_INTERVAL_MS) {
        return false;
    }
    spent += DEFEND_INTERVAL_MS;
    return true;
}

/* sys_timeout_handler: asks for another address, unless that was given up. */
static void ask_again(void *context)
{
    struct netif *netif = context;

    if (netif_dhcp_data(netif) != NULL && !dhcp_supplied_address(netif)) {
        dhcp_start(netif);
    }
}

/* The new address of a netif is somebody else's. One that was chosen for this guest is the end of
 * it; one that a DHCP server gave goes back there. */
static void give_way(struct netif *netif, const char *address, const uint8_t *mac, bool same_mac)
{
    bool leased = dhcp_supplied_address(netif);

    printf("vtnet: %s is already used by %02x:%02x:%02x:%02x:%02x:%02x%s: ", address, mac[0],
           mac[1], mac[2], mac[3], mac[4], mac[5],
           same_mac ? ", which is our Ethernet address too" : "");
    if (!leased) {
        printf("boot with another ip=%s\n", same_mac ? " and mac=" : "");
        arch_exit(false);
    }
    printf("given back\n");
    dhcp_release_and_stop(netif);
    sys_untimeout(ask_again, netif);
    sys_timeout(DHCP_PAUSE_MS, ask_again, netif);
}

void conflict_check(struct netif *netif, const void *data, uint32_t length)
{
    const struct lwip_port *port = netif->state;
    const struct etharp_hdr *arp = find_arp(data, length);
    const uint8_t *mac;
    const ip4_addr_t *ours = netif_ip4_addr(netif);
    bool same_mac;
    char text[IP4ADDR_STRLEN_MAX];
    uint32_t sender;

    if (arp == NULL || ip4_addr_isany(ours) || ip4_addr_islinklocal(ours)) {
        return; /* for a link-local one lwIP sees to it, and takes another */
    }
    memcpy(&sender, &arp->sipaddr, sizeof sender);
    if (sender != ip4_addr_get_u32(ours)) {
        return;
    }
    mac = arp->shwaddr.addr;
    same_mac = memcmp(mac, netif->hwaddr, netif->hwaddr_len) == 0;
    ip4addr_ntoa_r(ours, text, sizeof text);
    if (sys_now() - port->address_since < NEWCOMER_MS) {
        give_way(netif, text, mac, same_mac);
        return;
    }
    if (may_defend()) {
        printf(
            "vtnet: %s is also claimed by %02x:%02x:%02x:%02x:%02x:%02x%s; this guest keeps it\n",
            text, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
            same_mac ? ", which is our Ethernet address too" : "");
        etharp_gratuitous(netif);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/conflict.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "lwip/autoip.h"
#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/prot/etharp.h"
#include "lwip/prot/ethernet.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "net/lwip_port/frame.h"
#include "net/lwip_port/interface.h"
#include "net/lwip_port/interface_internal.h"

enum {
    NEWCOMER_MS = 1000,
    DEFEND_INTERVAL_MS = 10000, /* RFC 5227 §1.1 DEFEND_INTERVAL */
    DEFENCES_AT_ONCE = 8,
    DHCP_PAUSE_MS = 10000, /* RFC 2131 §3.1 */
    PROBE_WAIT_MS = 1000,  /* for an answer from a station that has the address */
    RETRY_FIRST_MS = 1000, /* until the first probe; doubles with each answered probe */
    RETRY_MAX_MS = 60000,  /* RFC 5227 §2.1.1 RATE_LIMIT_INTERVAL */
};

static void probe(void *context);

void conflict_address_changed(struct netif *netif)
{
    ((struct interface *)netif->state)->address_since = sys_now();
}

/* The ARP message in a frame, with or without a VLAN tag, or NULL if there is none. */
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

/*
 * Rate limit: true if a conflict may be reported and answered now. Keeps two guests that defend the
 * same address, or forged claims, from flooding network and console. Some are allowed at once, then
 * one in ten seconds.
 */
static bool may_defend(void)
{
    static uint32_t spent; /* time until which the recorded reports count */
    uint32_t now = sys_now();

    if (spent - now > DEFENCES_AT_ONCE * DEFEND_INTERVAL_MS) {
        spent = now; /* it is in the past */
    }
    if (spent - now >= DEFENCES_AT_ONCE * DEFEND_INTERVAL_MS) {
        return false;
    }
    spent += DEFEND_INTERVAL_MS;
    return true;
}

/* sys_timeout_handler: requests another address, unless DHCP was stopped. */
static void ask_again(void *context)
{
    struct netif *netif = context;

    if (netif_dhcp_data(netif) != NULL && !dhcp_supplied_address(netif)) {
        dhcp_start(netif);
    }
}

/*
 * sys_timeout_handler: if nobody has answered the probe the address is free; otherwise schedules
 * the next probe.
 */
static void settle(void *context)
{
    struct netif *netif = context;
    struct interface_kept_off *off = &((struct interface *)netif->state)->kept_off;

    if (ip4_addr_isany(&off->address)) {
        return;
    }
    if (!off->probed || off->in_use) {
        off->wait_ms = off->wait_ms < RETRY_MAX_MS / 2 ? 2 * off->wait_ms : RETRY_MAX_MS;
        sys_timeout(off->wait_ms, probe, netif);
        return;
    }
    netif_set_addr(netif, &off->address, &off->mask, &off->gateway);
    off->address = *IP4_ADDR_ANY4;
}

/*
 * sys_timeout_handler: probes whether the unused address is still taken (RFC 5227 §2.1.1). A probe
 * does not change other stations' ARP caches.
 */
static void probe(void *context)
{
    struct netif *netif = context;
    struct interface_kept_off *off = &((struct interface *)netif->state)->kept_off;

    off->in_use = false;
    off->probed = netif_is_link_up(netif) && etharp_acd_probe(netif, &off->address) == ERR_OK;
    sys_timeout(PROBE_WAIT_MS, settle, netif);
}

/*
 * Another station has the netif's new address. An address of ip= is not used until it is free; an
 * address from a DHCP server is declined.
 */
static void give_way(struct netif *netif, const char *address, const uint8_t *mac)
{
    struct interface *interface = netif->state;

    printf("vtnet: %s%s is already used by %02x:%02x:%02x:%02x:%02x:%02x: ", interface->label,
           address, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    if (dhcp_supplied_address(netif)) {
        printf("given back\n");
        dhcp_release_and_stop(netif);
        sys_untimeout(ask_again, netif);
        sys_timeout(DHCP_PAUSE_MS, ask_again, netif);
        return;
    }
    if (interface->exit_on_conflict) {
        printf("boot with another ip=\n");
        arch_exit(false);
    }
    printf("this guest will use it when it is free; or boot with another ip=\n");
    interface->kept_off = (struct interface_kept_off){
        .address = *netif_ip4_addr(netif),
        .mask = *netif_ip4_netmask(netif),
        .gateway = *netif_ip4_gw(netif),
        .wait_ms = RETRY_FIRST_MS,
    };
    netif_set_addr(netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4);
    sys_timeout(RETRY_FIRST_MS, probe, netif);
}

/* True if a station with this address has sent the ARP message. */
static bool is_from(const struct etharp_hdr *arp, const ip4_addr_t *address)
{
    uint32_t sender;

    memcpy(&sender, &arp->sipaddr, sizeof sender);
    return sender == ip4_addr_get_u32(address);
}

/* True if a station probes for this address in order to use it. */
static bool is_probe(const struct etharp_hdr *arp, const ip4_addr_t *address)
{
    uint32_t target;

    memcpy(&target, &arp->dipaddr, sizeof target);
    return is_from(arp, IP4_ADDR_ANY4) && target == ip4_addr_get_u32(address);
}

/* conflict_check() for an ARP message. */
static void check(struct netif *netif, const struct etharp_hdr *arp)
{
    struct interface *interface = netif->state;
    const ip4_addr_t *ours = netif_ip4_addr(netif);
    const uint8_t *mac;
    char text[IP4ADDR_STRLEN_MAX];

    if (memcmp(arp->shwaddr.addr, netif->hwaddr, netif->hwaddr_len) == 0) {
        return; /* our own message is not a conflict (RFC 5227 §2.4) */
    }
    if (ip4_addr_isany(ours)) {
        interface->kept_off.in_use |= is_from(arp, &interface->kept_off.address) ||
                                      is_probe(arp, &interface->kept_off.address);
        return;
    }
    if (autoip_supplied_address(netif) || !is_from(arp, ours)) {
        return; /* lwIP handles a link-local address itself and takes another one */
    }
    mac = arp->shwaddr.addr;
    ip4addr_ntoa_r(ours, text, sizeof text);
    if (sys_now() - interface->address_since < NEWCOMER_MS) {
        give_way(netif, text, mac);
        return;
    }
    if (may_defend()) {
        printf("vtnet: %s%s is also claimed by %02x:%02x:%02x:%02x:%02x:%02x; this guest keeps "
               "it\n",
               interface->label, text, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
        etharp_gratuitous(netif);
    }
}

bool conflict_check(struct netif *netif, const void *data, uint32_t length)
{
    const struct etharp_hdr *arp = find_arp(data, length);

    if (arp == NULL) {
        return true;
    }
    if (!frame_is_station(arp->shwaddr.addr)) {
        return false;
    }
    check(netif, arp);
    return true;
}

void conflict_claimed_ipv6(struct netif *netif, s8_t slot)
{
    const struct interface *interface = netif->state;
    char text[IP6ADDR_STRLEN_MAX];

    if (may_defend()) {
        printf("vtnet: %s%s is also claimed by another station; this guest keeps it\n",
               interface->label, interface_text_ipv6(netif_ip6_addr(netif, slot), text));
        interface_advertise_ipv6(netif, slot);
    }
}

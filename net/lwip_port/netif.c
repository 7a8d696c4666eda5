/* SPDX-License-Identifier: BSD-2-Clause */
/* The netif: opened on a card. */
#include "net/lwip_port/interface.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "lwip/autoip.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/ip6.h"
#include "net/lwip_port/conflict.h"
#include "net/lwip_port/interface_internal.h"
#include "net/lwip_port/lookup.h"
#include "net/lwip_port/tcp_memory.h"
#include "net/nic_open.h"

static void print_link(const struct interface *interface, const char *before)
{
    static const char *const duplexes[] = {
        [NIC_DUPLEX_UNKNOWN] = "",
        [NIC_DUPLEX_HALF] = " half duplex",
        [NIC_DUPLEX_FULL] = " full duplex",
    };
    const struct nic *nic = &interface->nic;
    struct nic_link link;

    nic->driver->link(nic->state, &link);
    printf("vtnet: %s%slink %s", interface->label, before, link.up ? "up" : "down");
    if (link.up && link.speed != 0) {
        printf(", %u Mbit/s%s", (unsigned)link.speed, duplexes[link.duplex]);
    }
    printf("\n");
}

/* nic_client.link */
static void link_changed(void *context, bool up)
{
    struct interface *interface = context;

    print_link(interface, "");
    if (up) {
        interface->tx_room =
            true; /* a waiting sender tries again, even if its frames will be lost */
        interface->link_came = true;
        netif_set_link_up(&interface->netif);
    } else {
        netif_set_link_down(&interface->netif);
    }
}

/* nic_client.announce */
static void announce(void *context)
{
    struct interface *interface = context;

    if (!ip4_addr_isany(netif_ip4_addr(&interface->netif))) {
        etharp_gratuitous(&interface->netif);
    }
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        interface_advertise_ipv6(&interface->netif, i);
    }
}

/*
 * lwIP announces an address only through its conflict detection, which is used for link-local
 * addresses only.
 */
static void announce_ipv4(struct netif *netif)
{
    if (netif_is_link_up(netif) && !ip4_addr_isany(netif_ip4_addr(netif)) &&
        !autoip_supplied_address(netif)) {
        etharp_gratuitous(netif);
    }
}

/* netif_ext_callback_fn */
static void netif_changed(struct netif *netif, netif_nsc_reason_t reason,
                          const netif_ext_callback_args_t *args)
{
    if (reason & LWIP_NSC_IPV4_ADDRESS_CHANGED) {
        conflict_address_changed(netif);
    }
    if (reason & (LWIP_NSC_IPV4_ADDRESS_CHANGED | LWIP_NSC_LINK_CHANGED)) {
        announce_ipv4(netif);
    }
    if (reason & LWIP_NSC_IPV6_ADDR_STATE_CHANGED) {
        interface_check_ipv6(netif, args->ipv6_addr_state_changed.addr_index);
    }
    if (reason & LWIP_NSC_IPV6_ADDR_STATE_CHANGED &&
        !ip6_addr_isvalid(args->ipv6_addr_state_changed.old_state)) {
        interface_advertise_ipv6(netif, args->ipv6_addr_state_changed.addr_index);
    }
}

/* netif_init_fn */
static err_t init_netif(struct netif *netif)
{
    struct interface *interface = netif->state;
    const struct nic_info *info = &interface->nic.info;

    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(netif->hwaddr, info->mac, ETH_HWADDR_LEN);
    netif->mtu = LWIP_MIN(info->mtu, INTERFACE_MTU_MAX);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = interface_output;
    netif->output_ip6 = interface_output_ipv6;
    netif->linkoutput = interface_link_output;
    interface_groups_init(netif);
    interface_window_init(interface);
    tcp_memory_init(interface);
    interface_choose_reserve(interface);
    interface_choose_offloads(interface);
    return ERR_OK;
}

static void add_netif(struct interface *interface)
{
    char mac[32];
    struct nic_link link;

    netif_add_noaddr(&interface->netif, interface, init_netif, interface_input);
    netif_set_up(&interface->netif);
    interface->nic.driver->link(interface->nic.state, &link);
    if (link.up) {
        netif_set_link_up(&interface->netif);
    }
    interface_vlan_tell(interface);
    snprintf(mac, sizeof mac, "MAC address %02x:%02x:%02x:%02x:%02x:%02x, ",
             interface->netif.hwaddr[0], interface->netif.hwaddr[1], interface->netif.hwaddr[2],
             interface->netif.hwaddr[3], interface->netif.hwaddr[4], interface->netif.hwaddr[5]);
    print_link(interface, mac);
}

unsigned interface_open(struct interface interfaces[], unsigned count, void (*wake)(void))
{
    NETIF_DECLARE_EXT_CALLBACK(changes)
    struct nic *nics[NIC_CARDS];
    unsigned opened;

    for (unsigned i = 0; i < count; i++) {
        interfaces[i].client = (struct nic_client){
            .receive = interface_receive,
            .transmitted = interface_transmitted,
            .link = link_changed,
            .announce = announce,
            .context = &interfaces[i],
            .private_size = INTERFACE_RX_PRIVATE,
            .mac = interfaces[i].mac,
            .config = interfaces[i].config,
        };
        interfaces[i].nic.client = &interfaces[i].client;
        nics[i] = &interfaces[i].nic;
        if (i > 0) {
            snprintf(interfaces[i].label, sizeof interfaces[i].label, "card %u: ", i);
        }
    }
    lwip_init();
    lookup_init();
    netif_add_ext_callback(&changes, netif_changed);
    port_clock_start(arch_clock_ns());
    opened = nic_open(nics, count, wake);
    for (unsigned i = 0; i < opened; i++) {
        add_netif(&interfaces[i]);
    }
    if (opened != 0) {
        netif_set_default(&interfaces[0].netif);
    }
    return opened;
}

bool interface_start_ipv6(struct interface *interface)
{
    struct netif *netif = &interface->netif;

    if (netif->mtu < IP6_MIN_MTU_LENGTH) {
        return false;
    }
    interface_groups_init_ipv6(netif);
    netif_create_ip6_linklocal_address(netif, 1);
    netif_set_ip6_autoconfig_enabled(netif, 1);
    return true;
}

/* Senders that wait for room come first, before a received frame makes another one take it. */
unsigned interface_poll(struct interface *interface, unsigned budget)
{
    if (interface->tx_full) {
        interface->nic.driver->reclaim(interface->nic.state);
        interface_resume_connections(interface);
    }
    return interface->nic.driver->poll(interface->nic.state, budget);
}

void interface_resume(struct interface *interface)
{
    interface_resume_connections(interface);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The netif: opened on a card. */
#include "net/lwip_port/port.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "lwip/autoip.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/ip6.h"
#include "net/lwip_port/conflict.h"
#include "net/lwip_port/port_internal.h"
#include "net/lwip_port/tcp_memory.h"
#include "net/nic_open.h"

static void print_link(const struct lwip_port *port, const char *before)
{
    static const char *const duplexes[] = {
        [NIC_DUPLEX_UNKNOWN] = "",
        [NIC_DUPLEX_HALF] = " half duplex",
        [NIC_DUPLEX_FULL] = " full duplex",
    };
    const struct nic *nic = &port->nic;
    struct nic_link link;

    nic->driver->link(nic->state, &link);
    printf("vtnet: %s%slink %s", port->label, before, link.up ? "up" : "down");
    if (link.up && link.speed != 0) {
        printf(", %u Mbit/s%s", (unsigned)link.speed, duplexes[link.duplex]);
    }
    printf("\n");
}

/* nic_client.link */
static void link_changed(void *context, bool up)
{
    struct lwip_port *port = context;

    print_link(port, "");
    if (up) {
        port->tx_room = true; /* a waiting sender tries again, even if its frames will be lost */
        port->link_came = true;
        netif_set_link_up(&port->netif);
    } else {
        netif_set_link_down(&port->netif);
    }
}

/* nic_client.announce */
static void announce(void *context)
{
    struct lwip_port *port = context;

    if (!ip4_addr_isany(netif_ip4_addr(&port->netif))) {
        etharp_gratuitous(&port->netif);
    }
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        port_advertise_ipv6(&port->netif, i);
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
        port_check_ipv6(netif, args->ipv6_addr_state_changed.addr_index);
    }
    if (reason & LWIP_NSC_IPV6_ADDR_STATE_CHANGED &&
        !ip6_addr_isvalid(args->ipv6_addr_state_changed.old_state)) {
        port_advertise_ipv6(netif, args->ipv6_addr_state_changed.addr_index);
    }
}

/* netif_init_fn */
static err_t init_netif(struct netif *netif)
{
    struct lwip_port *port = netif->state;
    const struct nic_info *info = &port->nic.info;

    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(netif->hwaddr, info->mac, ETH_HWADDR_LEN);
    netif->mtu = LWIP_MIN(info->mtu, PORT_MTU_MAX);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = port_output;
    netif->output_ip6 = port_output_ipv6;
    netif->linkoutput = port_link_output;
    port_groups_init(netif);
    port_window_init(port);
    tcp_memory_init(port);
    port_choose_reserve(port);
    port_choose_offloads(port);
    return ERR_OK;
}

static void add_netif(struct lwip_port *port)
{
    char mac[32];
    struct nic_link link;

    netif_add_noaddr(&port->netif, port, init_netif, port_input);
    netif_set_up(&port->netif);
    port->nic.driver->link(port->nic.state, &link);
    if (link.up) {
        netif_set_link_up(&port->netif);
    }
    port_vlan_tell(port);
    snprintf(mac, sizeof mac, "MAC address %02x:%02x:%02x:%02x:%02x:%02x, ", port->netif.hwaddr[0],
             port->netif.hwaddr[1], port->netif.hwaddr[2], port->netif.hwaddr[3],
             port->netif.hwaddr[4], port->netif.hwaddr[5]);
    print_link(port, mac);
}

unsigned lwip_port_open(struct lwip_port ports[], unsigned count, void (*wake)(void))
{
    NETIF_DECLARE_EXT_CALLBACK(changes)
    struct nic *nics[NIC_CARDS];
    unsigned opened;

    for (unsigned i = 0; i < count; i++) {
        ports[i].client = (struct nic_client){
            .receive = port_receive,
            .transmitted = port_transmitted,
            .link = link_changed,
            .announce = announce,
            .context = &ports[i],
            .private_size = PORT_RX_PRIVATE,
            .mac = ports[i].mac,
            .config = ports[i].config,
        };
        ports[i].nic.client = &ports[i].client;
        nics[i] = &ports[i].nic;
        if (i > 0) {
            snprintf(ports[i].label, sizeof ports[i].label, "card %u: ", i);
        }
    }
    lwip_init();
    netif_add_ext_callback(&changes, netif_changed);
    port_clock_start(arch_clock_ns());
    opened = nic_open(nics, count, wake);
    for (unsigned i = 0; i < opened; i++) {
        add_netif(&ports[i]);
    }
    if (opened != 0) {
        netif_set_default(&ports[0].netif);
    }
    return opened;
}

bool lwip_port_start_ipv6(struct lwip_port *port)
{
    struct netif *netif = &port->netif;

    if (netif->mtu < IP6_MIN_MTU_LENGTH) {
        return false;
    }
    port_groups_init_ipv6(netif);
    netif_create_ip6_linklocal_address(netif, 1);
    netif_set_ip6_autoconfig_enabled(netif, 1);
    return true;
}

/* Senders that wait for room come first, before a received frame makes another one take it. */
unsigned lwip_port_poll(struct lwip_port *port, unsigned budget)
{
    if (port->tx_full) {
        port->nic.driver->reclaim(port->nic.state);
        port_resume_connections(port);
    }
    return port->nic.driver->poll(port->nic.state, budget);
}

void lwip_port_resume(struct lwip_port *port)
{
    port_resume_connections(port);
}

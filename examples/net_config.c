/* SPDX-License-Identifier: BSD-2-Clause */
#include "examples/net_config.h"

#include <string.h>

#include "boot/arguments.h"
#include "boot/arguments_check.h"
#include "lwip/inet.h"

_Static_assert((int)NIC_CARDS <= (int)BOOT_CARDS, "boot arguments for each card");
_Static_assert((int)NET_SERVICE_MDNS == (int)BOOT_SERVICE_MDNS &&
                   (int)NET_SERVICES_ALL == (int)BOOT_SERVICES_ALL,
               "the same services in the same order");

static const enum loop_mode modes[] = {
    [BOOT_MODE_HYBRID] = LOOP_HYBRID,
    [BOOT_MODE_IRQ] = LOOP_INTERRUPT,
    [BOOT_MODE_POLL] = LOOP_POLL,
};
static const enum nic_transport transports[] = {
    [BOOT_TRANSPORT_ANY] = NIC_TRANSPORT_ANY,
    [BOOT_TRANSPORT_LEGACY] = NIC_TRANSPORT_LEGACY,
    [BOOT_TRANSPORT_MODERN] = NIC_TRANSPORT_MODERN,
};
static const enum nic_fence fences[] = {
    [BOOT_FENCE_AUTO] = NIC_FENCE_AUTO,
    [BOOT_FENCE_ON] = NIC_FENCE_ON,
    [BOOT_FENCE_OFF] = NIC_FENCE_OFF,
};
static const enum nic_irq irqs[] = {
    [BOOT_IRQ_AUTO] = NIC_IRQ_AUTO,
    [BOOT_IRQ_INTX] = NIC_IRQ_INTX,
    [BOOT_IRQ_MSIX] = NIC_IRQ_MSIX,
};

static ip4_addr_t ipv4_of(uint32_t address)
{
    return (ip4_addr_t){lwip_htonl(address)};
}

static ip6_addr_t ipv6_of(const struct boot_ipv6 *given)
{
    ip6_addr_t address = {0};

    memcpy(address.addr, given->address, sizeof given->address);
    return address;
}

static struct net_card_config card_of(unsigned number)
{
    const struct boot_ipv4 *ip = &boot_arguments.ip[number];
    struct net_card_config card = {
        .vlan = boot_arguments.vlan[number],
        .address = ipv4_of(ip->address),
        .mask = ipv4_of(ip->prefix == 0 ? 0 : UINT32_MAX << (32 - ip->prefix)),
        .gateway = ipv4_of(boot_arguments.gw[number].address),
        .address6 = ipv6_of(&boot_arguments.ip6[number]),
    };

    memcpy(card.mac, boot_arguments.mac[number], sizeof card.mac);
    return card;
}

static ip_addr_t peer_of_boot(void)
{
    ip_addr_t peer;

    if (boot_arguments.peer.address != 0) {
        ip_addr_copy_from_ip4(peer, ipv4_of(boot_arguments.peer.address));
    } else {
        ip_addr_copy_from_ip6(peer, ipv6_of(&boot_arguments.peer6));
    }
    return peer;
}

const struct net_config *net_config_from_boot(void)
{
    static struct net_config config;
    const struct boot_arguments *boot = &boot_arguments;

    config = (struct net_config){
        .opened = boot_arguments_check_cards,
        .name = boot->name,
        .dhcp = boot->dhcp,
        .linklocal = boot->linklocal,
        .exit_on_conflict = boot->conflict == BOOT_CONFLICT_EXIT,
        .bounded = boot->bounded != 0,
        .stats = boot->stats != 0,
        .group = ipv4_of(boot->join.address),
        .group6 = ipv6_of(&boot->join6),
        .mode = modes[boot->mode],
        .poll_us = boot->poll_us,
        .services = boot->services,
        .answer_any = boot->answer == BOOT_ANSWER_ANY,
        .peer = peer_of_boot(),
        .nic =
            {
                .features = boot->features,
                .transport = transports[boot->transport],
                .fence = fences[boot->fence],
                .irq = irqs[boot->irq],
                .rx_initial = (uint16_t)boot->bufinit,
                .rx_maximum = (uint16_t)boot->bufmax,
                .rx_memory = boot->bufmem << 10,
                .rx_quiet_ms = boot->rxquiet,
                .rx_fixed = boot->rxdyn == 0 || boot->bounded != 0,
                .bounded = boot->bounded != 0,
            },
    };
    for (unsigned i = 0; i < NIC_CARDS; i++) {
        config.card[i] = card_of(i);
    }
    return &config;
}

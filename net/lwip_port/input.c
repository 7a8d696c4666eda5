/* SPDX-License-Identifier: BSD-2-Clause */
/* The only way into lwIP: each received packet is checked here. */
#include <stdio.h>
#include <string.h>

#include "lwip/ip.h"
#include "net/lwip_port/conflict.h"
#include "net/lwip_port/guard.h"
#include "net/lwip_port/interface_internal.h"
#include "netif/ethernet.h"

/* A packet being handled: the argument of guard_run()'s step. */
struct packet {
    struct pbuf *p;
    struct netif *netif;
    netif_input_fn input; /* lwIP's function */
    err_t error;
};

static void handle(void *argument)
{
    struct packet *packet = argument;

    packet->error = packet->input(packet->p, packet->netif);
}

static err_t handle_guarded(struct pbuf *p, struct netif *netif, netif_input_fn input)
{
    struct packet packet = {p, netif, input, ERR_OK};

    guard_run(handle, &packet);
    port_ip6_handled();
    ((struct interface *)netif->state)->priority = 0;
    return packet.error;
}

err_t interface_input_ip(struct pbuf *p, struct netif *netif)
{
    return handle_guarded(p, netif, ip_input);
}

/*
 * True if a broadcast or multicast frame has our own Ethernet address as its source: the network
 * returns frames (QEMU's socket,mcast=, a bridge port in hairpin mode), or another station has the
 * same address. Such a frame must not be treated as another station's: RFC 5227 §2.4, RFC 4862
 * §5.4.3, RFC 6762 §9.
 */
static bool is_own(struct interface *interface, const struct pbuf *p)
{
    const struct eth_hdr *ethernet = p->payload;

    if (p->len < sizeof *ethernet || !(ethernet->dest.addr[0] & 1) ||
        memcmp(ethernet->src.addr, interface->netif.hwaddr, ETH_HWADDR_LEN) != 0) {
        return false;
    }
    interface->counters.rx_own++;
    if (!interface->own_frame_told) {
        interface->own_frame_told = true;
        printf(
            "vtnet: %sa frame from our own MAC address came in and is dropped, as others will be: "
            "the network returns our frames, or another station needs another MAC address\n",
            interface->label);
    }
    return true;
}

err_t interface_input(struct pbuf *p, struct netif *netif)
{
    struct interface *interface = netif->state;

    if (!interface_vlan_accepts(interface, p)) {
        interface->counters.rx_foreign++;
        pbuf_free(p);
        return ERR_OK;
    }
    if (is_own(interface, p) || !conflict_check(netif, p->payload, p->len)) {
        pbuf_free(p);
        return ERR_OK;
    }
    return handle_guarded(p, netif, ethernet_input);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/port.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "net/lwip_port/conflict.h"
#include "net/lwip_port/port_internal.h"
#include "netif/ethernet.h"

/* Time as of the pass of the loop under way: reading the clock once a pass is enough. */
static uint32_t now_ms;
static uint64_t now_ms_ns; /* the nanosecond at which now_ms began */

static void advance_clock(uint64_t now_ns)
{
    const uint64_t ms = 1000000;

    if (now_ns - now_ms_ns >= 100 * ms) {
        now_ms += (uint32_t)((now_ns - now_ms_ns) / ms);
        now_ms_ns += (now_ns - now_ms_ns) / ms * ms;
    }
    while (now_ns - now_ms_ns >= ms) {
        now_ms++;
        now_ms_ns += ms;
    }
}

uint32_t sys_now(void)
{
    return now_ms;
}

/* xorshift32; the seed is when the first number is asked for, to the nanosecond. */
uint32_t lwip_port_random(void)
{
    static uint32_t state;

    if (state == 0) {
        state = (uint32_t)arch_clock_ns() | 1;
    }
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* nic_client.link */
static void link_changed(void *context, bool up)
{
    struct lwip_port *port = context;

    printf("vtnet: link %s\n", up ? "up" : "down");
    if (up) {
        netif_set_link_up(&port->netif);
    } else {
        netif_set_link_down(&port->netif);
    }
}

/* nic_client.announce */
static void announce(void *context)
{
    struct lwip_port *port = context;

    etharp_gratuitous(&port->netif);
}

/* netif_init_fn */
static err_t init_netif(struct netif *netif)
{
    struct lwip_port *port = netif->state;
    const uint8_t *mac = port->nic.driver->mac(port->nic.state);

    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(netif->hwaddr, mac, ETH_HWADDR_LEN);
    netif->mtu = 1500;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = etharp_output;
    netif->linkoutput = port_link_output;
    return ERR_OK;
}

bool lwip_port_open(struct lwip_port *port, void (*wake)(void))
{
    static struct nic_client client = {
        .receive = port_receive,
        .transmitted = port_transmitted,
        .link = link_changed,
        .announce = announce,
        .private_size = PORT_RX_PRIVATE,
    };

    client.context = port;
    lwip_init();
    advance_clock(arch_clock_ns());
    if (!nic_open(&port->nic, &client, wake)) {
        return false;
    }
    netif_add_noaddr(&port->netif, port, init_netif, ethernet_input);
    netif_set_default(&port->netif);
    netif_set_status_callback(&port->netif, conflict_address_changed);
    netif_set_up(&port->netif);
    if (port->nic.driver->link_up(port->nic.state)) {
        netif_set_link_up(&port->netif);
    }
    return true;
}

bool lwip_port_poll(struct lwip_port *port, unsigned budget, uint64_t now_ns)
{
    uint32_t before = now_ms;
    unsigned frames = port->nic.driver->poll(port->nic.state, budget);

    advance_clock(now_ns);
    if (now_ms != before) {
        sys_check_timeouts();
    }
    port_resume_connections(port);
    return frames != 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VLAN tags (IEEE 802.1Q). A netif has at most one VLAN: its frames are tagged accordingly, and it
 * receives no others. A tag of VLAN 0 only carries a priority and counts as no tag. Frames sent
 * while a tagged frame is handled get that frame's priority.
 */
#include "lwip/prot/ethernet.h"
#include "lwip/timeouts.h"
#include "net/lwip_port/hooks.h"
#include "net/lwip_port/port_internal.h"

enum { TCI_VLAN = 0x0fff, TCI_PRIORITY = 0xe000 };

struct tagged_frame {
    struct eth_hdr ethernet;
    struct eth_vlan_hdr vlan;
} __attribute__((packed));

bool port_vlan_accepts(struct lwip_port *port, const struct pbuf *p)
{
    const struct tagged_frame *frame = p->payload;
    uint16_t tci = 0;

    if (p->len >= sizeof *frame && frame->ethernet.type == PP_HTONS(ETHTYPE_VLAN)) {
        tci = lwip_ntohs(frame->vlan.prio_vid);
    }
    port->priority = tci & TCI_PRIORITY;
    return (tci & TCI_VLAN) == port->vlan;
}

void port_vlan_tell(void *context)
{
    struct lwip_port *port = context;

    if (!port->nic.driver->set_vlan(port->nic.state, port->vlan, true)) {
        sys_timeout(PORT_ASK_CARD_AGAIN_MS, port_vlan_tell, port);
    }
}

int32_t port_vlan_tag(const struct netif *netif)
{
    const struct lwip_port *port = netif->state;

    return port->vlan != 0 ? port->priority | port->vlan : -1;
}

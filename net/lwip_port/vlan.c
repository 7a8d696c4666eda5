/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VLAN tags (IEEE 802.1Q). A netif has at most one VLAN: its frames are tagged accordingly, and it
 * receives no others. A tag of VLAN 0 only carries a priority and counts as no tag. Frames sent
 * while a tagged frame is handled get that frame's priority.
 */
#include "lwip/prot/ethernet.h"
#include "lwip/timeouts.h"
#include "net/lwip_port/hooks.h"
#include "net/lwip_port/interface_internal.h"

enum { TCI_VLAN = 0x0fff, TCI_PRIORITY = 0xe000 };

struct tagged_frame {
    struct eth_hdr ethernet;
    struct eth_vlan_hdr vlan;
} __attribute__((packed));

bool interface_vlan_accepts(struct interface *interface, const struct pbuf *p)
{
    const struct tagged_frame *frame = p->payload;
    uint16_t tci = 0;

    if (p->len >= sizeof *frame && frame->ethernet.type == PP_HTONS(ETHTYPE_VLAN)) {
        tci = lwip_ntohs(frame->vlan.prio_vid);
    }
    interface->priority = tci & TCI_PRIORITY;
    return (tci & TCI_VLAN) == interface->vlan;
}

void interface_vlan_tell(void *context)
{
    struct interface *interface = context;

    if (!interface->nic.driver->set_vlan(interface->nic.state, interface->vlan, true)) {
        sys_timeout(INTERFACE_ASK_CARD_AGAIN_MS, interface_vlan_tell, interface);
    }
}

int32_t port_vlan_tag(const struct netif *netif)
{
    const struct interface *interface = netif->state;

    return interface->vlan != 0 ? interface->priority | interface->vlan : -1;
}

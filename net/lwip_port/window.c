/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits TCP windows to what the card can hold (nic_driver.window) and, when they are scarce, to
 * the receive buffers.
 */
#include "lwip/ip.h"
#include "lwip/priv/tcp_priv.h"
#include "net/lwip_port/hooks.h"
#include "net/lwip_port/interface_internal.h"
#include "net/lwip_port/tcp_memory.h"

static bool limited; /* some card has a limit */

void interface_window_init(const struct interface *interface)
{
    limited |= interface->nic.driver->window != NULL;
}

/*
 * Only the peer sees the smaller window; lwIP's own value is unchanged. Acknowledgements move the
 * small window forward, until the program has left more data unread than the difference between the
 * two.
 */
uint32_t *port_tcp_sending(struct tcp_hdr *header, const struct tcp_pcb *pcb, uint32_t *options)
{
    const struct netif *netif;
    const struct interface *interface;
    uint32_t window = UINT32_MAX;

    /* A reset without a connection has no window. */
    if (pcb == NULL || !(limited || tcp_memory_was_short) ||
        (netif = ip_route(&pcb->local_ip, &pcb->remote_ip)) == NULL) {
        return options;
    }
    interface = netif->state;
    if (interface->nic.driver->window != NULL) {
        window = interface->nic.driver->window(interface->nic.state, false);
    }
    if (tcp_memory_is_short(interface)) {
        window = LWIP_MIN(window, tcp_memory_share(pcb, false));
    }
    if (pcb->flags & TF_WND_SCALE && !(TCPH_FLAGS(header) & TCP_SYN)) {
        window >>= pcb->rcv_scale;
    }
    if (lwip_ntohs(header->wnd) > window) {
        header->wnd = lwip_htons((u16_t)window);
    }
    return options;
}

/*
 * Makes the peer's window appear smaller. Limiting the card's queue would not be enough: the card
 * fills up with acknowledgements, of all data that is not acknowledged yet.
 */
void interface_window_received(const struct interface *interface, struct tcp_hdr *header,
                               const struct tcp_pcb *pcb)
{
    uint32_t window;

    if (interface->nic.driver->window == NULL || pcb->state < ESTABLISHED) {
        return;
    }
    window = interface->nic.driver->window(interface->nic.state, true) >> pcb->snd_scale;
    if (header->wnd > window) {
        header->wnd = (u16_t)window;
    }
}

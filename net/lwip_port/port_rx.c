/* SPDX-License-Identifier: BSD-2-Clause */
/* The way in: the card's buffers become pbufs, without a copy, and go back when lwIP is done. */
#include <string.h>

#include "lwip/pbuf.h"
#include "net/lwip_port/port_internal.h"

/* A receive buffer's private bytes: the pbuf that stands for it while the stack has it. */
struct rx_pbuf {
    struct pbuf_custom custom; /* first: lwIP hands it back as a struct pbuf */
    struct lwip_port *port;
};

_Static_assert(sizeof(struct rx_pbuf) <= PORT_RX_PRIVATE, "rx_pbuf");

enum { COPIED_MAX = 256 }; /* bytes of a frame that is copied where receive buffers are scarce */

/* The stack is done with a receive buffer: back to the card. */
static void rx_free(struct pbuf *p)
{
    struct rx_pbuf *rx = (struct rx_pbuf *)p;

    rx->port->nic.driver->release(rx->port->nic.state, rx);
}

/* The pbuf for a received buffer: the buffer itself, or where these are scarce a copy of a small
 * one, which returns the buffer at once. NULL: it was dropped. */
static struct pbuf *wrap(struct lwip_port *port, struct rx_pbuf *rx, void *data, uint32_t length)
{
    struct pbuf *copy = NULL;

    if (!port->nic.driver->scarce(port->nic.state)) {
        rx->custom.custom_free_function = rx_free;
        rx->port = port;
        /* PBUF_RAM says that structure and data are one block, so that headers can be put back in
         * front of a reply made in place. */
        return pbuf_alloced_custom(PBUF_RAW, (u16_t)length, PBUF_RAM, &rx->custom, data,
                                   (u16_t)length);
    }
    if (length <= COPIED_MAX) {
        copy = pbuf_alloc(PBUF_RAW_TX, (u16_t)length, PBUF_RAM);
    }
    if (copy != NULL) {
        memcpy(copy->payload, data, length);
        port->counters.rx_copied++;
        port->counters.rx_copied_bytes += length;
    }
    port->nic.driver->release(port->nic.state, rx);
    return copy;
}

void port_receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                  const struct nic_offload *offload)
{
    struct lwip_port *port = context;
    struct pbuf *p;

    (void)offload;
    port_resume_connections(port); /* before this frame makes another connection take the room */
    p = wrap(port, buffer, data, length);
    if (p == NULL) {
        port->dropping = true;
    } else if (port->partial == NULL) {
        port->partial = p;
    } else {
        pbuf_cat(port->partial, p);
    }
    if (more) {
        return;
    }
    p = port->partial;
    port->partial = NULL;
    if (port->dropping) {
        port->dropping = false;
        port->counters.rx_dropped++;
        if (p != NULL) {
            pbuf_free(p);
        }
        return;
    }
    if (port->netif.input(p, &port->netif) != ERR_OK) {
        port->counters.rx_refused++;
        pbuf_free(p);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether there is room in the transmit ring for what can wait, and how much is kept free of it. */
#include "net/lwip_port/burst.h"
#include "net/lwip_port/port_internal.h"

enum {
    RESERVE_MAX = 16,
    USUAL_PARTS = 4, /* of a segment: headers, and what it was written in */
};

static bool has_room(const struct lwip_port *port, unsigned frames, unsigned parts, unsigned spare)
{
    return port->nic.driver->has_room(port->nic.state, frames, parts, spare);
}

/*
 * A ring may be so small that nothing would be left beside the places that are kept free: what can
 * wait would do so for ever. The ring is empty now, so what has no room never has.
 */
void port_choose_reserve(struct lwip_port *port)
{
    port->tx_reserve = RESERVE_MAX;
    while (port->tx_reserve != 0 && !has_room(port, 1, USUAL_PARTS, port->tx_reserve)) {
        port->tx_reserve /= 2;
    }
    port->tx_parts = NIC_PARTS_MAX;
    while (port->tx_parts > 1 && !has_room(port, 1, port->tx_parts, port->tx_reserve)) {
        port->tx_parts--;
    }
}

void port_wait_for_room(struct lwip_port *port)
{
    port->tx_full = true;
    port->tx_room = false;
}

bool lwip_port_room(struct lwip_port *port, unsigned frames, unsigned parts)
{
    unsigned spare = port->tx_reserve + burst_parts(port->bursts);

    /* A frame of more is sent when it fits, or copied into one part. */
    if (has_room(port, frames, parts < port->tx_parts ? parts : port->tx_parts, spare)) {
        return true;
    }
    port_wait_for_room(port);
    return false;
}

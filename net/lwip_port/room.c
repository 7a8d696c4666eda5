/* SPDX-License-Identifier: BSD-2-Clause */
/* Room in the transmit ring for frames that can wait, and the places reserved for others. */
#include "net/lwip_port/gso.h"
#include "net/lwip_port/port_internal.h"

enum {
    RESERVE_MAX = 16,
    USUAL_PARTS = 4, /* of a segment: headers and payload */
};

static bool has_room(const struct lwip_port *port, unsigned frames, unsigned parts, unsigned spare)
{
    return port->nic.driver->has_room(port->nic.state, frames, parts, spare);
}

/*
 * With the reserve, a very small ring would never have room for a frame that can wait. The ring is
 * empty now, so what has no room now never will.
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

void lwip_port_wait_for_room(struct lwip_port *port)
{
    port->tx_full = true;
    port->tx_room = false;
}

bool lwip_port_has_room(const struct lwip_port *port, unsigned frames, unsigned parts)
{
    unsigned spare = port->tx_reserve + gso_parts(port->gso);

    /* A frame of more parts is sent when it fits, or copied into one part. */
    return has_room(port, frames, parts < port->tx_parts ? parts : port->tx_parts, spare);
}

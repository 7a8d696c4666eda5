/* SPDX-License-Identifier: BSD-2-Clause */
/* Room in the transmit ring for frames that can wait, and the places reserved for others. */
#include "net/lwip_port/gso.h"
#include "net/lwip_port/interface_internal.h"

enum {
    RESERVE_MAX = 16,
    USUAL_PARTS = 4, /* of a segment: headers and payload */
};

static bool has_room(const struct interface *interface, unsigned frames, unsigned parts,
                     unsigned spare)
{
    return interface->nic.driver->has_room(interface->nic.state, frames, parts, spare);
}

/*
 * With the reserve, a very small ring would never have room for a frame that can wait. The ring is
 * empty now, so what has no room now never will.
 */
void interface_choose_reserve(struct interface *interface)
{
    interface->tx_reserve = RESERVE_MAX;
    while (interface->tx_reserve != 0 &&
           !has_room(interface, 1, USUAL_PARTS, interface->tx_reserve)) {
        interface->tx_reserve /= 2;
    }
    interface->tx_parts = NIC_PARTS_MAX;
    while (interface->tx_parts > 1 &&
           !has_room(interface, 1, interface->tx_parts, interface->tx_reserve)) {
        interface->tx_parts--;
    }
}

void interface_wait_for_room(struct interface *interface)
{
    interface->tx_full = true;
    interface->tx_room = false;
}

bool interface_has_room(const struct interface *interface, unsigned frames, unsigned parts)
{
    unsigned spare = interface->tx_reserve + gso_parts(interface->gso);

    /* A frame of more parts is sent when it fits, or copied into one part. */
    return has_room(interface, frames, parts < interface->tx_parts ? parts : interface->tx_parts,
                    spare);
}
